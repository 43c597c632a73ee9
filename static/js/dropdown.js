// Menus that open from a button: <button data-bs-toggle="dropdown"> and the .dropdown-menu beside it. Arrow keys move, Escape closes.
(() => {
  const menuOf = (button) => button.closest(".dropdown, .btn-group, .k-dropdown")?.querySelector(".dropdown-menu") || button.parentElement.querySelector(".dropdown-menu");
  const opened = () => [...document.querySelectorAll('[data-bs-toggle="dropdown"][aria-expanded="true"]')];
  const itemsOf = (menu) => [...menu.querySelectorAll(".dropdown-item:not(.disabled):not(:disabled), input, select, a[href]:not(.dropdown-item)")].filter((one) => one.offsetParent);
  const close = (button, focus = false) => {
    menuOf(button)?.classList.remove("show", "k-up");
    button.classList.remove("show");
    button.setAttribute("aria-expanded", "false");
    if (focus) button.focus();
  };
  const open = (button) => {
    opened().forEach((one) => close(one));
    const menu = menuOf(button);
    if (!menu) return;
    menu.setAttribute("data-bs-popper", "static");
    menu.classList.add("show");
    button.classList.add("show");
    button.setAttribute("aria-expanded", "true");
    const box = menu.getBoundingClientRect();
    // At the other edge, or above the button, where there is no room.
    if (box.left < 0 || box.right > document.documentElement.clientWidth) menu.classList.toggle("dropdown-menu-end");
    const above = button.getBoundingClientRect().top;
    if (box.bottom > window.innerHeight && above > box.height + 8) menu.classList.add("k-up");
  };
  document.addEventListener("click", (event) => {
    const button = event.target.closest('[data-bs-toggle="dropdown"]');
    if (button) {
      event.preventDefault();
      return button.getAttribute("aria-expanded") === "true" ? close(button) : open(button);
    }
    const field = event.target.closest(".dropdown-menu :is(input, select, textarea, label, summary)");
    if (!field) opened().forEach((one) => close(one));
  });
  document.addEventListener("keydown", (event) => {
    const button = event.target.closest?.('[data-bs-toggle="dropdown"]') || opened().find((one) => menuOf(one)?.contains(event.target));
    if (!button) return;
    const menu = menuOf(button);
    if (event.key === "Escape" && button.getAttribute("aria-expanded") === "true") {
      event.preventDefault();
      event.stopPropagation();
      return close(button, true);
    }
    if (!menu || !["ArrowDown", "ArrowUp"].includes(event.key) || event.target.matches("input, select, textarea")) return;
    event.preventDefault();
    if (button.getAttribute("aria-expanded") !== "true") open(button);
    const items = itemsOf(menu);
    const here = items.indexOf(document.activeElement);
    const next = event.key === "ArrowDown" ? (here + 1) % items.length : (here <= 0 ? items.length : here) - 1;
    items[next]?.focus();
  });
  document.addEventListener("focusin", (event) => opened().forEach((one) => { if (!one.contains(event.target) && !menuOf(one)?.contains(event.target)) close(one); }));

  // ----- Choices of several fold: Escape or a click elsewhere shuts them.
  const several = () => document.querySelectorAll("details.k-several[open]");
  document.addEventListener("click", (event) => several().forEach((one) => one.contains(event.target) || one.removeAttribute("open")));
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    several().forEach((one) => { one.removeAttribute("open"); one.querySelector("summary").focus(); });
  });
})();
