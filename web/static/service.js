// Keeps all files of one version in the browser, each under its checksum; without a network the page works from them.
"use strict";

const FILES = {};   // path: sha256; filled in by sketchgen export web
const NAME = `sketchgen ${self.registration.scope}`;
const PAGE = "index.html";

const keyOf = (path) => new URL(`${path}?${FILES[path]}`, self.registration.scope).href;

async function checksum(bytes) {
  const digest = await crypto.subtle.digest("SHA-256", bytes);
  return Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

// A file that is kept already, as most are after an update, is not fetched again.
async function keep(cache, path) {
  if (await cache.match(keyOf(path))) return;
  const answer = await fetch(new URL(path, self.registration.scope), { cache: "no-cache" });
  const bytes = await answer.arrayBuffer();
  // Some hosts write into pages; of other files one of another version would not fit.
  const same = path === PAGE || (await checksum(bytes)) === FILES[path];
  if (!answer.ok || !same) throw new Error(`${path} is not of this version`);
  const headers = { "content-type": answer.headers.get("content-type") || "", "content-length": bytes.byteLength };
  await cache.put(keyOf(path), new Response(bytes, { headers }));
}

// All files of this version are there before it takes over; pages that are open have theirs already.
self.addEventListener("install", (event) => {
  const all = caches.open(NAME).then((cache) => Promise.all(Object.keys(FILES).map((path) => keep(cache, path))));
  event.waitUntil(all.then(() => self.skipWaiting()));
});

async function tidy() {
  const cache = await caches.open(NAME), known = new Set(Object.keys(FILES).map(keyOf));
  for (const request of await cache.keys()) if (!known.has(request.url)) await cache.delete(request);
  await self.clients.claim();
}

self.addEventListener("activate", (event) => event.waitUntil(tidy()));

self.addEventListener("fetch", (event) => {
  const { scope } = self.registration, address = event.request.url.split(/[?#]/)[0];
  if (event.request.method !== "GET" || !address.startsWith(scope)) return;
  const path = decodeURI(address.slice(scope.length)) || PAGE;
  if (!Object.hasOwn(FILES, path)) return;
  event.respondWith(caches.open(NAME).then((cache) => cache.match(keyOf(path))).then((found) => found || fetch(event.request)));
});
