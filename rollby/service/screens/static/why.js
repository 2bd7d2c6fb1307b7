/* rollby: why a stop is as it is, and what a dispatcher may do about it; and about a unit. */
import { ask } from "./api.js";
import { button, element, text } from "./dom.js";
import { age, clock, minutes, statusWord, timer } from "./words.js";

const facts = document.body.dataset;

/* Opens the box of an entry, or closes it; gives it where it is open now. */
function toggled(item) {
  const open = item.querySelector(".why");
  item.querySelector("button.entry").setAttribute("aria-expanded", String(!open));
  if (open) open.remove();
  return open ? null : element("div", "why", item);
}

/* `now` gives the stop as it is: it may have got another id since the box was opened. */
export async function showWhy(item, now) {
  const stop = now();
  const box = toggled(item);
  if (!box) return;
  text(box, "Working it out\u2026");
  try {
    const why = await ask(`/api/why/${encodeURIComponent(stop.stop_id)}`);
    box.replaceChildren(table(why), reasons(why), stopActions(stop, why, now));
  } catch (error) {
    text(box, error.status ? error.message : "Cannot be had now: the service is not reached.");
  }
}

export function showUnit(item, unit) {
  const box = toggled(item);
  if (box) box.append(unitActions(unit));
}

function table(why) {
  const all = element("table", "");
  element("caption", "", all, `Who could come, at ${clock(Date.parse(why.at), facts.timeZone)}`);
  const score = new Map([why.suggestion, why.suggestion && why.suggestion.runner_up].filter(Boolean).map((one) => [one.unit_id, one.score]));
  const head = element("tr", "", element("thead", "", all));
  for (const name of ["Unit", "By road", "With its fix's age", "In time", "Score"]) element("th", "", head, name).scope = "col";
  const body = element("tbody", "", all);
  for (const near of why.nearest) {
    const row = element("tr", "", body);
    const name = element("th", "", row, near.unit_id);
    name.scope = "row";
    element("span", "quiet", name, `${statusWord(near.status)}, fix ${age(near.fix_age_s)}`);
    const figures = [
      timer(near.drive_time_s), near.t_hi_s === null ? "unknown" : `${timer(near.t_lo_s)} to ${timer(near.t_hi_s)}`,
      `${Math.round(near.probability * 100)} %`, score.has(near.unit_id) ? score.get(near.unit_id).toFixed(2) : "",
    ];
    for (const figure of figures) element("td", "figure", row, figure);
  }
  return all;
}

function reasons(why) {
  const list = element("ul", "notes");
  const said = why.suggestion
    ? [`Now it would be ${why.suggestion.unit_id}:`, ...why.suggestion.reasons]
    : [why.why_none].filter(Boolean);
  for (const one of [...said, ...why.notes]) element("li", "", list, one);
  return list;
}

/* ---- what may be done; whatever decides for others wants a reason ---- */

function reasonOf(box) {
  const label = element("label", "", box, "Reason ");
  const reason = element("input", "reason", label);
  reason.maxLength = 200;
  reason.placeholder = "is kept in the audit log";
  return reason;
}

function act(box, words, does, reason = null) {
  button(box, words).addEventListener("click", async () => {
    if (reason && !reason.value.trim()) {
      reason.setAttribute("aria-invalid", "true");
      reason.placeholder = "say why: it is kept";
      reason.focus();
      return;
    }
    const pressed = document.activeElement;
    try {
      const done = await does(reason && reason.value.trim());
      box.textContent = done;
      box.tabIndex = -1;
      if (pressed && !pressed.isConnected) box.focus();
    } catch (error) {
      const fault = box.querySelector(".due") || element("span", "due", box);
      fault.setAttribute("role", "alert");
      text(fault, error.status ? error.message : "NOT DONE: the service is not reached.");
    }
  });
}

function stopActions(stop, why, now) {
  const id = () => (now() || stop).stop_id;
  const box = element("div", "acts");
  box.setAttribute("role", "group");
  box.setAttribute("aria-label", "Decide");
  act(box, `I checked on ${stop.unit_id}`, async () => {
    await ask(`/api/stops/${encodeURIComponent(id())}/check`, { method: "POST" });
    return "Noted: checked.";
  });
  const others = why.askable.filter((one) => !stop.asked || one.unit_id !== stop.asked.unit_id);
  if (!stop.asked && !others.length) return box;
  const reason = reasonOf(box);
  if (others.length) {
    const label = element("label", "", box, "Ask ");
    const choice = element("select", "choice", label);
    for (const one of others) choice.append(new Option(`${one.unit_id}, ${minutes(one.drive_time_s)} by road`, one.unit_id));
    act(box, "Ask this unit", async (words) => {
      await ask("/api/asks", { method: "POST", body: { stop_id: id(), unit_id: choice.value, reason: words } });
      return `Noted; ${choice.value} is asked.`;
    }, reason);
  }
  if (stop.asked) {
    const answer = (kind) => async (words) => {
      await ask("/api/answers", { method: "POST", body: { suggestion_id: stop.asked.suggestion_id, answer: kind, reason: words } });
      return "Noted; somebody else is asked if there is anybody.";
    };
    act(box, `Ask somebody else than ${stop.asked.unit_id}`, answer("cant"), reason);
    act(box, `Ask ${stop.asked.unit_id} nothing for ${facts.muteMin} min`, answer("mute"), reason);
  }
  return box;
}

function unitActions(unit) {
  const box = element("div", "acts");
  box.setAttribute("role", "group");
  box.setAttribute("aria-label", "Decide");
  const reason = reasonOf(box);
  const silence = (on) => async (words) => {
    await ask("/api/silences", { method: "POST", body: { unit_id: unit.unit_id, on, reason: words } });
    return on ? `Noted; ${unit.unit_id} is asked nothing for ${facts.muteMin} min.` : `Noted; ${unit.unit_id} may be asked again.`;
  };
  act(box, unit.muted ? `Let ${unit.unit_id} be asked again` : `Ask ${unit.unit_id} nothing for ${facts.muteMin} min`, silence(!unit.muted), reason);
  return box;
}
