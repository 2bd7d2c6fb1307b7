/* rollby: day or night, before the first paint. */
(function () {
  "use strict";
  const kept = localStorage.getItem("rollby-theme");
  const dark = kept ? kept === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  document.documentElement.dataset.theme = kept || "auto";
  document.documentElement.classList.toggle("dark", dark);
})();
