/* rollby: what this terminal keeps through a restart, each thing under the account that it is of.
   Whoever signs in here next neither sends nor sees what another left. */

const ACCOUNT = "rollby-account";
const OWNED = "rollby-of";
const NOBODYS = ["rollby-outbox", "rollby-unit"];  // of a time when they were anybody's

/* Who was signed in here when the service last said so; null for nobody. */
export function account() {
  return localStorage.getItem(ACCOUNT);
}

/* From now on this account is signed in here, or nobody: what others had on their screen goes. */
export function signedIn(name) {
  for (const key of [...NOBODYS, ...Object.keys(localStorage)]) {
    if (NOBODYS.includes(key) || key.startsWith(`${OWNED}/picture/`) && key !== place("picture", name)) {
      localStorage.removeItem(key);
    }
  }
  if (name === null) localStorage.removeItem(ACCOUNT);
  else localStorage.setItem(ACCOUNT, name);
}

/* Call back when another tab of this terminal has another account, or none. */
export function whenAnother(changed) {
  addEventListener("storage", (event) => {
    if (event.key === null || event.key === ACCOUNT && event.newValue !== event.oldValue) changed();
  });
}

export function read(what, name) {
  try {
    return JSON.parse(localStorage.getItem(place(what, name)));
  } catch {
    return null;  // nothing that we wrote
  }
}

export function write(what, name, value) {
  localStorage.setItem(place(what, name), JSON.stringify(value));
}

function place(what, name) {
  return `${OWNED}/${what}/${name}`;
}
