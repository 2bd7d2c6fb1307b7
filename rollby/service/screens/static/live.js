/* rollby: the live picture, kept up to date, and whether it is live at all. */
import { whoAmI } from "./api.js";

const LOOK_MS = 500;
const RETRY_MS = 2000;
const OPENING_MS = 30000;  // a whole picture over a slow line
const BEATS = 3;           // that may be missed
const rate = Number(document.body.dataset.rate) || 1;  // a demonstration's time runs faster
const FIGURES = ["coverage", "health"];
const SAID = ["suggested", "withdrawn", "flagged", "prompted", "escalated", "attended"];

/* `told` is called with the event's name after each change, with "me" and who is signed in before
   the first, and with "lost" when nothing is heard any more. */
export class Live {
  constructor(told) {
    this.told = told;
    this.me = null;
    this.at = null;
    this.stops = [];
    this.units = [];
    this.connected = false;
    this.lostAt = null;
    this.source = null;
    this.asking = false;
    this.number = null;
    this.patience = 15000;
    this.hear(null);
    this.retryAt = 0;
  }

  start() {
    this.open();
    setInterval(() => this.check(), LOOK_MS);
    addEventListener("online", () => { this.retryAt = 0; this.check(); });
    addEventListener("offline", () => this.lose());
  }

  /* What was last known, of an earlier visit: shown until something newer comes. */
  remember({ at, kept, stops, units }) {
    Object.assign(this, { at, stops, units, lostAt: at });
    this.heardWall = Math.min(kept, Date.now());
  }

  hear(body) {
    if (body && body.at) this.at = Date.parse(body.at);
    this.heard = performance.now();
    this.heardWall = Date.now();
    return body;
  }

  /* Milliseconds since something was heard. A device that slept may have stopped the one clock, and
     somebody may have put back the other. */
  silence() {
    return Math.max(performance.now() - this.heard, Date.now() - this.heardWall);
  }

  /* The service's time now: a device's own clock may be wrong. */
  now() {
    return this.at === null ? Date.now() : this.at + rate * this.silence();
  }

  /* A line can die without a word, and the browser tells a page nothing of it: the service's beat
     does. Whatever is wrong, it is begun again from the beginning, until it is right. */
  check() {
    if (this.connected && this.silence() > this.patience) this.lose();
    if (!this.connected && performance.now() >= this.retryAt) this.open();
  }

  lose() {
    this.close();
    this.retryAt = performance.now() + RETRY_MS * (0.5 + Math.random());
    if (!this.connected) return;
    this.connected = false;
    this.lostAt = this.at;
    this.told("lost");
  }

  close() {
    if (this.source) this.source.close();
    this.source = null;
  }

  async open() {
    if (this.asking) return;
    this.asking = true;
    this.close();
    try {
      const me = await whoAmI();
      if (this.me && this.me.name !== me.name) location.reload();
      this.me = me;
      this.told("me");
      this.follow();
      this.retryAt = performance.now() + OPENING_MS;
    } catch {
      this.lose();
    } finally {
      this.asking = false;
    }
  }

  follow() {
    const since = this.number === null ? "" : `?after=${this.number}`;
    const source = this.source = new EventSource(`/api/stream${since}`);
    const on = (name, act) => source.addEventListener(name, (event) => {
      if (source !== this.source) return;
      if (event.lastEventId) this.number = event.lastEventId;
      const body = JSON.parse(event.data);
      act(body);
      this.told(name, body);
    });
    on("live", (body) => {
      this.hear(body);
      Object.assign(this, { stops: body.stops, units: body.units, connected: true });
    });
    on("stops", (body) => { this.stops = this.hear(body).stops; });
    /* Only those that have changed: the others stay as they were. */
    on("units", (body) => {
      const units = new Map(this.units.map((one) => [one.unit_id, one]));
      for (const one of this.hear(body).units) units.set(one.unit_id, one);
      this.units = [...units.values()];
    });
    on("beat", (body) => { this.patience = BEATS * 1000 * this.hear(body).every_s; });
    for (const name of [...SAID, ...FIGURES, "gap"]) on(name, () => {});
    source.onerror = () => { if (source === this.source) this.lose(); };
  }
}
