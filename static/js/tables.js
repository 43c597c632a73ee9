// Tables from the keyboard (j/k move, Enter opens, Space shows a summary, x selects, n/p turn the page), selection, a state
// changed in its row.
(() => {
  const cards = () => [...document.querySelectorAll(".k-table-card[data-table]")];
  const active = () => document.querySelector(".k-table-card[data-active]") || cards().find((c) => c.offsetParent);
  const rows = (card) => [...card.querySelectorAll("tbody tr[data-id]")];
  const mark = (card, row) => {
    rows(card).forEach((r) => r.classList.toggle("cursor", r === row));
    row.scrollIntoView({ block: "nearest" });
  };
  const move = (card, step) => {
    const all = rows(card);
    if (!all.length) return;
    const at = all.findIndex((r) => r.classList.contains("cursor"));
    mark(card, all[Math.max(0, Math.min(all.length - 1, at < 0 ? (step > 0 ? 0 : all.length - 1) : at + step))]);
    if (panel) peek(card, PAUSE);
  };

  // ----- The side panel: the summary of the row under the cursor. It takes the focus, so that it is read aloud; j and k go on.
  const PAUSE = 180; // a row that is only passed by is not opened: each summary is a view of the record, and logged
  let panel = null;
  let waiting = 0;
  const peek = (card, pause = 0) => {
    const row = card.querySelector("tr.cursor");
    if (!row || !card.dataset.peek) return;
    clearTimeout(waiting);
    waiting = setTimeout(() => {
      if (!panel) {
        panel = Object.assign(document.createElement("aside"), { id: "k-peek", className: "k-peek" });
        panel.setAttribute("role", "dialog");
        panel.setAttribute("aria-label", card.dataset.sayPeek);
        document.body.append(panel);
      }
      panel.dataset.row = row.dataset.id;
      htmx.ajax("GET", `${card.dataset.peek.replace("/0/", `/${row.dataset.id}/`)}?${card.dataset.query}`, { target: "#k-peek", swap: "innerHTML" });
    }, pause);
  };
  const shut = () => {
    clearTimeout(waiting);
    const row = document.querySelector(`.k-table-card tr[data-id="${panel.dataset.row}"]`);
    panel.remove();
    panel = null;
    row?.querySelector("a.row-link")?.focus({ preventScroll: true });
  };
  document.addEventListener("htmx:after:swap", (event) => {
    if (panel && event.detail.ctx?.target === panel) panel.querySelector("h2")?.focus();
  });
  document.addEventListener("htmx:before:swap", (event) => {
    if (panel && event.detail.ctx?.target === panel && event.detail.ctx.response?.status >= 400) shut();
  });

  // ----- A state changed where it stands: the badge's menu, then the row as the server has it.
  let changing = null;
  const menuOf = (button) => document.getElementById(button.getAttribute("aria-controls"));
  const offer = (button) => {
    const menu = menuOf(button);
    if (!menu) return;
    changing = button;
    menu.showPopover();
    const [at, box] = [button.getBoundingClientRect(), menu.getBoundingClientRect()];
    const below = at.bottom + 4 + box.height < window.innerHeight;
    menu.style.top = `${below ? at.bottom + 4 : Math.max(4, at.top - 4 - box.height)}px`;
    menu.style.left = `${Math.max(4, Math.min(at.left, window.innerWidth - box.width - 4))}px`;
    menu.querySelector("button")?.focus();
  };
  const send = (url, row, values) => htmx.ajax("POST", url, { target: row, swap: "outerHTML", values });
  document.addEventListener("click", (event) => {
    const button = event.target.closest(".k-move");
    if (button) return offer(button);
    const choice = event.target.closest(".k-moves [data-to]");
    if (!choice || !changing) return;
    const [card, row, column] = [changing.closest(".k-table-card"), changing.closest("tr"), changing.dataset.column];
    choice.closest(".k-moves").hidePopover();
    send(card.dataset.moveUrl.replace("/0/", `/${row.dataset.id}/`), row, { column, to: choice.dataset.to, query: card.dataset.query });
    changing = null;
  });
  document.addEventListener("keydown", (event) => {
    const menu = event.target.closest?.(".k-moves");
    if (!menu || !["ArrowDown", "ArrowUp"].includes(event.key)) return;
    const all = [...menu.querySelectorAll("button")];
    all[(all.indexOf(event.target) + (event.key === "ArrowDown" ? 1 : all.length - 1)) % all.length].focus();
    event.preventDefault();
  });
  document.addEventListener("k:undo", ({ detail }) => {
    const row = document.querySelector(`.k-table-card[data-move-url] tr[data-id="${detail.row}"]`);
    if (row) send(detail.url, row, detail.values);
  });
  // The first column casts its shadow once something has gone below it.
  document.addEventListener("scroll", (event) => {
    if (event.target.matches?.(".k-scroll")) event.target.classList.toggle("is-moved", event.target.scrollLeft !== 0);
  }, true);
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
    const row = event.target.closest("tbody tr[data-id]");
    if (row && !event.target.closest("a, button, input, label, summary")) {
      mark(card, row);
      if (panel) peek(card);
    }
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
    if (event.target.closest("input:not([type=checkbox]),textarea,select,[contenteditable],[popover]")) return;
    if (event.key === " " && event.target.matches("a[role=button]")) {
      event.preventDefault();
      return event.target.click();
    }
    const card = active();
    if (!card) return;
    if (panel && event.key === "Escape") return shut();
    const row = card.querySelector("tr.cursor");
    const go = (selector) => card.querySelector(selector)?.click();
    if (event.key === "j") move(card, 1);
    else if (event.key === "k") move(card, -1);
    else if (event.key === "Enter" && row && !event.target.closest("a,button")) row.querySelector("a.row-link")?.click();
    else if (event.key === " " && row && card.dataset.peek && !event.target.closest("a,button,input,summary")) panel ? shut() : peek(card);
    else if (event.key === "x" && row) { const box = row.querySelector(".pick input"); if (box) { box.checked = !box.checked; refresh(card); } }
    else if (event.key === "n") go("[data-page=next]");
    else if (event.key === "p") go("[data-page=previous]");
    else return;
    event.preventDefault();
  });
  // The search box survives the swap with what was typed meanwhile; when it isn't being typed in, it shows the list's words.
  // A choice of several that is open stays open over the swap that its own boxes cause.
  let typing = null;
  let unfolded = [];
  const several = () => document.querySelectorAll("details.k-several[open]");
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
  document.addEventListener("click", (event) => {
    if (panel && event.target.closest(".k-peek [data-shut]")) shut();
  });
  window.addEventListener("pageshow", () => cards().forEach(refresh));
  restore();
})();
