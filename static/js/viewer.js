// A document's pages: turned by quarters (remembered for everybody), zoomed by wheel, keys or two fingers, moved by dragging.
(() => {
  const stage = document.querySelector("[data-stage]");
  if (!stage) return;
  const pages = [...stage.querySelectorAll(".kyc-page")];
  const ZOOM_MAX = 6, STEP = 1.25, FULL = 2.2;
  let zoom = 1;

  const turn = (quarter) => {
    stage.dataset.quarter = quarter;
    pages.forEach((page) => {
      const group = page.querySelector("[data-turned]");
      if (!group) return;
      const width = Number(page.dataset.width), height = Number(page.dataset.height), lies = quarter % 2;
      page.setAttribute("viewBox", lies ? `0 0 ${height} ${width}` : `0 0 ${width} ${height}`);
      group.setAttribute("transform", ["", `translate(${height} 0) rotate(90)`, `translate(${width} ${height}) rotate(180)`, `translate(0 ${width}) rotate(270)`][quarter]);
    });
  };
  turn(Number(stage.dataset.quarter || 0));
  document.querySelectorAll("[data-turn]").forEach((button) => button.addEventListener("click", () => {
    turn((Number(stage.dataset.quarter) + Number(button.dataset.turn) + 4) % 4);
    if (!stage.dataset.turnUrl) return;
    const body = new URLSearchParams({ quarters: stage.dataset.quarter });
    fetch(stage.dataset.turnUrl, { method: "POST", body, headers: { "X-CSRFToken": window.keelson.csrf() }, credentials: "same-origin" }).catch(() => {});
  }));

  // The point under the pointer stays where it is.
  const zoomTo = (wanted, x = stage.clientWidth / 2, y = stage.clientHeight / 2) => {
    const next = Math.min(ZOOM_MAX, Math.max(1, wanted));
    const left = (stage.scrollLeft + x) / zoom, top = (stage.scrollTop + y) / zoom;
    zoom = next;
    stage.style.setProperty("--zoom", zoom);
    stage.classList.toggle("zoomed", zoom > 1);
    stage.scrollTo(left * zoom - x, top * zoom - y);
  };
  const at = (event) => { const box = stage.getBoundingClientRect(); return [event.clientX - box.left, event.clientY - box.top]; };
  document.querySelectorAll("[data-zoom]").forEach((button) => button.addEventListener("click", () => {
    const how = button.dataset.zoom;
    zoomTo(how === "+" ? zoom * STEP : how === "-" ? zoom / STEP : zoom > 1 ? 1 : FULL);
  }));
  // A plain wheel moves the page; with Ctrl, which a trackpad's pinch is reported as, it zooms.
  stage.addEventListener("wheel", (event) => {
    if (!event.ctrlKey && !event.metaKey) return;
    event.preventDefault();
    zoomTo(zoom * Math.exp(-event.deltaY / 300), ...at(event));
  }, { passive: false });

  const fingers = new Map();
  let from = null, apart = 0;
  const distance = () => { const [one, other] = [...fingers.values()]; return Math.hypot(one.clientX - other.clientX, one.clientY - other.clientY); };
  stage.addEventListener("pointerdown", (event) => {
    fingers.set(event.pointerId, event);
    if (fingers.size === 2) apart = distance() / zoom;
    else if (event.pointerType === "mouse" && event.button === 0 && zoom > 1) {
      from = { x: event.clientX + stage.scrollLeft, y: event.clientY + stage.scrollTop };
      stage.setPointerCapture(event.pointerId);
      stage.classList.add("dragged");
    }
  });
  stage.addEventListener("pointermove", (event) => {
    if (!fingers.has(event.pointerId)) return;
    fingers.set(event.pointerId, event);
    if (fingers.size === 2 && apart) zoomTo(distance() / apart, ...at(event));
    else if (from) stage.scrollTo(from.x - event.clientX, from.y - event.clientY);
  });
  const lift = (event) => {
    fingers.delete(event.pointerId);
    if (fingers.size < 2) apart = 0;
    from = null;
    stage.classList.remove("dragged");
  };
  stage.addEventListener("pointerup", lift);
  stage.addEventListener("pointercancel", lift);

  const thumbs = [...document.querySelectorAll("[data-goto]")];
  const go = (index) => {
    const thumb = thumbs[Math.max(0, Math.min(thumbs.length - 1, index))];
    if (!thumb) return;
    thumbs.forEach((one) => one === thumb ? one.setAttribute("aria-current", "true") : one.removeAttribute("aria-current"));
    stage.querySelector(`[data-page="${thumb.dataset.goto}"]`)?.scrollIntoView({ block: "nearest" });
  };
  thumbs.forEach((thumb, index) => thumb.addEventListener("click", () => go(index)));
  document.querySelectorAll("[data-step]").forEach((button) => button.addEventListener("click", () => {
    go(thumbs.findIndex((one) => one.hasAttribute("aria-current")) + Number(button.dataset.step));
  }));
})();
