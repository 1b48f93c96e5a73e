// What moves by itself is looked at again every few seconds, until it stands still; without scripts, by loading the page.
const PAUSE = 5000;

async function look() {
  const shown = document.querySelector("[data-watch]");
  if (!shown) {
    location.reload(); // it is through: the buttons change too
    return;
  }
  if (!document.hidden) {
    const answer = await fetch(shown.dataset.watch).catch(() => null);
    if (answer?.ok) shown.outerHTML = await answer.text();
  }
  setTimeout(look, PAUSE);
}

setTimeout(look, PAUSE);
