/* rollby: the officer's page. One suggestion at a time, three answers, and one's own stop. */
import { ask, signOutBy } from "./api.js";
import { account, read, whenAnother, write } from "./kept.js";
import { Live } from "./live.js";
import { Outbox } from "./outbox.js";
import { PHASES, age, clock, helper, minutes, statusWord } from "./words.js";

const UNDO_TICK_MS = 500;
const OLD_FIX_S = 120;
const NOW_MS = 30000;
const facts = document.body.dataset;
const lockAboveMps = Number(facts.lockAboveMps);
const by = (id) => document.getElementById(id);

let name = null;
let unitIds = [];
let unit = null;
let spoken = null;
let lock = false;
let said = [];  // what can still be taken back: { label, until, path }
let fault = null;

const live = new Live(changed);
const outbox = new Outbox(sent);

/* Without a line too: then with what was last known to the account that was last signed in. */
function begin() {
  if (account() !== null) {
    enter(account());
    const picture = read("picture", name);
    if (picture) {
      drive(picture.unitIds);
      live.remember(picture);
    }
  }
  whenAnother(() => location.reload());
  live.start();
  setInterval(draw, UNDO_TICK_MS);
  draw();
  if ("serviceWorker" in navigator) navigator.serviceWorker.register("/worker.js").catch(() => {});
}

function enter(who) {
  if (name === who) return;
  name = who;
  unit = read("unit", name);
  outbox.of(name);
}

/* Whoever has one unit only is asked for no choice. */
function drive(ids) {
  unitIds = ids;
  const named = mine();
  if (unit === null && named.length === 1) unit = named[0];
}

function changed(event) {
  if (event === "me") {
    if (name !== null && name !== live.me.name) return location.reload();  // what it sent before that could not be undone
    enter(live.me.name);
    drive(live.me.unit_ids);
  }
  if (event === "live" || event === "beat") outbox.send();
  if (["live", "stops", "units"].includes(event)) {
    write("picture", name, { at: live.at, kept: Date.now(), stops: live.stops, units: live.units, unitIds });
  }
  if (event === "suggested" || event === "withdrawn" || event === "gap") refresh();
  draw();
}

function mine() { return unitIds.filter((one) => !/[*?]/.test(one)); }

/* The picture comes once a second; a suggestion is shown at once. */
async function refresh() {
  try {
    const picture = await ask("/api/live");
    if (picture.at && Date.parse(picture.at) >= live.at) {
      Object.assign(live, { stops: picture.stops, units: picture.units });
      draw();
    }
  } catch { /* the picture of the stream comes soon */ }
}

/* ---- what is to be shown ---- */

function myUnit() { return live.units.find((one) => one.unit_id === unit); }
function asked() { return live.stops.find((one) => one.asked && one.asked.unit_id === unit); }
function going() { return live.stops.find((one) => one.promised.some((asked) => asked.unit_id === unit)); }
function own() { return live.stops.find((one) => one.unit_id === unit); }

/* Only a fix of now tells how fast one drives. An old one, or one without a speed, neither locks nor
   unlocks: what the last known speed said holds, and whoever drives no more says so. */
function speedKnown(fix) {
  return fix && fix.speed_mps !== null && live.now() - Date.parse(fix.fixed_at) < NOW_MS;
}

function locked() {
  const fix = myUnit();
  if (speedKnown(fix)) lock = fix.speed_mps > lockAboveMps;
  by("unlock").hidden = !lock || speedKnown(fix);
  return lock;
}

function whyMe(stop) {
  const row = stop.nearest.findIndex((one) => one.unit_id === unit);
  if (row < 0) return "";
  const nearer = stop.nearest.slice(0, row);
  if (!nearer.length) return "You are the nearest.";
  const others = nearer.map((one) => `${helper(one)} ${one.askable ? "is nearer" : statusWord(one.status)}`);
  return `Why you: ${others.join(", ")}.`;
}

function situation(stop) {
  const alone = age((live.now() - Date.parse(stop.began_at)) / 1000);
  return `${PHASES[stop.phase] || stop.phase}, ${alone} on the stop${stop.there.length ? "" : ", alone"}`;
}

function place(stop) {
  return stop.street || (stop.lon === null ? "place unknown: call in" : `${stop.lat.toFixed(5)}, ${stop.lon.toFixed(5)}`);
}

/* ---- drawing ---- */

function text(id, words) {
  if (by(id).textContent !== words) by(id).textContent = words;
}

