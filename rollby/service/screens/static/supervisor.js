/* rollby: the supervisor's page, and the wallboard's: the live map, who is alone, what was said. */
import { signOutBy } from "./api.js";
import { Coverage } from "./coverage.js";
import { by, entry, fill, text } from "./dom.js";
import { Feeds } from "./feeds.js";
import { Live } from "./live.js";
import { showUnit, showWhy } from "./why.js";
import { PHASES, age, clock, helper, minutes, speed, statusWord, timer } from "./words.js";

const facts = document.body.dataset;
const MOST_SAID = 60;
const FLAGS = { alone: "ALONE", thin: "THIN", covered: "COVERED" };
const FIXES = { fresh: "position", parked: "parked; position", silent: "SILENT: last position", stale: "STALE: last position" };

const waiting = [];
let acts = false;  // a wallboard looks and does nothing else
const live = new Live(changed);
const coverage = new Coverage(live);
const feeds = by("feeds") && new Feeds(live);

function begin() {
  live.start();
  setInterval(tick, 1000);
  tick();
}

/* However much comes, a frame draws it once. */
const due = new Set();

function soon(what) {
  if (!due.size) requestAnimationFrame(drawDue);
  due.add(what);
}

function drawDue() {
  const now = new Set(due);
  due.clear();
  if (now.has("units") || now.has("stops")) rollby.live.show(live.units, live.stops);
  if (now.has("stops")) drawStops();
  if (now.has("units")) drawUnits();
  tick();
}

function changed(name, body) {
  if (name === "coverage") coverage.heardOf(body);
  else if (name === "health") { if (feeds) feeds.heardOf(body); }
  else if (name === "me") acts = live.me.role === "supervisor" && !document.body.classList.contains("wallboard");
  else if (name === "gap") say(live.now(), "Too much was missed to be listed here.");
  else if (name === "live" || name === "stops" || name === "units") {
    if (name !== "units") {
      for (const one of waiting.splice(0)) say(Date.parse(one.at), words(one));
      soon("stops");
    }
    if (name !== "stops") soon("units");
  }
  /* A stop is often said of before the picture has it: a second later its officer can be named. */
  else if (body && body.stop_id && live.stops.every((one) => one.stop_id !== body.stop_id) && waiting.length < MOST_SAID) waiting.push(body);
  else if (body && body.stop_id) say(Date.parse(body.at), words(body));
  if (name === "lost" || name === "live") tick();  // at once, whatever the browser thinks of frames
  else soon("time");
}

/* ---- stops ---- */

function place(stop) {
  return stop.street || (stop.lon === null ? "place unknown" : `${stop.lat.toFixed(5)}, ${stop.lon.toFixed(5)}`);
}

function backup(stop) {
  if (stop.there.length) return `There: ${stop.there.join(", ")}`;
  if (stop.promised.length) return `Coming: ${stop.promised.map((one) => `${helper(one)}, ${minutes(one.drive_time_s)}`).join("; ")}`;
  if (stop.asked) return `Asked${stop.asked.picked ? " by dispatch" : ""}: ${helper(stop.asked)}, ${minutes(stop.asked.drive_time_s)} by road`;
  const near = stop.nearest[0];
  return near ? `Nobody asked; nearest ${helper(near)}, ${minutes(near.drive_time_s)}, ${statusWord(near.status)}` : "Nobody can come";
}

/* A stop told by status alone gets another id with its record: its entry stays, and what is open in it. */
function follow(stops) {
  const shown = new Set([...by("stops").children].map((one) => one.dataset.name));
  for (const item of by("stops").children) {
    if (stops.has(item.dataset.name)) continue;
    const heir = live.stops.find((one) => one.unit_id === item.dataset.unit && !shown.has(one.stop_id));
    if (heir) item.dataset.name = heir.stop_id;
  }
}

function drawStops() {
  const stops = new Map(live.stops.map((one) => [one.stop_id, one]));
  follow(stops);
  fill(by("stops"), [...stops.keys()], () => entry([["span", "timer"], ["b", "who"], ["span", "flag"], ["span", "quiet where"], ["span", "go"], ["span", "due"]]), (item) => {
    const stop = stops.get(item.dataset.name);
    item.className = `flag-${stop.flag}`;
    item.dataset.unit = stop.unit_id;
    text(item.parts.who, `${stop.unit_id} `);
    text(item.parts.flag, FLAGS[stop.flag]);
    text(item.parts.where, `${place(stop)}${stop.beat ? `, ${stop.beat}` : ""}, ${PHASES[stop.phase] || stop.phase}${stop.short ? `, ${stop.short} short` : ""}`);
    text(item.parts.go, backup(stop));
    text(item.parts.due, `${stop.alarm ? "ALARM. " : ""}${stop.check_due ? "CHECK ON THIS OFFICER" : ""}`);
  });
  by("no-stops").hidden = stops.size > 0 || live.at === null;
}

/* ---- units ---- */

const ORDER = { silent: 0, stale: 1, fresh: 2, parked: 3 };

