/* rollby: coverage now, by beat and on the map; and what if units stood elsewhere. The thought is never
   shown as the truth: it has its own frame, its own signs, and ends by itself. */
import { ask } from "./api.js";
import { by, element, fill, text } from "./dom.js";
import { clock, timer } from "./words.js";

const facts = document.body.dataset;
const OLD_MS = 20000;
const LASTS_MS = 60000;
const DROP_MS = 300;
const AGAIN_MS = 300;  // between two thoughts while one is dragged

export class Coverage {
  constructor(live) {
    this.live = live;
    this.shares = null;
    this.heard = 0;
    this.moves = new Map();
    this.answer = null;
    this.until = null;
    this.asking = false;
    this.due = false;
    this.refused = null;
    rollby.live.onThought = (name, lat, lon) => this.think(name, lat, lon);
    rollby.map.on("click", (event) => {
      const name = this.thinking && by("what-if-unit").value;
      if (name && performance.now() - rollby.live.droppedAt > DROP_MS) rollby.live.putGhost(name, event.latlng.lat, event.latlng.lng);
    });
    by("cover-car").addEventListener("change", () => this.drawLines());
    by("what-if").addEventListener("click", () => this.thinking ? this.end() : this.begin());
    by("what-if-end").addEventListener("click", () => this.end());
    by("what-if-put").addEventListener("click", () => this.putInTheMiddle());
    document.addEventListener("keydown", (event) => { if (event.key === "Escape" && this.thinking) this.end(); });
  }

  get thinking() { return this.until !== null; }

  heardOf(shares) {
    this.shares = shares;
    this.heard = performance.now();
    this.draw();
    if (!this.thinking) this.drawLines();
  }

  /* ---- in figures ---- */

  draw() {
    if (!this.shares) return;
    const now = this.answer ? this.answer.now : this.shares, then = this.answer && this.answer.then;
    const named = (shares) => [{ beat: now.beats.length ? "All beats and between" : "The whole area", within_s: shares.within_s, ...shares.all }, ...shares.beats];
    const rows = named(now), thought = then ? named(then) : [];
    fill(by("cover-rows"), rows.map((one, i) => `${i}:${one.beat}`), () => {
      const row = document.createElement("tr");
      element("th", "", row).scope = "row";
      for (const css of ["figure first", "figure second"]) element("td", css, row);
      return row;
    }, (row, i) => {
      const head = row.querySelector("th");
      text(head, `${rows[i].beat}, within ${timer(rows[i].within_s)}`);
      for (const car of ["first", "second"]) drawShare(row.querySelector(`.${car}`), rows[i][car], thought[i] && thought[i][car]);
    });
    text(by("cover-at"), then
      ? `WHAT IF, reckoned from ${clock(Date.parse(this.answer.at), facts.timeZone)}: share of road reached in time, now \u2192 then. Nobody has moved.`
      : `Share of road reached in time from where units stand, ${now.idle} of them idle, at ${clock(Date.parse(now.at), facts.timeZone)}`);
    document.body.classList.toggle("has-thought", Boolean(then));
  }

  /* ---- on the map ---- */

  async drawLines() {
    const car = by("cover-car").value;
    by("cover-key").hidden = !car;
    if (!car) { rollby.live.bands(null); return; }
    if (this.thinking) { this.due = true; this.work(); return; }
    try {
      const lines = await ask(`/api/coverage/lines?car=${car}`);
      if (!this.thinking && by("cover-car").value === car) rollby.live.bands(lines.codes);
    } catch {
      if (!this.thinking) rollby.live.bands(null);  // nothing old on the map
    }
  }

  /* ---- what if ---- */

  begin() {
    this.until = performance.now() + LASTS_MS;
    rollby.live.think(true);
    const select = by("what-if-unit");
    const names = this.live.units.filter((one) => one.lon !== null).map((one) => one.unit_id).sort();
    select.replaceChildren(new Option("choose a unit", ""), ...names.map((name) => new Option(name, name)));
    this.show();
    select.focus();
  }

  end() {
    if (!this.thinking) return;
    const within = by("what-if-box").contains(document.activeElement) || document.activeElement === by("what-if-end");
    this.until = null;
    this.moves.clear();
    this.answer = this.refused = null;
    rollby.live.think(false);
    this.show();
    this.draw();
    this.drawLines();
    if (within) by("what-if").focus();
  }

  show() {
    document.body.classList.toggle("is-what-if", this.thinking);
    by("what-if-box").hidden = by("what-if-banner").hidden = !this.thinking;
    by("what-if").setAttribute("aria-expanded", String(this.thinking));
    this.tick();
  }

  putInTheMiddle() {
    const name = by("what-if-unit").value, middle = rollby.map.getCenter();
    if (!name) { by("what-if-unit").focus(); return; }
    rollby.live.putGhost(name, middle.lat, middle.lng);
    document.querySelector(`[data-ghost="${CSS.escape(name)}"]`).focus();
  }

  think(name, lat, lon) {
    by("what-if-unit").value = name;  // what is clicked or pressed next is about this one
    this.moves.set(name, { unit_id: name, lat, lon });
    this.until = performance.now() + LASTS_MS;
    this.due = true;
    this.work();
  }

  async work() {
    if (this.asking || !this.moves.size) return;
    this.asking = true;
    while (this.due && this.thinking) {
      this.due = false;
      const lines = by("cover-car").value || null;
      try {
        const answer = await ask("/api/coverage/what-if", { method: "POST", body: { moves: [...this.moves.values()], lines } });
        if (!this.thinking) break;
        this.answer = answer;
        this.refused = null;
        if (answer.codes && by("cover-car").value === lines) rollby.live.bands(answer.codes);
        this.draw();
      } catch (error) {
        this.refused = error.status ? error.message : "The service is not reached.";
      }
      this.said();
      await new Promise((go) => setTimeout(go, AGAIN_MS));
    }
    this.asking = false;
  }

  said() {
    if (this.refused || !this.answer) { text(by("what-if-said"), this.refused || ""); return; }
    const { now, then, moves } = this.answer;
    const idle = moves.filter((one) => one.idle).map((one) => one.unit_id);
    const busy = moves.filter((one) => !one.idle).map((one) => one.unit_id);
    const parts = [];
    if (idle.length) parts.push(`With ${idle.join(", ")} there, a second car could be on ${percent(then.all.second)} of the road within ${timer(then.within_s)}; it is ${percent(now.all.second)} now.`);
    if (busy.length) parts.push(`${busy.join(", ")}: not idle, and covers nothing anywhere.`);
    text(by("what-if-said"), parts.join(" "));
  }

  tick() {
    const old = this.shares && performance.now() - this.heard > OLD_MS;
    by("cover").classList.toggle("is-old", Boolean(old));
    if (old && !this.thinking) text(by("cover-at"), `OLD: of ${clock(Date.parse(this.shares.at), facts.timeZone)}`);
    if (!this.thinking) return;
    const left = Math.ceil((this.until - performance.now()) / 1000);
    text(by("what-if-left"), `ends in ${Math.max(0, left)} s`);
    if (left <= 0 || !this.live.connected) this.end();
  }
}

/* Never better than it is: 99.9 % of the road is not all of it. */
function percent(share) {
  return share === null ? "\u2013" : `${Math.floor(share * 100 + 1e-9)} %`;
}

function drawShare(cell, now, then) {
  const same = then === undefined || then === null;
  text(cell, same ? percent(now) : `${percent(now)} \u2192 ${percent(then)}`);
  cell.classList.toggle("better", !same && then > now + 0.0005);
  cell.classList.toggle("worse", !same && then < now - 0.0005);
}
