// Tables from the keyboard (j/k move, Enter opens, x selects, n/p turn the page), selection, column choice.
(() => {
  const cards = () => [...document.querySelectorAll(".k-table-card[data-table]")];
  const active = () => document.querySelector(".k-table-card[data-active]") || cards().find((c) => c.offsetParent);
  const rows = (card) => [...card.querySelectorAll("tbody tr[data-id]")];
  const move = (card, step) => {
    const all = rows(card);
    if (!all.length) return;
    const at = all.findIndex((r) => r.classList.contains("cursor"));
    const next = Math.max(0, Math.min(all.length - 1, at < 0 ? (step > 0 ? 0 : all.length - 1) : at + step));
    all.forEach((r) => r.classList.remove("cursor"));
    all[next].classList.add("cursor");
    all[next].scrollIntoView({ block: "nearest" });
  };
  const picks = (card) => [...card.querySelectorAll("tbody .pick input")];
  // A button of the bar waits until what it needs is chosen.
  const ready = (bar) => {
    bar.querySelectorAll("button[formaction]").forEach((button) => {
      const needed = [...bar.querySelectorAll(`[data-needed-by="${button.value}"]`)];
      button.disabled = needed.some((field) => !field.value);
    });
  };
  const refresh = (card) => {
    const boxes = picks(card);
    const chosen = boxes.filter((b) => b.checked);
    boxes.forEach((b) => b.closest("tr").classList.toggle("selected", b.checked));
    const bar = card.querySelector(".k-bulk");
    if (bar) {
      bar.hidden = !chosen.length;
      bar.querySelector("[data-count]").textContent = chosen.length;
      const wide = bar.querySelector("[data-all-matching]");
      ready(bar);
      if (wide) { wide.hidden = chosen.length !== boxes.length; if (wide.hidden) wide.querySelector("input").checked = false; }
    }
    const all = card.querySelector("thead .pick input");
    if (all) { all.checked = boxes.length > 0 && chosen.length === boxes.length; all.indeterminate = chosen.length > 0 && !all.checked; }
  };
  // What is refused comes back to the list with the reason: then what was chosen is chosen again.
  const KEPT = "k_bulk";
  document.addEventListener("submit", (event) => {
    const bar = event.submitter?.closest(".k-bulk");
    if (!bar) return;
    const card = bar.closest(".k-table-card[data-table]");
    const fields = [...bar.querySelectorAll("select, input:not([type=checkbox])")].map((field) => [field.name, field.value]);
    const ids = picks(card).filter((box) => box.checked).map((box) => box.value);
    sessionStorage.setItem(KEPT, JSON.stringify({ table: card.dataset.table, ids, fields }));
  });
  const restore = () => {
    const kept = JSON.parse(sessionStorage.getItem(KEPT) || "null");
    sessionStorage.removeItem(KEPT);
    if (!kept || !document.querySelector(".k-messages .tone-danger")) return;
    const card = cards().find((one) => one.dataset.table === kept.table);
    if (!card) return;
    picks(card).forEach((box) => { box.checked = kept.ids.includes(box.value); });
    for (const [name, value] of kept.fields) {
      const field = card.querySelector(`.k-bulk [name="${name}"]`);
      if (field) field.value = value;
    }
    refresh(card);
  };
  let lastPick = null;
  document.addEventListener("click", (event) => {
    const card = event.target.closest(".k-table-card[data-table]");
    if (!card) return;
    document.querySelectorAll(".k-table-card[data-active]").forEach((c) => c.removeAttribute("data-active"));
    card.dataset.active = "";
    if (event.target.matches("tbody .pick input")) {
      const boxes = picks(card);
      if (event.shiftKey && lastPick && boxes.includes(lastPick)) {
        const [a, b] = [boxes.indexOf(lastPick), boxes.indexOf(event.target)].sort((x, y) => x - y);
        boxes.slice(a, b + 1).forEach((box) => { box.checked = event.target.checked; });
      }
      lastPick = event.target;
    } else if (event.target.closest("[data-clear-selection]")) picks(card).forEach((b) => { b.checked = false; });
    if (!event.target.matches("thead .pick input")) refresh(card); // that one's own change comes after its click
  });
  document.addEventListener("change", (event) => {
    const bar = event.target.closest(".k-bulk");
    if (bar) ready(bar);
    const card = event.target.closest(".k-table-card[data-table]");
    if (card && event.target.matches("thead .pick input")) {
      picks(card).forEach((b) => { b.checked = event.target.checked; });
      refresh(card);
    }
  });
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]")) return;
    if (event.target.closest("input:not([type=checkbox]),textarea,select,[contenteditable]")) return;
    const card = active();
    if (!card) return;
    const row = card.querySelector("tr.cursor");
    const go = (selector) => card.querySelector(selector)?.click();
    if (event.key === "j") move(card, 1);
    else if (event.key === "k") move(card, -1);
    else if (event.key === "Enter" && row && !event.target.closest("a,button")) row.querySelector("a.row-link")?.click();
    else if (event.key === "x" && row) { const box = row.querySelector(".pick input"); if (box) { box.checked = !box.checked; refresh(card); } }
    else if (event.key === "n") go("[data-page=next]");
    else if (event.key === "p") go("[data-page=previous]");
    else return;
    event.preventDefault();
  });
  // The search box survives the swap with what was typed meanwhile; when it isn't being typed in, it shows the list's words.
  // A choice of several that is open stays open over the swap that its own boxes cause; Escape or a click elsewhere shuts it.
  let typing = null;
  let unfolded = [];
  const several = () => document.querySelectorAll("details.k-several[open]");
  document.addEventListener("click", (event) => several().forEach((one) => one.contains(event.target) || one.removeAttribute("open")));
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    several().forEach((one) => { one.removeAttribute("open"); one.querySelector("summary").focus(); });
  });
  document.addEventListener("htmx:before:swap", () => {
    unfolded = [...several()].map((one) => one.id);
    const box = document.activeElement;
    typing = box?.matches?.(".k-toolbar input[type=search]") ? [box.id, box.selectionStart, box.selectionEnd] : null;
  });
  document.addEventListener("htmx:after:swap", () => {
    unfolded.forEach((id) => document.getElementById(id)?.setAttribute("open", ""));
    unfolded = [];
    cards().forEach((card) => {
      refresh(card);
      const box = card.querySelector(".k-toolbar input[type=search]");
      if (!box) return;
      if (typing?.[0] === box.id) {
        if (document.activeElement !== box) { box.focus(); box.setSelectionRange(typing[1], typing[2]); }
      } else box.value = card.dataset.words || "";
    });
  });
  window.addEventListener("pageshow", () => cards().forEach(refresh));
  restore();
})();
