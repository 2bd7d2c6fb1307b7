/* rollby: the service as a page sees it: who I am, the live picture, what waits to be sent. */

export class Refused extends Error {
  constructor(status, detail) {
    super(detail);
    this.status = status;
  }
}

/* A request; throws Refused where the service says no, and TypeError where it is not reached. */
export async function ask(path, { method = "GET", body, headers = {} } = {}) {
  const told = { ...headers };
  if (body !== undefined) told["Content-Type"] = "application/json";
  if (method !== "GET" && csrf) told["X-Rollby-CSRF"] = csrf;
  const answer = await fetch(path, {
    method, headers: told, body: body === undefined ? undefined : JSON.stringify(body),
    cache: "no-store", signal: AbortSignal.timeout(10000),
  });
  const text = await answer.text();
  let said = null;
  try { said = text ? JSON.parse(text) : null; } catch { said = { detail: text.slice(0, 200) }; }
  if (!answer.ok) throw new Refused(answer.status, said && (said.detail || said.title) || answer.statusText);
  return said;
}

let csrf = "";
const rate = Number(document.body.dataset.rate) || 1;  // a demonstration's time runs faster

/* Who I am; leads to the sign-in where nobody is signed in. */
export async function whoAmI() {
  try {
    const me = await ask("/api/me");
    csrf = me.csrf || "";
    return me;
  } catch (error) {
    if (error.status === 401) toSignIn();
    throw error;
  }
}

export function toSignIn() {
  location.assign(`/sign-in?next=${encodeURIComponent(location.pathname)}`);
}

/* The live picture, kept up to date; `told` is called after each change with the event's name. */
export class Live {
  constructor(told) {
    this.told = told;
    this.at = null;
    this.stops = [];
    this.units = [];
    this.connected = false;
    this.heard = 0;
    this.lostAt = null;
    this.source = null;
  }

  start() {
    this.open();
    setInterval(() => this.check(), 5000);
    addEventListener("online", () => this.check());
    addEventListener("offline", () => this.lose());
  }

  open() {
    if (this.source) this.source.close();
    const source = this.source = new EventSource("/api/stream");
    const hear = (event) => {
      const said = JSON.parse(event.data);
      if (said.at) this.at = Date.parse(said.at);
      this.heard = performance.now();
      return said;
    };
    source.addEventListener("live", (event) => {
      const said = hear(event);
      this.stops = said.stops;
      this.units = said.units;
      this.connected = true;
      this.told("live", said);
    });
    source.addEventListener("stops", (event) => { this.stops = hear(event).stops; this.told("stops"); });
    /* Only those that have changed: the others stay as they were. */
    source.addEventListener("units", (event) => {
      const units = new Map(this.units.map((one) => [one.unit_id, one]));
      for (const one of hear(event).units) units.set(one.unit_id, one);
      this.units = [...units.values()];
      this.told("units");
    });
    for (const name of ["suggested", "withdrawn", "flagged", "prompted", "escalated", "attended"]) {
      source.addEventListener(name, (event) => this.told(name, JSON.parse(event.data)));
    }
    source.addEventListener("gap", () => this.told("gap"));
    source.onerror = () => this.lose();
  }

  lose() {
    if (!this.connected) return;
    this.connected = false;
    this.lostAt = this.now();
    this.told("lost");
  }

  /* A connection can die without a word: ask, and open the stream again where there is an answer.
     The question is nobody's, so that a page that merely stays open keeps no session alive. */
  async check() {
    try {
      await ask("/healthz");
    } catch {
      this.lose();
      return;
    }
    if (this.connected || this.source.readyState !== EventSource.CLOSED) return;
    await whoAmI();
    this.open();
  }

  /* The service's time now: a device's own clock may be wrong. */
  now() {
    return this.at === null ? Date.now() : this.at + rate * (performance.now() - this.heard);
  }
}

/* What is to be sent: kept through a lost connection and a restart, sent once and in its order. */
const OLDEST_MS = 10 * 60 * 1000;

export class Outbox {
  constructor(name, told) {
    this.name = name;
    this.told = told;
    this.waiting = JSON.parse(localStorage.getItem(name) || "[]");
    this.busy = false;
  }

  put(label, path, body) {
    this.waiting.push({ key: crypto.randomUUID(), label, path, body, at: Date.now() });
    this.keep();
    this.send();
  }

  keep() {
    localStorage.setItem(this.name, JSON.stringify(this.waiting));
    this.told(null);
  }

  async send() {
    if (this.busy) return;
    this.busy = true;
    try {
      while (this.waiting.length) {
        const one = this.waiting[0];
        if (Date.now() - one.at > OLDEST_MS) {
          this.waiting.shift();
          this.keep();
          this.told({ label: one.label, fault: "was not sent: it is over ten minutes old. Call in." });
          continue;
        }
        let said;
        try {
          said = await ask(one.path, { method: "POST", body: one.body, headers: { "Idempotency-Key": one.key } });
        } catch (error) {
          if (!(error instanceof Refused) || error.status === 503) return;
          if (error.status === 401) { toSignIn(); return; }
          this.waiting.shift();
          this.keep();
          this.told({ label: one.label, fault: error.message });
          continue;
        }
        this.waiting.shift();
        this.keep();
        this.told({ label: one.label, path: one.path, body: one.body, said });
      }
    } finally {
      this.busy = false;
    }
  }
}
