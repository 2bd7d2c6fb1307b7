/* rollby: what comes by each door, and how loud it is for whoever sits here. */
import { by, element, fill, text } from "./dom.js";
import { age } from "./words.js";

const WINDOW_MS = 300000;
const QUIET_S = 180;
const OLD_MS = 20000;
const DOORS = {
  osmand: "OsmAnd and Traccar, by HTTP", owntracks: "OwnTracks, by HTTP", geojson: "GeoJSON, by HTTP",
  cad: "CAD: stops and statuses", officer: "Officers' answers", desk: "Decisions of dispatch", simulation: "The simulated shift",
};
const OWN = new Set(["officer", "desk", "service"]);  // nothing is wrong with people who are silent

export class Feeds {
  constructor(live) {
    this.live = live;
    this.health = null;
    this.heard = 0;
    this.before = [];  // refusals a while ago
    this.faulty = 0;
  }

  heardOf(health) {
    this.health = health;
    this.heard = performance.now();
    this.before.push([this.heard, Object.fromEntries(Object.entries(health.doors).map(([name, one]) => [name, one.refused || 0]))]);
    while (this.before.length > 1 && this.before[1][0] < this.heard - WINDOW_MS) this.before.shift();
    this.draw();
  }

  draw() {
    const { doors, listening, heard_at: heardAt } = this.health;
    const names = [...new Set([...Object.keys(listening), ...Object.keys(doors)])].filter((name) => name !== "service").sort();
    this.faulty = 0;
    fill(by("doors"), names, () => {
      const item = document.createElement("li");
      const what = element("div", "what", element("div", "entry", item));
      for (const [name, css] of [["b", "who"], ["span", "state"], ["span", "quiet last"], ["span", "quiet counts"]]) element(name, css, what);
      return item;
    }, (item) => {
      const name = item.dataset.name, open = listening[name], counts = doors[name] || {};
      const late = refusedOfLate(this.before, name, counts.refused || 0);
      const last = heardAt[name] ? (Date.parse(this.health.at) - Date.parse(heardAt[name])) / 1000 : null;
      const faults = [];
      if (open && !open.up) faults.push(`FAILS: ${open.error || "does not listen"}`);
      if (late) faults.push(`REFUSES: ${late} in the last minutes`);
      if (open && open.dropped) faults.push(`${open.dropped} came too fast and were dropped`);
      if (last !== null && last > QUIET_S && !OWN.has(name)) faults.push("QUIET");
      if (faults.length) this.faulty++;
      text(item.querySelector(".who"), `${DOORS[name] || name} `);
      text(item.querySelector(".state"), faults.join(". ") || (last === null ? "nothing yet" : "well"));
      item.querySelector(".state").className = faults.length ? "state due" : "state";
      text(item.querySelector(".last"), last === null ? "no message since the service began" : `last message ${age(last)} ago`);
      text(item.querySelector(".counts"), `${counts.accepted || 0} accepted, ${counts.refused || 0} refused${counts.duplicate ? `, ${counts.duplicate} twice` : ""}${counts.late ? `, ${counts.late} late` : ""}`);
    });
    this.drawLoad();
  }

  drawLoad() {
    const { sounds_last_hour: made, sounds_per_hour_target: target, sounds_per_hour_max: most } = this.health;
    const word = made >= most ? "AT THE CAP: more make no sound, the list stays whole" : made > target ? "over the target" : "within the target";
    text(by("load"), `${made} ${made === 1 ? "sound" : "sounds"} in the last hour: ${word}. Target ${target}, at most ${most}.`);
    by("load").classList.toggle("due", made > target);
    const bar = by("load-bar");
    bar.max = Math.max(most, 1);
    bar.value = Math.min(made, bar.max);
    bar.high = target;
    bar.optimum = 0;
  }

  /* For the head of the page: nothing, unless something is wrong. */
  short() {
    if (!this.faulty) return "";
    return this.faulty === 1 ? "; LOOK AT 1 FEED" : `; LOOK AT ${this.faulty} FEEDS`;
  }

  tick() {
    const old = this.health && performance.now() - this.heard > OLD_MS;
    by("feeds").classList.toggle("is-old", Boolean(old));
  }
}

function refusedOfLate(before, name, now) {
  return before.length ? Math.max(0, now - (before[0][1][name] || 0)) : 0;
}
