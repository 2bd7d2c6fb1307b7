/* rollby: runs before the page is drawn, so that a dark page never flashes white. */
(function (rollby) {
  "use strict";
  const root = document.documentElement;
  const prefersDark = window.matchMedia("(prefers-color-scheme: dark)");
  const listeners = [];

  rollby.isDark = function () { return root.classList.contains("dark"); };

  /* "auto" follows the device; "light" and "dark" stay. */
  rollby.setTheme = function (theme) {
    root.dataset.theme = theme;
    root.classList.toggle("dark", theme === "dark" || (theme === "auto" && prefersDark.matches));
    for (const pair of listeners.slice()) pair[0].call(pair[1]);
  };
  rollby.onTheme = function (call, self) { listeners.push([call, self]); };
  rollby.offTheme = function (call, self) {
    const row = listeners.findIndex(function (pair) { return pair[0] === call && pair[1] === self; });
    if (row >= 0) listeners.splice(row, 1);
  };

  prefersDark.addEventListener("change", function () { rollby.setTheme(root.dataset.theme); });
  rollby.setTheme(root.dataset.theme);
})((window.rollby = window.rollby || {}));