function drawUnits() {
  const units = new Map(live.units.map((one) => [one.unit_id, one]));
  const names = [...units.values()]
    .sort((a, b) => ORDER[a.freshness] - ORDER[b.freshness] || (a.unit_id < b.unit_id ? -1 : 1))
    .map((one) => one.unit_id);
  fill(by("units"), names, () => entry([["b", "who"], ["span", "status"], ["span", "quiet fix"]]), (item) => {
    const unit = units.get(item.dataset.name);
    text(item.parts.who, `${helper(unit)} `);
    text(item.parts.status, `${statusWord(unit.status)}${speed(unit, facts.speedUnit)}${unit.muted ? ", muted" : ""}`);
  });
}

/* ---- what passes with time alone ---- */

function tick() {
  const now = live.now();
  text(by("clock"), live.at === null ? "\u2026" : clock(now, facts.timeZone));
  document.body.classList.toggle("is-lost", !live.connected);
  by("lost").hidden = live.connected;
  if (!live.connected) {
    text(by("lost"), live.lostAt === null
      ? "No connection yet: nothing here is live."
      : `NOT LIVE. NO CONNECTION. What you see is of ${clock(live.lostAt, facts.timeZone)}, and may be over.`);
  }
  const stops = new Map(live.stops.map((one) => [one.stop_id, one]));
  for (const item of by("stops").children) {
    const stop = stops.get(item.dataset.name);
    if (stop) text(item.parts.timer, timer((now - Date.parse(stop.began_at)) / 1000));
  }
  const units = new Map(live.units.map((one) => [one.unit_id, one]));
  for (const item of by("units").children) {
    const unit = units.get(item.dataset.name);
    if (!unit) continue;
    const fix = item.parts.fix;
    text(fix, `${FIXES[unit.freshness]} ${age(Math.max(0, (now - Date.parse(unit.fixed_at)) / 1000))} old`);
    fix.classList.toggle("old", unit.freshness === "silent" || unit.freshness === "stale");
  }
  const alone = live.stops.filter((one) => one.flag === "alone").length;
  const silent = live.units.filter((one) => one.freshness === "silent" || one.freshness === "stale").length;
  coverage.tick();
  if (feeds) feeds.tick();
  text(by("summary"), live.at === null ? "" : `${live.stops.length} stops, ${alone} alone; ${live.units.length} units, ${silent} silent or stale${feeds ? feeds.short() : ""}`);
}

/* ---- what was said ---- */

function who(stopId) {
  const stop = live.stops.find((one) => one.stop_id === stopId);
  return stop ? stop.unit_id : `stop ${stopId}`;
}

function words(said) {
  const at = who(said.stop_id);
  switch (said.kind) {
    case "suggested": return `${said.unit_id} is asked to roll by ${at}, ${minutes(said.drive_time_s)} by road`;
    case "withdrawn": return `${said.unit_id} is asked no more about ${at}: ${said.why}`;
    case "flagged": return `${at}: ${FLAGS[said.flag]}`;
    case "prompted": return `CHECK on ${at}, for the ${said.count}. time`;
    case "escalated": return `ESCALATED, ${at}: ${said.why}`;
    case "attended": return `${said.unit_id} ${said.arrived ? "is with" : "has left"} ${at}`;
    default: return said.kind;
  }
}

function say(at, sentence) {
  const item = document.createElement("li");
  const time = document.createElement("time");
  time.textContent = clock(at, facts.timeZone);
  item.append(time, sentence);
  by("said").prepend(item);
  while (by("said").children.length > MOST_SAID) by("said").lastChild.remove();
}

/* ---- what is pressed ---- */

function goTo(one) {
  if (one && one.lon !== null) rollby.live.goTo(one.lat, one.lon);
}

by("stops").addEventListener("click", (event) => {
  const item = event.target.closest("button.entry") && event.target.closest("li");
  const now = () => live.stops.find((one) => one.stop_id === item.dataset.name);
  if (!item || !now()) return;
  goTo(now());
  if (acts) showWhy(item, now);
});
by("units").addEventListener("click", (event) => {
  const item = event.target.closest("button.entry") && event.target.closest("li");
  const unit = item && live.units.find((one) => one.unit_id === item.dataset.name);
  if (!unit) return;
  goTo(unit);
  if (acts) showUnit(item, unit);
});
rollby.live.onStop = (stopId) => {
  const item = [...by("stops").children].find((one) => one.dataset.name === stopId);
  if (item) item.querySelector("button").focus();
};
if (by("out")) signOutBy(by("out"), () => text(by("out"), "Not signed out"));
by("theme").addEventListener("click", () => {
  const theme = rollby.isDark() ? "light" : "dark";
  localStorage.setItem("rollby-theme", theme);
  rollby.setTheme(theme);
});
rollby.onTheme(() => text(by("theme"), rollby.isDark() ? "Day" : "Night"));
text(by("theme"), rollby.isDark() ? "Day" : "Night");
begin();
