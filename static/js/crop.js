// Which part of a portrait or logo is shown: left, top, width and height in thousandths of the image, in a hidden field.
// Nothing in it: the middle of a portrait, or all of a logo. A portrait's part is a square.
const WHOLE = 1000;
const SMALLEST = 100;
const FACE = 0.35; // as in photos.py
const STEPS = { ArrowLeft: [-10, 0], ArrowRight: [10, 0], ArrowUp: [0, -10], ArrowDown: [0, 10] };
const between = (value, least, most) => Math.min(Math.max(value, least), most);

function equip(box) {
  const field = document.getElementById(box.dataset.crop);
  const file = document.getElementById(box.dataset.file);
  const image = box.querySelector("img");
  const pane = box.querySelector(".crop-window");
  const [wide, high] = ["width", "height"].map((name) => box.querySelector(`[data-size=${name}]`));
  const square = "square" in box.dataset;
  const part = { left: 0, top: 0, width: WHOLE, height: WHOLE };

  // The sides of the largest square, in thousandths.
  const full = () => {
    const side = Math.min(image.naturalWidth, image.naturalHeight);
    return square ? [(WHOLE * side) / image.naturalWidth, (WHOLE * side) / image.naturalHeight] : [WHOLE, WHOLE];
  };

  const show = () => {
    for (const [name, value] of Object.entries(part)) pane.style[name] = `${value / 10}%`;
    wide.value = square ? (WHOLE * part.width) / full()[0] : part.width;
    if (high) high.value = part.height;
  };

  const place = (left, top) => {
    part.left = between(left, 0, WHOLE - part.width);
    part.top = between(top, 0, WHOLE - part.height);
  };

  const keep = () => {
    const left = Math.floor(part.left);
    const top = Math.floor(part.top);
    const width = between(Math.round(part.width), SMALLEST, WHOLE - left);
    field.value = [left, top, width, between(Math.round(part.height), SMALLEST, WHOLE - top)].join(",");
    field.dispatchEvent(new Event("change", { bubbles: true }));
    show();
  };

  const reset = () => {
    [part.width, part.height] = full();
    place((WHOLE - part.width) / 2, (WHOLE - part.height) * (square ? FACE : 0.5));
    field.value = "";
    show();
  };

  const resize = () => {
    const middle = [part.left + part.width / 2, part.top + part.height / 2];
    const [most, tallest] = full();
    // No side under the smallest, though the other is longer.
    const share = Math.max(wide.value / WHOLE, SMALLEST / Math.min(most, tallest));
    [part.width, part.height] = square ? [most * share, tallest * share] : [Number(wide.value), Number(high.value)];
    place(middle[0] - part.width / 2, middle[1] - part.height / 2);
    keep();
  };

  image.addEventListener("load", () => {
    box.querySelector("[data-empty]").hidden = true;
    box.querySelector("[data-tools]").hidden = false;
    const kept = field.value.split(",").map(Number);
    if (kept.length !== 4 || kept.some(Number.isNaN)) return reset();
    [part.left, part.top, part.width, part.height] = kept;
    show();
  });

  if (box.dataset.source) image.src = box.dataset.source;
  file?.addEventListener("change", () => {
    if (!file.files.length) return;
    field.value = "";
    image.src = URL.createObjectURL(file.files[0]);
  });

  pane.addEventListener("pointerdown", (down) => {
    down.preventDefault();
    pane.focus();
    pane.setPointerCapture(down.pointerId);
    const { left, top } = part;
    const frame = image.getBoundingClientRect();
    const move = (event) => {
      place(
        left + ((event.clientX - down.clientX) / frame.width) * WHOLE,
        top + ((event.clientY - down.clientY) / frame.height) * WHOLE,
      );
      keep();
    };
    pane.addEventListener("pointermove", move);
    for (const end of ["pointerup", "pointercancel"]) {
      pane.addEventListener(end, () => pane.removeEventListener("pointermove", move), { once: true });
    }
  });
  pane.addEventListener("keydown", (event) => {
    const step = STEPS[event.key];
    if (!step) return;
    event.preventDefault();
    place(part.left + step[0], part.top + step[1]);
    keep();
  });
  wide.addEventListener("input", resize);
  high?.addEventListener("input", resize);
  box.querySelector("[data-reset]").addEventListener("click", reset);
}

addEventListener("DOMContentLoaded", () => {
  for (const box of document.querySelectorAll("[data-crop]")) equip(box);
});
