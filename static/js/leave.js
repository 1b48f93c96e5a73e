// The page left in a hurry also leaves the "back" button's list, as far as a page can do that.
for (const link of document.querySelectorAll("[data-leave]")) {
  link.addEventListener("click", (event) => {
    event.preventDefault();
    location.replace(link.href);
  });
}
