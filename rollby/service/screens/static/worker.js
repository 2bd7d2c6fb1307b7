/* rollby: the frames of the pages, kept for when there is no network. Never anything of the API. */
const KEPT = "rollby-frames-2";
const FRAMES = [
  "/officer", "/static/palette.css", "/static/screens.css", "/static/theme.js", "/static/api.js",
  "/static/kept.js", "/static/live.js", "/static/outbox.js",
  "/static/words.js", "/static/officer.js", "/static/icon.svg", "/static/rollby.webmanifest",
];

self.addEventListener("install", (event) => {
  event.waitUntil(caches.open(KEPT).then((kept) => kept.addAll(FRAMES)));
  self.skipWaiting();
});

self.addEventListener("activate", (event) => {
  event.waitUntil((async () => {
    for (const name of await caches.keys()) if (name !== KEPT) await caches.delete(name);
    await self.clients.claim();
  })());
});

/* The network first: an old page with a new service could say what is not so. */
self.addEventListener("fetch", (event) => {
  const path = new URL(event.request.url).pathname;
  if (event.request.method !== "GET" || !FRAMES.includes(path)) return;
  event.respondWith((async () => {
    const kept = await caches.open(KEPT);
    try {
      const answer = await fetch(event.request);
      if (answer.ok) await kept.put(path, answer.clone());
      return answer;
    } catch (error) {
      const old = await kept.match(path);
      if (old) return old;
      throw error;
    }
  })());
});
