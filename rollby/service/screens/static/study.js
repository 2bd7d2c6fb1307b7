/* rollby: one study: how far it is; of what came out, the map's theme, and a plan of posts by hand. */
import { WAITING, ask, toSignIn, whoAmI } from "./api.js";
import { byHand } from "./hand.js";

const by = (id) => document.getElementById(id);
const { study, kind, state } = by("study").dataset;
const EVERY_MS = 1000;
const me = whoAmI();

async function follow() {
  const made = Date.parse(by("since").dataset.made);
  const seconds = Math.max(0, Math.round((Date.now() - made) / 1000));
  by("since").textContent = `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")} min.`;
  try {
    const now = await ask(`/api/studies/${study}`, { headers: WAITING });
    if (!["receiving", "waiting", "running"].includes(now.state)) return location.reload();
    if (by("step").textContent !== now.step) by("step").textContent = now.step || "Starting";
  } catch (error) {
    if (error.status === 401) return toSignIn();
    by("step").textContent = error.status ? error.message : "The service is not reached; asking again.";
  }
  setTimeout(follow, EVERY_MS);
}

if (by("cancel")) {
  by("cancel").addEventListener("click", async () => {
    by("cancel").disabled = true;
    try {
      await me;
      await ask(`/api/studies/${study}/cancel`, { method: "POST" });
    } catch (error) {
      by("step").textContent = error.status ? error.message : "NOT DONE: the service is not reached.";
      by("cancel").disabled = false;
    }
  });
  follow();
}

if (window.rollby && rollby.map) {
  rollby.onTheme(() => localStorage.setItem("rollby-theme", rollby.isDark() ? "dark" : "light"));
  if (kind === "posts" && state === "done") ask(`/analyst/${study}/places.json`).then(byHand);
}
document.documentElement.classList.add("ready");
