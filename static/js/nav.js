// The menu: areas on the rail, an area's pages beside it, favourites on top; and the "+" of the top bar. Without this script an
// area is a link to its first page, which opens the area, and the star of the top bar is a form.
(() => {
  const root = document.documentElement;
  const nav = document.querySelector(".k-nav");
  if (!nav) return;
  const panel = nav.querySelector(".k-panel");
  const opener = document.querySelector("button[data-nav-open]");
  const toggle = nav.querySelector("[data-nav-rail]");
  const areas = [...nav.querySelectorAll(".k-rail-link[data-area]")];
  const isPhone = () => window.matchMedia("(max-width: 61.98rem)").matches;
  const isCollapsed = () => root.dataset.nav === "rail" && !isPhone();
  const isPanelShown = () => !isCollapsed() || root.hasAttribute("data-nav-peek");
  const idOf = (area) => `k-area-${area.dataset.area}`;
  const shownArea = () => areas.find((area) => !document.getElementById(idOf(area)).hidden);

  // What is open is said where it is chosen.
  const say = () => {
    const shown = isPanelShown() ? shownArea() : null;
    areas.forEach((area) => area.hasAttribute("aria-controls") && area.setAttribute("aria-expanded", String(area === shown)));
    toggle.setAttribute("aria-expanded", String(!isCollapsed()));
    opener?.setAttribute("aria-expanded", String(root.hasAttribute("data-nav-open")));
  };
  const show = (chosen) => {
    areas.forEach((area) => { document.getElementById(idOf(area)).hidden = area !== chosen; });
    chosen.removeAttribute("data-resting"); // Home's pages under a page of no area: chosen now
    root.toggleAttribute("data-nav-peek", isCollapsed());
    panel.scrollTop = 0;
    say();
  };
  const hide = () => {
    const had = root.hasAttribute("data-nav-open") || root.hasAttribute("data-nav-peek");
    const back = nav.contains(document.activeElement) && (root.hasAttribute("data-nav-open") ? opener : shownArea());
    root.removeAttribute("data-nav-open");
    root.removeAttribute("data-nav-peek");
    say();
    if (had && back) back.focus();
  };
  const pages = (area) => [...panel.querySelectorAll(area ? `#${idOf(area)} .k-nav-link` : ".k-nav-link")].filter((link) => link.offsetParent);

  document.addEventListener("click", (event) => {
    const hit = (selector) => event.target.closest(selector);
    const star = hit("[data-pin]");
    const area = hit(".k-rail-link[aria-controls][data-area]");
    if (star) {
      event.preventDefault();
      pin(star);
    } else if (hit("[data-nav-rail]")) {
      window.keelsonPreference("k_nav", isCollapsed() ? "full" : "rail");
      root.removeAttribute("data-nav-peek");
      say();
    } else if (hit("button[data-nav-open]")) {
      root.toggleAttribute("data-nav-open");
      say();
      if (root.hasAttribute("data-nav-open")) (pages(shownArea()).find((link) => link.hasAttribute("aria-current")) || areas[0])?.focus();
    } else if (area && !(event.ctrlKey || event.metaKey || event.shiftKey)) {
      // Open already: the link leads to the area's first page, as it does without this script.
      if (area.getAttribute("aria-expanded") === "true") return;
      event.preventDefault();
      show(area);
      if (event.detail === 0) pages(area)[0]?.focus();
    } else if (hit(".k-nav-shade") || !hit(".k-nav, dialog, .k-toast")) hide();
  });

  // Arrows: down and up in a column, to the pages of an area and to a page's star, and back.
  const sideways = (here, isForward) => {
    const row = here.closest(".k-nav-row");
    if (isForward && areas.includes(here)) {
      if (shownArea() !== here || !isPanelShown()) show(here);
      return pages(here)[0];
    }
    if (isForward) return row?.querySelector(".k-star");
    return here.matches(".k-star") ? row.querySelector(".k-nav-link") : row && (shownArea() || areas[0]);
  };
  const along = (here, step) => {
    const column = here.closest(".k-panel") ? pages() : areas;
    const at = column.indexOf(here.closest(".k-nav-row")?.querySelector(".k-nav-link") || here);
    const next = column[at + step];
    return here.matches(".k-star") ? next?.closest(".k-nav-row").querySelector(".k-star") : next;
  };
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && !document.querySelector("dialog[open]")) return hide();
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (nav.contains(event.target) && event.key.startsWith("Arrow")) {
      const isForward = event.key === (root.dir === "rtl" ? "ArrowLeft" : "ArrowRight");
      const vertical = { ArrowDown: 1, ArrowUp: -1 }[event.key];
      const next = vertical ? along(event.target, vertical) : sideways(event.target, isForward);
      event.preventDefault();
      return next?.focus();
    }
    // A page whose own button has the key keeps it.
    if (event.target.closest("input,textarea,select,[contenteditable],dialog[open]")) return;
    const key = CSS.escape(event.key);
    if (document.querySelector(`[data-key="${key}"], [data-story-key="${key}"]`)) return;
    const page = document.querySelector(`[data-page-key="${key}"]`);
    if (page) return page.click();
    const create = ["c", "+"].includes(event.key) && document.querySelector("[data-create]");
    if (!create) return;
    event.preventDefault();
    if (create.getAttribute("aria-expanded") !== "true") create.click();
    create.parentElement.querySelector(".dropdown-item")?.focus();
  });
  nav.addEventListener("focusout", (event) => {
    if (root.hasAttribute("data-nav-peek") && event.relatedTarget && !nav.contains(event.relatedTarget)) hide();
  });

  // ----- Favourites
  const pin = async (star) => {
    const [page, isPinned] = [star.dataset.pin, star.getAttribute("aria-pressed") !== "true"];
    const { toast, csrf, text } = window.keelson;
    let answer;
    try {
      const body = new URLSearchParams({ page, is_pinned: isPinned ? "1" : "", next: window.location.pathname });
      answer = await fetch(nav.dataset.pinUrl, { method: "POST", body, headers: { "X-CSRFToken": csrf(), "HX-Request": "true" }, credentials: "same-origin" });
    } catch {
      return toast({ tone: "danger", title: text("errorTitle"), body: text("errorNetwork") });
    }
    const words = await answer.text();
    if (!answer.ok || answer.redirected) return toast({ tone: "danger", title: text("errorTitle"), body: answer.status === 422 ? words : text("errorBody") });
    const old = document.getElementById("k-favourites");
    const at = pages().indexOf(star.closest(".k-nav-row")?.querySelector(".k-nav-link"));
    const hadFocus = old.contains(document.activeElement);
    old.outerHTML = words;
    window.htmx.process(document.getElementById("k-favourites"));
    document.querySelectorAll(`[data-pin="${CSS.escape(page)}"]`).forEach((one) => {
      one.setAttribute("aria-pressed", String(isPinned));
      if (one.form) one.value = isPinned ? "" : "1";
    });
    if (hadFocus) pages()[Math.max(at - 1, 0)]?.focus();
  };
  say();
})();
