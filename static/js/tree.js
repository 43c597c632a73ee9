// The network tree: the button of a row hides and shows again what was loaded below it (htmx loads it with the first click).
document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-branch]");
  if (!button) return;
  const level = (row) => Number(row.dataset.level);
  const top = button.closest("tr");
  const isOpen = button.getAttribute("aria-expanded") !== "true";
  button.setAttribute("aria-expanded", String(isOpen));
  let shownTo = isOpen ? Infinity : level(top); // rows deeper than this are under a closed one
  for (let row = top.nextElementSibling; row && level(row) > level(top); row = row.nextElementSibling) {
    row.hidden = level(row) > shownTo;
    if (row.hidden) continue;
    shownTo = row.querySelector('[data-branch][aria-expanded="false"]') ? level(row) : Infinity;
  }
});
