/* rollby: what is to be sent: kept through a lost connection and a restart, sent once, in its order,
   and only as the account that said it. */
import { Refused, ask, renewed, toSignIn } from "./api.js";
import { account, read, write } from "./kept.js";

const OLDEST_MS = 10 * 60 * 1000;

export class Outbox {
  constructor(told) {
    this.told = told;
    this.name = null;
    this.waiting = [];
    this.busy = false;
  }

  /* From now on it is this account's, with what that one left waiting. */
  of(name) {
    this.name = name;
    this.waiting = read("outbox", name) || [];
  }

  put(label, path, body) {
    this.waiting.push({ key: crypto.randomUUID(), label, path, body, at: Date.now() });
    this.keep();
    this.send();
  }

  keep() {
    write("outbox", this.name, this.waiting);
    this.told(null);
  }

  done(one, result) {
    this.waiting.shift();
    this.keep();
    this.told({ label: one.label, ...result });
  }

  async send() {
    if (this.busy) return;
    this.busy = true;
    try {
      while (this.waiting.length && account() === this.name) {
        const one = this.waiting[0];
        if (Date.now() - one.at > OLDEST_MS) this.done(one, { fault: "was not sent: it is over ten minutes old. Call in." });
        else if (!await this.post(one)) return;
      }
    } finally {
      this.busy = false;
    }
  }

  /* Send one; false where it has to wait. */
  async post(one) {
    try {
      const said = await ask(one.path, { method: "POST", body: one.body, headers: { "Idempotency-Key": one.key } });
      this.done(one, { path: one.path, body: one.body, said });
      return true;
    } catch (error) {
      if (!(error instanceof Refused) || error.status === 503) return false;
      if (error.status === 401) { toSignIn(); return false; }
      if (error.status === 403 && await renewed(this.name)) return true;
      if (account() !== this.name) return false;
      this.done(one, { fault: error.message });
      return true;
    }
  }
}
