// Keeps the public pages, and the own page of whoever is signed in, for a phone without a line. The view behind /sw.js
// puts KEEP (false: give everything back), VERSION, NOTICE (what a kept page says, by language) and STUCK (what a page
// says whose form to the Zoom room found no line) before this text.
const STATIC = `static-${VERSION}`; // hashed files and the offline pages: new with each version
const PAGES = "pages-1"; // outlive a new version: an update must not empty a phone
const MINE = "mine-1";
const PICTURES = "pictures-1";
const OFFLINE = ["/luring/", "/en/luring/"];
const HASHED = /^\/static\/(css|img|js)\/.*\.[0-9a-f]{12}\.\w+$/;
const VARIANT = /^\/media\/variants\/\w+\/\d+\.\w+$/; // of a photo or logo; its address never means another one
const PUBLIC = /^(\/en)?\/((agenda|webinar|pembicara|mitra|edisi|halaman)\/([^/]+\/)?)?$/;
const SHORT = /^(\/en)?\/[1-9]\d?\/?$/; // leads to a webinar
const ROOM = /^(\/en)?\/gabung\/[^/]+\/$/;
const OWN = /^(\/en)?\/(saya|(gabung|tautan)\/[^/]+)\/$/;
const PERSONAL = /^(\/en)?\/(saya|gabung|tautan|daftar|akun)\//; // watched for who is signed in; only OWN is kept
const DOORS = /^(\/en)?\/(akun|admin\/logout)\//; // whoever sends a form here comes or goes
const HOUR = 36e5;
let visit = 0; // grows when the own pages are forgotten: an answer on its way since before isn't kept
const busy = new Set();

const start = (path) => (path.startsWith("/en/") ? "/en" : "");
const age = (copy) => (copy ? Date.now() - Date.parse(copy.headers.get("date")) : Infinity);
const find = (cacheName, path) => caches.match(path, { cacheName, ignoreVary: true });
// A personal link is signed anew wherever it is written; before its first dot stands which registration it opens.
const key = (path) => path.replace(/(\/(?:gabung|tautan)\/[^./]+)\.[^/]+/, "$1");
const links = (text, pattern) => [...new Set(Array.from(text.matchAll(pattern), (found) => found[1]))];

async function put(name, path, answer, most) {
  const cache = await caches.open(name);
  await cache.delete(path, { ignoreVary: true }); // and so it comes last again
  await cache.put(path, answer);
  for (const old of (await cache.keys()).slice(0, -most)) await cache.delete(old, { ignoreVary: true });
}

function forget() {
  visit++;
  return caches.delete(MINE);
}

async function end() {
  for (const name of await caches.keys()) await caches.delete(name);
  await registration.unregister();
}

// ---- A new version: it takes over at once, as no page of ours depends on the worker it was loaded by.
addEventListener("install", (event) => {
  skipWaiting();
  if (KEEP) event.waitUntil(fill());
});

async function fill() {
  const cache = await caches.open(STATIC);
  let files = [];
  for (const path of OFFLINE) {
    const answer = await fetch(path, { cache: "reload" });
    if (!answer.ok) throw new Error(path);
    files.push(...links(await answer.clone().text(), /(?:href|src)="?(\/static\/(?:css|img|js)\/[^"> ]+)/g));
    await cache.put(path, answer);
  }
  for (const sheet of files.filter((file) => file.endsWith(".css"))) {
    const text = await (await fetch(sheet)).text();
    const inside = links(text, /url\(["']?([^"')]+)/g).filter((file) => !file.startsWith("data:"));
    files.push(...inside.map((file) => new URL(file, location.origin + sheet).pathname));
  }
  await cache.addAll(new Set(files.filter((file) => HASHED.test(file))));
}

addEventListener("activate", (event) => event.waitUntil(KEEP ? takeOver() : end()));

async function takeOver() {
  for (const name of await caches.keys()) if (![STATIC, PAGES, MINE, PICTURES].includes(name)) await caches.delete(name);
  const pages = await caches.open(PAGES);
  for (const prefix of ["", "/en"]) await pages.delete(`${prefix}/kept`); // all pages anew at the next sight
  await clients.claim();
}

// ---- Every page says hello with its language, and with its own address when it came without the worker.
addEventListener("message", (event) => {
  if (KEEP) event.waitUntil(freshen(event.data).catch(() => {}));
});

async function freshen({ path, unseen }) {
  const prefix = start(path);
  if (unseen && (PUBLIC.test(path) || OWN.test(path))) await keep(new URL(path, location.origin), await fetch(path), visit);
  if (busy.has(prefix) || age(await find(PAGES, `${prefix}/kept`)) < 6 * HOUR) return;
  busy.add(prefix);
  try {
    const own = await fetch("/sw.js", { method: "HEAD", cache: "no-store" });
    if (own.status === 404 || own.status === 410) return await end(); // the site gave the worker up, or moved away
    await take(`${prefix}/`);
    const agenda = await take(`${prefix}/agenda/`);
    for (const webinar of links(agenda, /href="?((?:\/en)?\/webinar\/[^"/> ]+\/)/g).slice(0, 30)) await take(webinar);
    const stamp = new Response("", { headers: { date: new Date().toUTCString() } });
    await put(PAGES, `${prefix}/kept`, stamp, 80);
  } finally {
    busy.delete(prefix);
  }
}

async function take(path) {
  const answer = await fetch(path, { cache: "no-cache" });
  if (!answer.ok) return "";
  await put(PAGES, path, answer.clone(), 80);
  return answer.text();
}

