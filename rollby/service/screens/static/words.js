/* rollby: figures and phases as people read them. */

export const PHASES = {
  contact: "first contact", secured: "secured", custody: "custody", awaiting_tow: "waiting for a tow",
};
export const STATUSES = {
  available: "available", dispatched: "dispatched", en_route: "en route", on_scene: "on scene",
  on_stop: "on a stop", busy: "busy", out_of_service: "out of service",
};

export function minutes(seconds) {
  if (seconds === null || seconds === undefined) return "unknown";
  if (seconds < 45) return "under 1 min";
  return `${Math.round(seconds / 60)} min`;
}

/* A unit, and what kind of helper it is where that is not the police. */
export function helper(one) {
  return one.kind && one.kind !== "police" ? `${one.unit_id} (${one.kind})` : one.unit_id;
}

export function age(seconds) {
  if (seconds < 0) return "just now";
  if (seconds < 90) return `${Math.round(seconds)} s`;
  if (seconds < 5400) return `${Math.round(seconds / 60)} min`;
  return `${Math.round(seconds / 3600)} h`;
}

export function clock(instant, zone) {
  return new Date(instant).toLocaleTimeString("en-GB", { timeZone: zone });
}

export function timer(seconds) {
  const whole = Math.max(0, Math.floor(seconds));
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, "0")}`;
}

/* A status in the agency's own code, where it has one for it. */
const codes = JSON.parse(document.body.dataset.statusCodes || "{}");
export function statusWord(status) {
  const word = STATUSES[status] || "no status";
  return codes[status] ? `${word} (${codes[status]})` : word;
}

const KMH = 3.6, MPH = 2.23694;
export function speed(unit, name) {
  if (unit.speed_mps === null || unit.freshness !== "fresh" || unit.speed_mps < 1) return "";
  return `, ${Math.round(unit.speed_mps * (name === "mph" ? MPH : KMH))} ${name}`;
}
