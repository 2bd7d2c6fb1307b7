/* rollby: the service as a page sees it: what it answers, and who I am to it. */
import { signedIn } from "./kept.js";

export class Refused extends Error {
  constructor(status, detail) {
    super(detail);
    this.status = status;
  }
}

/* Of a page that asks by itself, again and again: that keeps no session from being idle. */
export const WAITING = { "X-Rollby-Waiting": "1" };

/* A request; throws Refused where the service says no, and TypeError where it is not reached. */
export async function ask(path, { method = "GET", body, file, headers = {} } = {}) {
  const told = { ...headers };
  if (body !== undefined) told["Content-Type"] = "application/json";
  if (file !== undefined) told["Content-Type"] = "application/octet-stream";
  if (method !== "GET" && csrf) told["X-Rollby-CSRF"] = csrf;
  const answer = await fetch(path, {
    method, headers: told, body: file !== undefined ? file : body === undefined ? undefined : JSON.stringify(body),
    cache: "no-store", signal: file === undefined ? AbortSignal.timeout(10000) : undefined,
  });
  const text = await answer.text();
  let said = null;
  try { said = text ? JSON.parse(text) : null; } catch { said = { detail: text.slice(0, 200) }; }
  if (!answer.ok) throw new Refused(answer.status, said && (said.detail || said.title) || answer.statusText);
  return said;
}

let csrf = "";

/* Who I am; leads to the sign-in where nobody is signed in. */
export async function whoAmI() {
  try {
    const me = await ask("/api/me");
    csrf = me.csrf || "";
    signedIn(me.name);
    return me;
  } catch (error) {
    if (error.status === 401) toSignIn();
    throw error;
  }
}

/* After a refusal: whether the account has a new session, and the same may be asked again. */
export async function renewed(name) {
  const before = csrf;
  const me = await whoAmI();
  return me.name === name && csrf !== before;
}

export function toSignIn() {
  signedIn(null);
  location.assign(`/sign-in?next=${encodeURIComponent(location.pathname)}`);
}

/* A button that ends the session, and takes along what this terminal showed of it. */
export function signOutBy(button, failed) {
  button.addEventListener("click", async () => {
    try {
      if (!csrf) await whoAmI();
      await ask("/api/sign-out", { method: "POST" });
      addEventListener("pagehide", () => signedIn(null)); // also what was on its way meanwhile
      location.assign("/sign-in");
    } catch (error) { failed(error); }
  });
}
