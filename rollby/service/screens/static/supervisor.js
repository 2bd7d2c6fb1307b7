/* rollby: the supervisor's page, and the wallboard's: the live map, who is alone, what was said. */
import { ask } from "./api.js";
import { Live } from "./live.js";
import { PHASES, STATUSES, age, clock, minutes } from "./words.js";

const facts = document.body.dataset;
const by = (id) => document.getElementById(id);
const MOST_SAID = 60;
const FLAGS = { alone: "ALONE", thin: "THIN", covered: "COVERED" };
const FIXES = { fresh: "position", parked: "parked; position", silent: "SILENT: last position", stale: "STALE: last position" };

const waiting = [];
let acts = false;  // a wallboard looks and does nothing else
const live = new Live(changed);

function begin() {
  live.start();
  setInterval(tick, 1000);
  tick();
}

function changed(name, body) {
  if (name === "me") acts = live.me.role === "supervisor" && !document.body.classList.contains("wallboard");
  if (name === "me" || name === "beat" || name === "lost") tick();
  else if (name === "live" || name === "units" || name === "stops") {
    rollby.live.show(live.units, live.stops);
    for (const one of waiting.splice(0)) say(Date.parse(one.at), words(one));
    drawStops();
    drawUnits();
  } else if (name === "gap") say(live.now(), "Too much was missed to be listed here.");
  /* A stop is often said of before the picture has it: a second later its officer can be named. */
  else if (body && live.stops.every((one) => one.stop_id !== body.stop_id) && waiting.length < MOST_SAID) waiting.push(body);
  else if (body) say(Date.parse(body.at), words(body));
  tick();
}

/* ---- a list that keeps its elements, so that focus and scrolling stay where they are ---- */

function text(element, words) {
  if (element.textContent !== words) element.textContent = words;
}

function fill(list, names, make, draw) {
  const known = new Map([...list.children].map((one) => [one.dataset.name, one]));
  names.forEach((name, row) => {
    let one = known.get(name);
    if (!one) {
      one = make(name);
      one.dataset.name = name;
    }
    known.delete(name);
    if (list.children[row] !== one) list.insertBefore(one, list.children[row] || null);
    draw(one, row);
  });
  for (const gone of known.values()) gone.remove();
}

function element(name, css, parent) {
  const one = document.createElement(name);
  one.className = css;
  if (parent) parent.append(one);
  return one;
}

function entry(parts) {
  const item = document.createElement("li");
  const button = element("button", "entry", item);
  button.type = "button";
  const what = element("span", "what", button);
  for (const [name, css] of parts) element(name, css, what);
  return item;
}

/* ---- stops ---- */

function place(stop) {
  return stop.street || (stop.lon === null ? "place unknown" : `${stop.lat.toFixed(5)}, ${stop.lon.toFixed(5)}`);
}

function backup(stop) {
  if (stop.there.length) return `There: ${stop.there.join(", ")}`;
  if (stop.promised.length) return `Coming: ${stop.promised.map((one) => `${one.unit_id}, ${minutes(one.drive_time_s)}`).join("; ")}`;
  if (stop.asked) return `Asked: ${stop.asked.unit_id}, ${minutes(stop.asked.drive_time_s)} by road`;
  const near = stop.nearest[0];
  return near ? `Nobody asked; nearest ${near.unit_id}, ${minutes(near.drive_time_s)}, ${STATUSES[near.status]}` : "Nobody can come";
}

function drawStops() {
  const stops = new Map(live.stops.map((one) => [one.stop_id, one]));
  fill(by("stops"), [...stops.keys()], () => entry([["span", "timer"], ["b", "who"], ["span", "flag"], ["span", "quiet where"], ["span", "go"], ["span", "due"]]), (item) => {
    const stop = stops.get(item.dataset.name);
    item.className = `flag-${stop.flag}`;
    text(item.querySelector(".who"), `${stop.unit_id} `);
    text(item.querySelector(".flag"), FLAGS[stop.flag]);
    text(item.querySelector(".where"), `${place(stop)}, ${PHASES[stop.phase] || stop.phase}${stop.short ? `, ${stop.short} short` : ""}`);
    text(item.querySelector(".go"), backup(stop));
    text(item.querySelector(".due"), `${stop.alarm ? "ALARM. " : ""}${stop.check_due ? "CHECK ON THIS OFFICER" : ""}`);
  });
  by("stops").classList.toggle("none", !stops.size);
}

/* ---- units ---- */

const ORDER = { silent: 0, stale: 1, fresh: 2, parked: 3 };

