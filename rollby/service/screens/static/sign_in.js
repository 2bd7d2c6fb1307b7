/* rollby: sign in, and go on to the page that is for the role. */
import { ask } from "./api.js";

const HOMES = { officer: "/officer", supervisor: "/supervisor", wallboard: "/wallboard", analyst: "/analyst" };
const STUDY = /^\/analyst\/[0-9a-f]{16}$/;
const form = document.getElementById("form");
const fault = document.getElementById("fault");

function goOn(me) {
  const next = new URLSearchParams(location.search).get("next");
  const home = HOMES[me.role];
  if (next && (Object.values(HOMES).includes(next) || STUDY.test(next))) location.replace(next);
  else if (home) location.replace(home);
  else say(`Signed in as ${me.name}. There is no page for the role ${me.role} yet; the API is at /api/openapi.json.`);
}

function say(text) {
  fault.textContent = text;
  fault.hidden = false;
}

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  fault.hidden = true;
  try {
    goOn(await ask("/api/sign-in", { method: "POST", body: Object.fromEntries(new FormData(form)) }));
  } catch (error) {
    say(error.status ? error.message : "The service cannot be reached. Try again.");
  }
});

form.querySelector("button").disabled = false; // before, a press would have gone nowhere
ask("/api/me").then(goOn, () => {}); // not signed in: the form is there
