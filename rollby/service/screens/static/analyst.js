/* rollby: the analyst's desk: choose a period, upload one, have it worked out. */
import { WAITING, ask, signOutBy, toSignIn, whoAmI } from "./api.js";

const by = (id) => document.getElementById(id);
const EVERY_MS = 1500;
const me = whoAmI();

function fail(error, form) {
  const fault = by("fault");
  fault.textContent = error.status ? error.message : "NOT DONE: the service is not reached. Try again.";
  fault.hidden = false;
  if (form) for (const one of form.elements) one.removeAttribute("aria-invalid");
  const named = form && /^(\w+)[:=]/.exec(fault.textContent);
  const field = named && form.elements[named[1]];
  if (field && field.setAttribute) field.setAttribute("aria-invalid", "true");
  fault.scrollIntoView({ block: "nearest" });
}

function lines(text) {
  return text.split("\n").map((one) => one.trim()).filter(Boolean);
}

/* What the first form says; empty days are left out. */
function period(byRoads) {
  const form = by("period"), wish = { source: byRoads ? "roads" : form.elements.source?.value };
  if (!wish.source) throw Object.assign(new Error("source: there is no period yet; upload a history first"), { status: 422 });
  for (const name of ["since", "until"]) if (!byRoads && form.elements[name].value) wish[name] = form.elements[name].value;
  return wish;
}

async function begin(form, path, wish) {
  const button = form.querySelector("[type=submit]");
  button.disabled = true;
  try {
    await me;
    const study = await ask(path, { method: "POST", body: wish() });
    location.assign(`/analyst/${study.study_id}`);
  } catch (error) {
    fail(error, form);
    button.disabled = false;
  }
}

by("gaps").addEventListener("submit", (event) => {
  event.preventDefault();
  const form = event.target, from = form.elements;
  begin(form, "/api/studies/gaps", () => ({
    ...period(false), every_s: Number(from.every_s.value), stand: lines(from.stand.value),
    ...(from.split.value ? { split: from.split.value } : {}),
  }));
});

by("posts").addEventListener("submit", (event) => {
  event.preventDefault();
  const form = event.target, from = form.elements;
  begin(form, "/api/studies/posts", () => ({
    ...period(from.by_roads.checked), count: Number(from.count.value), model: from.model.value,
    within_s: Math.round(600 * Number(from.within_min.value)) / 10, busy: Number(from.busy.value) / 100,
    present: lines(from.present.value), by_hand: lines(from.by_hand.value),
  }));
});

by("upload").addEventListener("submit", async (event) => {
  event.preventDefault();
  const form = event.target, said = by("upload-said"), button = form.querySelector("[type=submit]");
  button.disabled = true;
  let history = null;
  try {
    await me;
    history = await ask("/api/histories", { method: "POST", body: { title: form.elements.title.value } });
    for (const file of form.elements.files.files) {
      said.textContent = `Sending ${file.name}\u2026`;
      await ask(`/api/histories/${history.study_id}/files/${encodeURIComponent(file.name)}`, { method: "PUT", file });
    }
    await ask(`/api/histories/${history.study_id}/check`, { method: "POST" });
    location.assign(`/analyst/${history.study_id}`);
  } catch (error) {
    said.textContent = "";
    fail(error);
    button.disabled = false;
    if (history) ask(`/api/studies/${history.study_id}`, { method: "DELETE" }).catch(() => {});
  }
});

document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-act]");
  if (!button) return;
  const study = button.closest("[data-study]").dataset.study;
  button.disabled = true;
  try {
    await me;
    if (button.dataset.act === "cancel") await ask(`/api/studies/${study}/cancel`, { method: "POST" });
    else await ask(`/api/studies/${study}`, { method: "DELETE" });
    location.reload();
  } catch (error) {
    fail(error);
    button.disabled = false;
  }
});

/* As long as something goes on, say how far it is; when that is over, the page is another. */
async function follow() {
  const going = [...document.querySelectorAll("[data-state]")].filter((one) => ["waiting", "running"].includes(one.dataset.state));
  if (!going.length) return;
  try {
    const now = new Map((await ask("/api/studies", { headers: WAITING })).map((one) => [one.study_id, one]));
    for (const item of going) {
      const study = now.get(item.dataset.study);
      if (!study || !["waiting", "running"].includes(study.state)) return location.reload();
      item.querySelector(".state").textContent = study.step || study.state;
    }
  } catch (error) {
    if (error.status === 401) return toSignIn();  // else the next look may succeed
  }
  setTimeout(follow, EVERY_MS);
}

by("theme").addEventListener("click", () => {
  const dark = document.documentElement.classList.toggle("dark");
  localStorage.setItem("rollby-theme", dark ? "dark" : "light");
  named();
});
function named() { by("theme").textContent = document.documentElement.classList.contains("dark") ? "Day" : "Night"; }
signOutBy(by("out"), fail);

named();
follow();
document.documentElement.classList.add("ready");