function drawUnits() {
  const units = new Map(live.units.map((one) => [one.unit_id, one]));
  const names = [...units.values()]
    .sort((a, b) => ORDER[a.freshness] - ORDER[b.freshness] || a.unit_id.localeCompare(b.unit_id))
    .map((one) => one.unit_id);
  fill(by("units"), names, () => entry([["b", "who"], ["span", "status"], ["span", "quiet fix"]]), (item) => {
    const unit = units.get(item.dataset.name);
    text(item.querySelector(".who"), `${unit.unit_id} `);
    text(item.querySelector(".status"), `${STATUSES[unit.status] || "no status"}${unit.muted ? ", muted" : ""}`);
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
    if (stop) text(item.querySelector(".timer"), timer((now - Date.parse(stop.began_at)) / 1000));
  }
  const units = new Map(live.units.map((one) => [one.unit_id, one]));
  for (const item of by("units").children) {
    const unit = units.get(item.dataset.name);
    if (!unit) continue;
    const fix = item.querySelector(".fix");
    text(fix, `${FIXES[unit.freshness]} ${age((now - Date.parse(unit.fixed_at)) / 1000)} old`);
    fix.classList.toggle("old", unit.freshness === "silent" || unit.freshness === "stale");
  }
  const alone = live.stops.filter((one) => one.flag === "alone").length;
  const silent = live.units.filter((one) => one.freshness === "silent" || one.freshness === "stale").length;
  text(by("summary"), live.at === null ? "" : `${live.stops.length} stops, ${alone} alone; ${live.units.length} units, ${silent} silent or stale`);
}

function timer(seconds) {
  const whole = Math.max(0, Math.floor(seconds));
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, "0")}`;
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

/* ---- why, and what a dispatcher may do about it ---- */

async function showWhy(item, stop) {
  const open = item.querySelector(".why");
  item.querySelector("button.entry").setAttribute("aria-expanded", String(!open));
  if (open) { open.remove(); return; }
  const box = element("div", "why", item);
  text(box, "Working it out\u2026");
  try {
    const why = await ask(`/api/why/${encodeURIComponent(stop.stop_id)}`);
    box.replaceChildren(table(why), ...reasons(why), ...actions(stop));
  } catch (error) {
    text(box, error.status ? error.message : "Cannot be had now: the service is not reached.");
  }
}

function table(why) {
  const all = element("table", "");
  element("caption", "", all).textContent = `Who could come, at ${clock(Date.parse(why.at), facts.timeZone)}`;
  const score = new Map([why.suggestion, why.suggestion && why.suggestion.runner_up].filter(Boolean).map((one) => [one.unit_id, one.score]));
  const head = element("tr", "", element("thead", "", all));
  for (const name of ["Unit", "By road", "With its fix's age", "In time", "Score"]) {
    const cell = element("th", "", head);
    cell.scope = "col";
    cell.textContent = name;
  }
  const body = element("tbody", "", all);
  for (const near of why.nearest) {
    const row = element("tr", "", body);
    const name = element("th", "", row);
    name.scope = "row";
    name.textContent = near.unit_id;
    element("span", "quiet", name).textContent = `${STATUSES[near.status]}, fix ${age(near.fix_age_s)}`;
    const figures = [
      timer(near.drive_time_s), near.t_hi_s === null ? "unknown" : `${timer(near.t_lo_s)} to ${timer(near.t_hi_s)}`,
      `${Math.round(near.probability * 100)} %`, score.has(near.unit_id) ? score.get(near.unit_id).toFixed(2) : "",
    ];
    for (const figure of figures) element("td", "figure", row).textContent = figure;
  }
  return all;
}

function reasons(why) {
  const list = document.createElement("ul");
  list.className = "notes";
  const said = why.suggestion
    ? [`Now it would be ${why.suggestion.unit_id}:`, ...why.suggestion.reasons]
    : [why.why_none].filter(Boolean);
  for (const one of [...said, ...why.notes]) element("li", "", list).textContent = one;
  return [list];
}

function actions(stop) {
  const row = document.createElement("p");
  row.className = "acts";
  const add = (act, name) => {
    const button = element("button", "", row);
    button.type = "button";
    button.dataset.act = act;
    button.textContent = name;
  };
  add("check", `I checked on ${stop.unit_id}`);
  if (stop.asked) {
    const label = document.createElement("label");
    label.textContent = "Reason ";
    const reason = element("input", "reason", label);
    reason.maxLength = 200;
    row.append(label);
    add("cant", `Ask somebody else than ${stop.asked.unit_id}`);
    add("mute", `Ask ${stop.asked.unit_id} nothing for ${facts.muteMin} min`);
    row.dataset.suggestion = stop.asked.suggestion_id;
  }
  return [row];
}

async function doNow(act, item, stop) {
  const row = item.querySelector(".acts"), reason = row.querySelector(".reason");
  if (!stop) return;
  if (act !== "check" && !reason.value.trim()) {
    reason.setAttribute("aria-invalid", "true");
    reason.placeholder = "say why: it is kept";
    reason.focus();
    return;
  }
  try {
    if (act === "check") await ask(`/api/stops/${encodeURIComponent(stop.stop_id)}/check`, { method: "POST" });
    else await ask("/api/answers", { method: "POST", body: { suggestion_id: row.dataset.suggestion, answer: act, reason: reason.value.trim() } });
    row.textContent = act === "check" ? "Noted: checked." : "Noted; somebody else is asked if there is anybody.";
  } catch (error) {
    element("span", "due", row).textContent = error.status ? error.message : "NOT DONE: the service is not reached.";
  }
}

/* ---- what is pressed ---- */

function goTo(one) {
  if (one && one.lon !== null) rollby.live.goTo(one.lat, one.lon);
}

by("stops").addEventListener("click", (event) => {
  const item = event.target.closest("li");
  if (!item) return;
  const act = event.target.closest("[data-act]");
  const stop = live.stops.find((one) => one.stop_id === item.dataset.name);
  if (act) doNow(act.dataset.act, item, stop);
  else if (event.target.closest("button.entry")) {
    goTo(stop);
    if (acts && stop) showWhy(item, stop);
  }
});
by("units").addEventListener("click", (event) => {
  const item = event.target.closest("li");
  if (item) goTo(live.units.find((one) => one.unit_id === item.dataset.name));
});
rollby.live.onStop = (stopId) => {
  const item = [...by("stops").children].find((one) => one.dataset.name === stopId);
  if (item) item.querySelector("button").focus();
};
by("theme").addEventListener("click", () => {
  const theme = rollby.isDark() ? "light" : "dark";
  localStorage.setItem("rollby-theme", theme);
  rollby.setTheme(theme);
});
rollby.onTheme(() => text(by("theme"), rollby.isDark() ? "Day" : "Night"));
text(by("theme"), rollby.isDark() ? "Day" : "Night");
begin();