function draw() {
  text("unit", unit || "Which unit?");
  drawUnits();
  drawFix();
  drawLost();
  drawAsk();
  drawOwn();
  drawSaid();
  locked();
  for (const button of document.querySelectorAll("[data-answer], [data-word]")) {
    button.disabled = !unit || name === null || (lock && button.dataset.answer !== "en_route");
  }
  by("words").classList.toggle("locked", lock);
}

function drawUnits() {
  const names = [...new Set([...mine(), ...live.units.map((one) => one.unit_id)])].sort();
  const select = by("units");
  select.hidden = names.length < 2 && unit !== null;
  if (select.dataset.names === names.join() + unit) return;
  select.dataset.names = names.join() + unit;
  select.replaceChildren(new Option("choose your unit", ""), ...names.map((name) => new Option(name, name)));
  select.value = names.includes(unit) ? unit : "";
}

function drawFix() {
  const mine = myUnit();
  const seconds = mine ? (live.now() - Date.parse(mine.fixed_at)) / 1000 : Infinity;
  const old = !mine || mine.freshness === "silent" || mine.freshness === "stale" || seconds > OLD_FIX_S && mine.freshness !== "parked";
  by("fix").classList.toggle("old", old);
  if (!unit) text("fix", "");
  else if (!mine) text("fix", "You are not seen: no position has come.");
  else text("fix", `${old ? "You are not seen: position" : "Position"} ${age(seconds)} old${mine.muted ? ", muted" : ""}`);
}

function drawLost() {
  by("lost").hidden = live.connected;
  document.body.classList.toggle("is-lost", !live.connected);
  text("lost", live.lostAt === null
    ? "NOT LIVE. No connection yet."
    : `NOT LIVE. NO CONNECTION. What you see is of ${clock(live.lostAt, facts.timeZone)}, and may be over.`);
  by("fault").hidden = fault === null;
  text("fault", fault || "");
}

function drawAsk() {
  const call = asked();
  const way = call ? null : going();
  by("asked").hidden = !call;
  by("going").hidden = !way;
  by("nobody").hidden = Boolean(call || way);
  by("ask").classList.toggle("calls", Boolean(call));
  const stop = call || way;
  by("show-way").hidden = !stop;
  if (!stop) { by("way").hidden = true; }
  if (call) {
    text("ask-unit", call.unit_id);
    text("ask-street", place(call));
    text("ask-drive", `${minutes(call.asked.drive_time_s)} by road`);
    text("ask-phase", situation(call));
    text("ask-why", whyMe(call));
    alertOnce(call);
  }
  if (way) {
    const near = way.nearest.find((one) => one.unit_id === unit);
    text("going-unit", way.unit_id);
    text("going-street", place(way));
    text("going-drive", near ? `${minutes(near.drive_time_s)} by road` : "");
    text("going-phase", situation(way));
  }
}

function drawOwn() {
  const stop = own();
  const mine = myUnit();
  let state = mine && mine.status ? `You are shown ${statusWord(mine.status)}.` : "You are shown without a status.";
  if (stop) {
    const there = stop.there.filter((one) => one !== unit);
    state = `${place(stop)}: ${situation(stop)}.`;
    if (there.length) state += ` There: ${there.join(", ")}.`;
  }
  text("own-state", unit ? state : "");
  const coming = stop ? stop.promised.map((one) => {
    const near = stop.nearest.find((other) => other.unit_id === one.unit_id);
    return `${helper(one)} is rolling by, ${minutes(near ? near.drive_time_s : one.drive_time_s)} away`;
  }) : [];
  if (stop && stop.asked) coming.push(`${helper(stop.asked)} is asked, ${minutes(stop.asked.drive_time_s)} away`);
  if (stop && !coming.length && stop.short > 0) coming.push("Nobody is on the way.");
  const list = by("own-coming");
  if (list.dataset.shown !== coming.join("|")) {
    list.dataset.shown = coming.join("|");
    list.replaceChildren(...coming.map((words) => Object.assign(document.createElement("li"), { textContent: words })));
  }
  for (const button of document.querySelectorAll("[data-word]")) {
    const word = button.dataset.word;
    button.hidden = (word === "on_stop") === Boolean(stop);
    button.setAttribute("aria-pressed", String(Boolean(stop) && stop.phase === word));
  }
}

function drawSaid() {
  const now = Date.now();
  said = said.filter((one) => one.until > now);
  const rows = [
    ...outbox.waiting.map((one) => ({ words: `${one.label}: waits to be sent`, kind: "waits" })),
    ...said.map((one) => ({ words: `${one.label}: sent`, undo: one })),
  ];
  const box = by("said");
  const shown = rows.map((one) => one.words).join("|");
  if (box.dataset.shown !== shown) {
    box.dataset.shown = shown;
    box.replaceChildren(...rows.map(saidRow));
  }
  for (const button of box.querySelectorAll("button")) {
    button.textContent = `Undo (${Math.ceil((Number(button.dataset.until) - now) / 1000)} s)`;
  }
}