// ---- What is kept
async function keep(url, answer, since) {
  const path = url.pathname;
  const isPage = answer.status === 200 && (answer.headers.get("content-type") || "").startsWith("text/html");
  if (!isPage || answer.redirected) return;
  if (PUBLIC.test(path)) {
    if (!url.search) await put(PAGES, path, answer, 80);
  } else if (PERSONAL.test(path) && since === visit) await keepOwn(path, answer, since);
}

async function keepOwn(path, answer, since) {
  const text = await answer.clone().text();
  const [person] = links(text, /<meta name="person" content="(\w+)"/g);
  const owner = await find(MINE, "/person");
  if (owner && (await owner.text()) !== person) {
    await forget();
    since = visit;
  }
  if (!person || !OWN.test(path) || (path.includes("/gabung/") && !(await find(MINE, key(path))))) return;
  if (path.includes("/tautan/") && !/ content="\w+" data-hers>/.test(text)) return; // somebody else's page on this phone
  const store = async (address, page) => since === visit && put(MINE, key(address), page, 40);
  await store("/person", new Response(person));
  await store(path, answer);
  if (!path.endsWith("/saya/")) return;
  const tickets = links(text, /href="?((?:\/en)?\/gabung\/[^"/> ]+\/)[" >]/g).slice(0, 15);
  await prune(start(path), tickets.map(key));
  for (const link of tickets) {
    if (age(await find(MINE, key(link))) < 24 * HOUR) continue;
    const page = await fetch(link);
    if (page.ok && !page.redirected) await store(link, page);
  }
}

async function prune(prefix, keys) {
  const mine = await caches.open(MINE);
  for (const { url } of await mine.keys()) {
    const path = new URL(url).pathname;
    if (path.startsWith(`${prefix}/gabung/`) && !keys.includes(path)) await mine.delete(path, { ignoreVary: true });
  }
}

// ---- What is shown
addEventListener("fetch", (event) => {
  const { request } = event;
  const url = new URL(request.url);
  if (!KEEP || url.origin !== location.origin) return;
  if (request.method !== "GET") {
    if (DOORS.test(url.pathname)) event.waitUntil(forget());
    if (ROOM.test(url.pathname) && request.mode === "navigate")
      event.respondWith(fetch(request).catch(() => stuck(url.pathname)));
  } else if (HASHED.test(url.pathname)) event.respondWith(file(STATIC, url.pathname, request));
  else if (VARIANT.test(url.pathname)) event.respondWith(file(PICTURES, url.pathname, request));
  else if (request.mode === "navigate" && [PUBLIC, SHORT, PERSONAL].some((kind) => kind.test(url.pathname)))
    show(event, url);
});

async function file(name, path, request) {
  const found = await find(name, path);
  if (found) return found;
  try {
    const answer = await fetch(request);
    if (answer.ok) await put(name, path, answer.clone(), 60);
    return answer;
  } catch (error) {
    // A page kept before an update asks for the file of its time: today's one of that name will do. In the place of a
    // picture that was never seen stands cloth.
    const plain = (address) => address.replace(/\.[0-9a-f]{12}\./, ".");
    const wanted = name === PICTURES ? "/static/img/cloth.svg" : plain(path);
    const cache = await caches.open(STATIC);
    const twin = (await cache.keys()).find(({ url }) => plain(new URL(url).pathname) === wanted);
    if (twin) return cache.match(twin);
    throw error;
  }
}

// The line comes first. A public page that isn't there after 4 s is shown as it was kept, while the answer is still
// taken in; the own page gets 15 s, because right after a sign-up the kept one would be wrong.
function show(event, url) {
  const since = visit;
  const path = url.pathname;
  const answer = fetch(event.request);
  const copy = answer.then((fresh) => fresh.clone());
  event.waitUntil(copy.then((fresh) => keep(url, fresh, since)).catch(() => {}));
  const patience = new Promise((done) => setTimeout(done, PERSONAL.test(path) ? 15e3 : 4e3));
  const usable = answer.then((fresh) => (fresh.status > 501 ? null : fresh)).catch(() => null);
  event.respondWith(
    (async () =>
      (await Promise.race([usable, patience.then(() => kept(path))])) ||
      (await usable) ||
      (await kept(path)) ||
      answer.catch(() => find(STATIC, `${start(path)}/luring/`)))(),
  );
}

async function kept(path) {
  if (SHORT.test(path)) return spelledOut(path);
  const copy = await find(OWN.test(path) ? MINE : PAGES, key(path));
  if (!copy || (OWN.test(path) && age(copy) > 30 * 24 * HOUR)) return null;
  const language = start(path) ? "en" : "id";
  const date = new Date(copy.headers.get("date"));
  const say = (options) => date.toLocaleString(language === "en" ? "en-GB" : "id", options);
  const day = `${say({ weekday: "long" })} ${say({ day: "numeric", month: "short" })}`;
  const when = `${day} ${say({ hour: "2-digit", minute: "2-digit" })}`;
  return marked(copy, NOTICE[language].replace("{when}", when));
}

async function marked(page, notice) {
  const text = (await page.text()).replace(/<main[^>]*>/, (tag) => tag + notice);
  const headers = new Headers(page.headers);
  for (const name of ["content-encoding", "content-length"]) headers.delete(name);
  return new Response(text, { headers });
}

// Each webinar's page names its short address.
async function spelledOut(path) {
  const cache = await caches.open(PAGES);
  for (const page of await cache.keys()) {
    const [short] = links(await (await cache.match(page)).text(), /<link rel="?shortlink"? href="?([^"> ]+)/g);
    if (short === path.replace(/\/$/, "")) return Response.redirect(page.url);
  }
  return null;
}

// The way to the room asks the site, each time, and is never kept. Without a line she gets her page as it was kept.
async function stuck(path) {
  const page = (await kept(path)) || (await find(STATIC, `${start(path)}/luring/`));
  return marked(page, STUCK[start(path) ? "en" : "id"]);
}
