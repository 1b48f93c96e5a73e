// Everything here is an extra: without it each page says and does the same.
const language = document.documentElement.lang === "en" ? "en-GB" : "id";
const ownClock = document.currentScript.dataset.own;

// The visitor's own hour beside WIB, WITA and WIT, where her clock is none of the three.
const showOwnHours = () => {
  for (const list of document.querySelectorAll("ul.hours:not(.has-own)")) {
    const first = list.querySelector("time");
    const starts = new Date(first.dateTime);
    if ([-420, -480, -540].includes(starts.getTimezoneOffset())) continue;
    const [h, m, endH = h, endM = m] = first.textContent.match(/\d+/g);
    const ends = new Date(+starts + (((endH - h) * 60 + +endM - m + 1440) % 1440) * 6e4);
    const clock = (at) => at.toLocaleTimeString(language, { hour: "2-digit", minute: "2-digit" });
    const item = document.createElement("li");
    const time = document.createElement("time");
    time.dateTime = first.dateTime;
    time.textContent = +ends === +starts ? clock(starts) : `${clock(starts)}–${clock(ends)}`;
    item.append(time, ` ${ownClock}`);
    if (starts.toLocaleDateString("sv") !== first.dateTime.slice(0, 10)) {
      const day = document.createElement("small");
      day.textContent = starts.toLocaleDateString(language, { weekday: "long", day: "numeric", month: "long" });
      item.append(" ", day);
    }
    list.append(item);
    list.classList.add("has-own");
  }
};
showOwnHours();
document.addEventListener("newcontent", showOwnHours);

// The waiting room looks again when the door opens, not all phones in the same second. The server counted the seconds:
// many a phone's clock is wrong. A kept copy's count is an old one; it waits for the line.
const lookAgain = document.querySelector("[data-opens-in]");
if (lookAgain) {
  const reload = () => location.reload();
  const wait = (+lookAgain.dataset.opensIn + 2 + Math.random() * 8) * 1e3;
  const due = Date.now() + wait;
  if (document.querySelector(".kept")) addEventListener("online", reload);
  else if (wait < 864e5) {
    setTimeout(reload, wait);
    document.addEventListener("visibilitychange", () => document.hidden || Date.now() < due || reload());
  }
}

// Pages are kept for the time without a line, once the visible one is there.
const worker = navigator.serviceWorker;
if (worker) {
  const unseen = !worker.controller;
  const begin = async () => {
    await worker.register("/sw.js");
    (await worker.ready).active.postMessage({ path: location.pathname, unseen });
  };
  addEventListener("load", () => begin().catch(() => {}));
}
