// The guided tour: a small panel beside the element it speaks of. Nothing is blocked: the page stays usable beneath it.
(() => {
  const panel = document.getElementById("k-tour");
  if (!panel) return;
  const steps = [...panel.querySelectorAll("template")];
  const button = (name) => panel.querySelector(`[data-tour="${name}"]`);
  const nextText = button("next").textContent;
  let at = Number(panel.dataset.at), target;

  // One after the other: the last one is where the person is.
  let sent = Promise.resolve();
  const keep = (step) => (sent = sent.then(() => fetch(panel.dataset.url, {
    method: "POST", credentials: "same-origin", redirect: "manual", keepalive: true, headers: { "X-CSRFToken": token() },
    body: new URLSearchParams({ step }),
  })));
  const token = () => (document.cookie.match(/csrftoken=([^;]+)/) || [])[1] || document.querySelector("[name=csrfmiddlewaretoken]")?.value || "";
  const visible = (element) => element.getClientRects().length > 0;
  const find = (selector) => {
    for (const one of selector.split(", ")) {
      const element = [...document.querySelectorAll(one)].find(visible);
      if (element) return element;
    }
    return null;
  };
  const place = () => {
    panel.style.insetBlockStart = panel.style.insetInlineStart = "";
    panel.classList.toggle("free", !target);
    if (!target || window.matchMedia("(max-width: 640px)").matches) return;
    const box = target.getBoundingClientRect(), size = panel.getBoundingClientRect(), gap = 12;
    const below = box.bottom + gap, above = box.top - gap - size.height;
    const top = below + size.height < innerHeight ? below : above > gap ? above : Math.max(gap, innerHeight - size.height - gap);
    const wanted = document.dir === "rtl" ? innerWidth - box.right : box.left;
    panel.style.insetBlockStart = `${top}px`;
    panel.style.insetInlineStart = `${Math.min(Math.max(gap, wanted), innerWidth - size.width - gap)}px`;
  };
  const show = ({ focus }) => {
    const step = steps[at].dataset;
    target?.classList.remove("k-tour-target");
    target = find(step.selector);
    panel.querySelector(".count").textContent = step.count;
    panel.querySelector("h2").textContent = step.title;
    panel.querySelector("#k-tour-text").textContent = step.text;
    button("back").hidden = at === 0;
    button("next").textContent = at === steps.length - 1 ? button("next").dataset.last : nextText;
    panel.hidden = false;
    if (target) {
      target.classList.add("k-tour-target");
      const still = window.matchMedia("(prefers-reduced-motion: reduce)").matches;
      if (target.getBoundingClientRect().height < innerHeight) target.scrollIntoView({ block: "center", behavior: still ? "auto" : "smooth" });
    }
    place();
    if (focus) button("next").focus({ preventScroll: true });
  };
  const go = async (step) => {
    const answer = keep(step);
    if (steps[step].dataset.page !== location.pathname) {
      await answer;
      location.assign(steps[step].dataset.page);
      return;
    }
    at = step;
    show({ focus: true });
  };
  const end = () => {
    target?.classList.remove("k-tour-target");
    panel.hidden = true;
    // Gone only once that is kept: until then a new page would offer it again.
    keep(-1).finally(() => panel.remove());
    document.getElementById("main")?.focus?.();
  };
  panel.addEventListener("click", (event) => {
    const act = event.target.closest("[data-tour]")?.dataset.tour;
    if (act === "end" || (act === "next" && at === steps.length - 1)) end();
    else if (act === "next") go(at + 1);
    else if (act === "back") go(at - 1);
  });
  panel.addEventListener("keydown", (event) => {
    if (event.key === "Escape") end();
    else if (event.key === "ArrowRight" && at < steps.length - 1) go(at + 1);
    else if (event.key === "ArrowLeft" && at > 0) go(at - 1);
    else return;
    event.preventDefault();
    event.stopPropagation();
  });
  addEventListener("scroll", place, { passive: true, capture: true });
  addEventListener("resize", place);
  // Elsewhere it waits: it goes on where the person comes back to its page, and begins again from the account menu.
  if (location.pathname === steps[at].dataset.page) show({ focus: true });
})();
