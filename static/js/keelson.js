// The shell's behaviour: preferences, dialogs, confirmation, copy, toasts, CSRF for HTMX. Everything is delegated from the
// document, so fragments that arrive later work without being wired.
(() => {
  const root = document.documentElement;
  const text = (key) => document.body.dataset[`say${key[0].toUpperCase()}${key.slice(1)}`] || "";
  // A long menu, and tabs that are wider than a phone, show where one is.
  for (const here of document.querySelectorAll(".k-nav-scroll [aria-current], .k-tabs [aria-current]")) {
    const box = here.closest(".k-nav-scroll, .k-tabs");
    const [inner, outer] = [here.getBoundingClientRect(), box.getBoundingClientRect()];
    if (inner.bottom > outer.bottom) box.scrollTop += inner.bottom - outer.bottom + 48;
    if (inner.right > outer.right || inner.left < outer.left) box.scrollLeft += inner.left - outer.left - 24;
  }
  // A page that shows a secret once was the answer to a form: loading it again opens the page, and sends no form.
  const shownOnce = document.querySelector("#secret[data-address]");
  if (shownOnce) window.history.replaceState(null, "", shownOnce.dataset.address);
  const csrf = () => document.querySelector('meta[name="csrf-token"]')?.content || "";

  // ----- HTMX: one place for the CSRF header, for errors and for signed-out sessions
  document.addEventListener("htmx:config:request", (event) => {
    const { request, sourceEvent } = event.detail.ctx;
    // What a page asks by itself (polls, live updates) keeps no idle session alive.
    if (/^(every|load|k:live)/.test(sourceEvent?.type || "")) request.headers["X-Keelson-Background"] = "1";
    if (!/^(GET|HEAD)$/i.test(request.method)) request.headers["X-CSRFToken"] = csrf();
  });
  document.addEventListener("htmx:before:response", (event) => {
    const raw = event.detail.ctx.response.raw;
    // A fragment request that was answered by the sign-in page: go there as a whole page.
    if (raw.redirected && new URL(raw.url).pathname.startsWith("/accounts/")) {
      event.preventDefault();
      window.location.assign(raw.url);
    }
  });
  document.addEventListener("htmx:before:swap", (event) => {
    const status = event.detail.ctx.response?.status;
    // 422 brings the form back with its errors; other failures must not replace what is on screen.
    if (status >= 400 && status !== 422) {
      event.preventDefault();
      const answer = new DOMParser().parseFromString(event.detail.ctx.text || "", "text/html");
      const said = answer.querySelector("#main [role=alert]")?.textContent.trim();
      toast({ tone: "danger", title: text("errorTitle"), body: said || (status === 403 ? text("errorForbidden") : text("errorBody")) });
    }
  });
  // Focus survives a swap: when what had it is gone, its successor by id has it, else the fragment that came. A reader with
  // a keyboard or a screen reader goes on where they were, not at the top of the page.
  let focused = null;
  document.addEventListener("htmx:before:swap", (event) => {
    const [here, target] = [document.activeElement, event.detail.ctx.target];
    focused = here && here !== document.body && target?.contains?.(here) ? { here, id: here.id, box: target.id } : null;
  });
  document.addEventListener("htmx:after:swap", () => {
    const [{ here, id, box } = {}, now] = [focused || {}, document.activeElement];
    focused = null;
    if (!here || here.isConnected || (now && now !== document.body)) return;
    const next = (id && document.getElementById(id)) || (box && document.getElementById(box));
    if (!next) return;
    if (next.id !== id) next.tabIndex = -1;
    next.focus({ preventScroll: true });
  });
  // What scrolls sideways and holds nothing to focus is scrolled with the arrow keys: it takes the focus itself.
  const reach = () => document.querySelectorAll(".k-scroll, .c-path, .card:has(> .k-table), .table-responsive").forEach((box) => {
    const wide = box.scrollWidth > box.clientWidth && !box.querySelector("a[href], button, input, select, textarea, summary");
    if (wide) box.tabIndex = 0;
    else box.removeAttribute("tabindex");
    box.classList.toggle("fits", box.scrollWidth <= box.clientWidth);
  });
  reach();
  document.addEventListener("htmx:after:swap", reach);
  window.addEventListener("load", reach);
  window.addEventListener("resize", reach);
  document.addEventListener("htmx:error", (event) => {
    if (!event.detail.ctx?.response) toast({ tone: "danger", title: text("errorTitle"), body: text("errorNetwork") });
  });

  // ----- Confirmation: <form data-confirm="…"> and hx-confirm share one dialog
  const confirmDialog = document.getElementById("k-confirm");
  const ask = (message, label, tone) =>
    new Promise((resolve) => {
      if (!confirmDialog) return resolve(window.confirm(message));
      confirmDialog.querySelector("[data-message]").textContent = message;
      const yes = confirmDialog.querySelector("[data-yes]");
      yes.textContent = label || yes.dataset.default;
      yes.className = `btn btn-${tone || "primary"}`;
      confirmDialog.returnValue = "";
      confirmDialog.addEventListener("close", () => resolve(confirmDialog.returnValue === "yes"), { once: true });
      confirmDialog.showModal();
    });
  document.addEventListener("htmx:confirm", (event) => {
    const { ctx, issueRequest, dropRequest } = event.detail;
    if (!ctx.confirm) return;
    event.preventDefault();
    const d = ctx.sourceElement.dataset;
    ask(ctx.confirm, d.confirmLabel, d.confirmTone).then((ok) => (ok ? issueRequest() : dropRequest()));
  });
  document.addEventListener("submit", (event) => {
    const form = event.target;
    const source = event.submitter?.dataset.confirm ? event.submitter : form;
    if (!source.dataset.confirm || form.dataset.confirmed) return lockSubmit(event);
    event.preventDefault();
    const submitter = event.submitter;
    ask(source.dataset.confirm, source.dataset.confirmLabel, source.dataset.confirmTone).then((ok) => {
      if (!ok) return;
      form.dataset.confirmed = "1";
      form.requestSubmit(submitter);
      delete form.dataset.confirmed;
    });
  });
  // A second click on a slow plain form must not send it twice. The server is idempotent too; this spares the user the doubt.
  const lockSubmit = (event) => {
    const form = event.target;
    if (form.method !== "post" || form.matches("[hx-post],[data-allow-repeat],[data-upload]")) return;
    if (form.dataset.sent) return event.preventDefault();
    form.dataset.sent = "1";
    setTimeout(() => delete form.dataset.sent, 8000);
  };
  window.addEventListener("pageshow", () => document.querySelectorAll("form[data-sent]").forEach((f) => delete f.dataset.sent));

  // ----- Ordering a list by its buttons: the focus stays on the moved row
  const move = (button) => {
    const row = button.closest("li");
    if (button.dataset.move === "up") row.previousElementSibling?.before(row);
    else row.nextElementSibling?.after(row);
    const visible = getComputedStyle(button).visibility !== "hidden";
    (visible ? button : row.querySelector(`[data-move]:not([data-move="${button.dataset.move}"])`)).focus();
  };

  // ----- … or by dragging its rows, which move while one drags
  let dragged = null;
  document.addEventListener("dragstart", (event) => {
    dragged = event.target.closest?.("[data-arrange] > li") || null;
    if (!dragged) return;
    event.dataTransfer.effectAllowed = "move";
    event.dataTransfer.setData("text/plain", "");
    dragged.dataset.dragged = "";
  });
  document.addEventListener("dragover", (event) => {
    const row = dragged && event.target.closest?.("[data-arrange] > li");
    if (!row || row.parentElement !== dragged.parentElement) return;
    event.preventDefault();
    const { top, height } = row.getBoundingClientRect();
    if (row !== dragged) row[event.clientY < top + height / 2 ? "before" : "after"](dragged);
  });
  document.addEventListener("drop", (event) => dragged && event.target.closest?.("[data-arrange]") && event.preventDefault());
  document.addEventListener("dragend", () => {
    if (dragged) delete dragged.dataset.dragged;
    dragged = null;
  });

  // ----- Clicks
  document.addEventListener("click", (event) => {
    const hit = (selector) => event.target.closest(selector);
    let el;
    if ((el = hit("[data-set-theme]"))) window.keelsonPreference("k_theme", el.dataset.setTheme);
    else if ((el = hit("[data-set-density]"))) {
      root.dataset.density = el.dataset.setDensity;
      document.querySelectorAll("[data-set-density]").forEach((one) => one.setAttribute("aria-pressed", String(one.dataset.setDensity === el.dataset.setDensity)));
    }
    else if ((el = hit("[data-copy]"))) copy(el);
    else if ((el = hit("[data-dialog]"))) document.getElementById(el.dataset.dialog)?.showModal();
    else if ((el = hit("[data-close]"))) (el.closest("dialog, .k-toast, .k-alert")?.matches("dialog") ? el.closest("dialog").close() : el.closest(".k-toast, .k-alert")?.remove());
    else if ((el = hit("[data-move]"))) move(el);
    else if ((el = hit("[data-print]"))) window.print();
    else if ((el = hit("[data-toggle]"))) {
      const target = document.getElementById(el.dataset.toggle);
      if (target) { target.hidden = !target.hidden; el.setAttribute("aria-expanded", String(!target.hidden)); }
    } else if (event.target.matches("dialog")) {
      const box = event.target.getBoundingClientRect();
      if (event.clientX < box.left || event.clientX > box.right || event.clientY < box.top || event.clientY > box.bottom) event.target.close();
    }
  });
  document.addEventListener("change", (event) => {
    if (event.target.matches("[data-autosubmit]")) event.target.form?.requestSubmit();
  });
  const copy = async (el) => {
    const value = el.dataset.copy || document.getElementById(el.dataset.copyFrom)?.textContent.trim() || "";
    try {
      await navigator.clipboard.writeText(value);
    } catch {
      const area = Object.assign(document.createElement("textarea"), { value });
      document.body.append(area);
      area.select();
      document.execCommand("copy");
      area.remove();
    }
    toast({ tone: "success", title: text("copied") });
  };

  // ----- Toasts. `document.dispatchEvent(new CustomEvent("k:toast", {detail: {...}}))` or HX-Trigger: {"k:toast": {...}}
  const safeUrl = (url) => (typeof url === "string" && /^\/(?!\/)/.test(url) ? url : "");
  const toast = ({ title = "", body = "", tone = "info", url = "", seconds = 6, undo = null }) => {
    const holder = document.getElementById("k-toasts");
    if (!holder) return;
    const box = document.createElement("div");
    box.className = `k-toast tone-${/^[a-z]+$/.test(tone) ? tone : "info"}`;
    box.setAttribute("role", tone === "danger" ? "alert" : "status");
    const inner = document.createElement(safeUrl(url) ? "a" : "div");
    if (safeUrl(url)) inner.href = url;
    const head = Object.assign(document.createElement("div"), { className: "title", textContent: title });
    inner.append(head);
    if (body) inner.append(Object.assign(document.createElement("div"), { className: "muted", textContent: body }));
    const close = Object.assign(document.createElement("button"), { type: "button", className: "btn-close btn-sm ms-auto" });
    close.dataset.close = "";
    close.setAttribute("aria-label", text("close"));
    box.append(inner);
    if (undo) {
      const back = Object.assign(document.createElement("button"), { type: "button", className: "btn btn-sm ms-auto", textContent: undo.label });
      back.addEventListener("click", () => { box.remove(); document.dispatchEvent(new CustomEvent("k:undo", { detail: undo })); });
      box.append(back);
    }
    box.append(close);
    holder.append(box);
    while (holder.children.length > 4) holder.firstElementChild.remove();
    if (seconds) setTimeout(() => box.remove(), seconds * 1000);
  };
  document.addEventListener("k:toast", (event) => toast(event.detail || {}));
  window.keelson = { toast, ask, csrf, text };

  // ----- A dialog that an HTMX response fills opens itself: <dialog data-fill> as hx-target.
  document.addEventListener("htmx:after:swap", (event) => {
    const target = event.detail.ctx?.target;
    const dialog = target?.closest?.("dialog[data-fill]");
    if (dialog && !dialog.open && target.childElementCount) dialog.showModal();
  });
  // The server opens a dialog, such as that of an incoming call (`push_live(…, event="dialog")`); over another one it is a toast.
  document.body?.addEventListener("k:live:dialog", (event) => {
    const { url, title, key } = event.detail || {};
    if (!url || document.visibilityState !== "visible") return;
    const open = document.querySelector("dialog[open]");
    if (!open) window.htmx?.ajax("GET", url, { target: "#k-fill", swap: "innerHTML" });
    else if (!open.querySelector(`[data-live-key="${CSS.escape(key || "")}"]`)) toast({ title, url, tone: "info", seconds: 20 });
  });
  document.querySelector("dialog[data-open]")?.showModal(); // the form in it came back with something to mend
  document.addEventListener("k:close-dialog", () => document.querySelectorAll("dialog[open]").forEach((d) => d.close()));
})();