function saidRow(row) {
  const line = Object.assign(document.createElement("p"), { className: row.kind || "", textContent: row.words });
  if (row.undo) {
    const button = Object.assign(document.createElement("button"), { type: "button", className: "plain" });
    button.dataset.until = row.undo.until;
    button.addEventListener("click", () => takeBack(row.undo));
    line.append(" ", button);
  }
  return line;
}

/* ---- sound ---- */

function alertOnce(stop) {
  if (!live.connected || spoken === stop.asked.suggestion_id) return;
  spoken = stop.asked.suggestion_id;
  if (navigator.vibrate) navigator.vibrate([400, 150, 400]);
  if (localStorage.getItem("rollby-voice") === "off" || !window.speechSynthesis) return;
  const words = `Roll by ${stop.unit_id.split("").join(" ")}, ${stop.street || "see map"}, ${minutes(stop.asked.drive_time_s)}.`;
  speechSynthesis.cancel();
  speechSynthesis.speak(new SpeechSynthesisUtterance(words));
}

/* ---- what is said ---- */

const ANSWERS = { en_route: "En route", cant: "Can't", mute: "Mute", arrived: "There" };

function answer(kind) {
  const stop = asked() || going();
  if (!stop) return;
  const suggestion = asked() ? stop.asked : stop.promised.find((one) => one.unit_id === unit);
  fault = null;
  outbox.put(`${ANSWERS[kind]}, ${stop.unit_id}`, "/api/answers", { suggestion_id: suggestion.suggestion_id, answer: kind });
}

function word(button) {
  fault = null;
  outbox.put(button.textContent, "/api/my-stop", { unit_id: unit, word: button.dataset.word });
}

function sent(result) {
  if (result && result.fault) fault = `${result.label}: ${result.fault}`;
  else if (result && result.said) {
    const path = result.path === "/api/answers" ? `/api/answers/${result.body.suggestion_id}` : `/api/my-stop/${result.said.seq}`;
    if (result.said.stands === false) fault = `${result.label}: that was asked of you no more. You are not counted on.`;
    const left = Date.parse(result.said.undo_until) - live.now();
    said.push({ label: result.label, path, until: Date.now() + left });
    refresh();
  }
  draw();
}

async function takeBack(one) {
  said = said.filter((other) => other !== one);
  try {
    await ask(one.path, { method: "DELETE" });
    await refresh();
  } catch (error) {
    fault = `${one.label}: ${error.status ? error.message : "could not be taken back: no connection. Call in."}`;
  }
  draw();
}

/* ---- the way, only when asked for ---- */

async function showWay() {
  const stop = asked() || going();
  if (!stop) return;
  const { drawWay } = await import("./way.js");
  const suggestion = asked() ? stop.asked : stop.promised.find((one) => one.unit_id === unit);
  by("way").hidden = false;
  await drawWay(by("way"), suggestion.suggestion_id, facts);
}

document.addEventListener("click", (event) => {
  const button = event.target.closest("button");
  if (!button || button.disabled) return;
  if (button.dataset.answer) answer(button.dataset.answer);
  else if (button.dataset.word) word(button);
});
by("show-way").addEventListener("click", () => showWay().catch(() => { fault = "The way cannot be had now."; draw(); }));
by("unlock").addEventListener("click", () => { lock = false; draw(); });
signOutBy(by("out"), (error) => { fault = error.status ? error.message : "Not signed out: no connection."; draw(); });
by("units").addEventListener("change", (event) => {
  unit = event.target.value || null;
  if (unit) write("unit", name, unit);
  draw();
});
by("sound").addEventListener("click", () => {
  const off = localStorage.getItem("rollby-voice") !== "off";
  localStorage.setItem("rollby-voice", off ? "off" : "on");
  by("sound").setAttribute("aria-pressed", String(!off));
});
by("sound").setAttribute("aria-pressed", String(localStorage.getItem("rollby-voice") !== "off"));
by("theme").addEventListener("click", () => {
  const dark = document.documentElement.classList.toggle("dark");
  localStorage.setItem("rollby-theme", dark ? "dark" : "light");
  text("theme", dark ? "Day" : "Night");
});
text("theme", document.documentElement.classList.contains("dark") ? "Day" : "Night");
begin();
