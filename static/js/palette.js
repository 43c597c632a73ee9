// Ctrl-K / ⌘K: jump to a page or find a record. Results are HTML from the server; arrows move, Enter opens. ? lists the keys.
(() => {
  const dialog = document.getElementById("k-palette");
  if (!dialog) return;
  const input = dialog.querySelector("input");
  const list = dialog.querySelector("[role=listbox]");
  let timer, running;
  const items = () => [...list.querySelectorAll(".k-palette-item")];
  const current = () => items().findIndex((i) => i.getAttribute("aria-selected") === "true");
  const select = (index) => {
    const all = items();
    if (!all.length) return input.removeAttribute("aria-activedescendant");
    const at = (index + all.length) % all.length;
    all.forEach((item, i) => { item.setAttribute("aria-selected", String(i === at)); item.id = `k-palette-${i}`; });
    all[at].scrollIntoView({ block: "nearest" });
    input.setAttribute("aria-activedescendant", all[at].id);
  };
  const load = async () => {
    running?.abort();
    running = new AbortController();
    try {
      const url = `${dialog.dataset.url}?q=${encodeURIComponent(input.value)}`;
      const answer = await fetch(url, { signal: running.signal, headers: { "HX-Request": "true" }, credentials: "same-origin" });
      if (!answer.ok || answer.redirected) return;
      list.innerHTML = await answer.text();
      select(0);
    } catch (error) {
      if (error.name !== "AbortError") list.textContent = window.keelson.text("errorNetwork");
    }
  };
  const open = () => {
    if (dialog.open) return;
    dialog.showModal();
    input.select();
    load();
  };
  document.addEventListener("keydown", (event) => {
    if ((event.ctrlKey || event.metaKey) && !event.altKey && event.key.toLowerCase() === "k") {
      event.preventDefault();
      dialog.open ? dialog.close() : open();
    } else if (event.key === "/" && !event.target.closest("input,textarea,select,[contenteditable],dialog[open]")) {
      event.preventDefault();
      const box = document.querySelector(".k-table-card .search input");
      box ? box.focus() : open();
    }
  });
  document.addEventListener("click", (event) => { if (event.target.closest("[data-palette]")) open(); });

  // ?: which keys there are. Those of this page's own buttons are read from the buttons.
  const keys = document.getElementById("k-keys");
  const wordsOf = (button) => {
    if (button.title) return button.title.replace(/\s*\(.\)$/, "");
    const copy = button.cloneNode(true);
    copy.querySelectorAll("kbd, svg").forEach((one) => one.remove());
    return copy.textContent.trim();
  };
  const line = (words, key) => {
    const row = document.createElement("div");
    row.append(Object.assign(document.createElement("dt"), { textContent: words }), document.createElement("dd"));
    row.lastChild.append(Object.assign(document.createElement("kbd"), { textContent: key }));
    return row;
  };
  const showKeys = () => {
    const own = keys.querySelector("[data-own]");
    const buttons = [...document.querySelectorAll("[data-key], [data-story-key]")].filter((one) => one.offsetParent !== null);
    own.replaceChildren(...buttons.map((one) => line(wordsOf(one), one.dataset.key || one.dataset.storyKey)));
    const pages = [...document.querySelectorAll("[data-page-key]")];
    keys.querySelector("[data-pages]").replaceChildren(...pages.map((one) => line(one.textContent, one.dataset.pageKey)));
    keys.querySelectorAll("[data-where]").forEach((part) => {
      part.hidden = !document.querySelector(part.dataset.where) || !part.querySelector("dl").children.length;
    });
    keys.showModal();
  };
  document.addEventListener("keydown", (event) => {
    if (event.key !== "?" || event.target.closest("input,textarea,select,[contenteditable],dialog[open]")) return;
    event.preventDefault();
    showKeys();
  });
  document.addEventListener("click", (event) => { if (event.target.closest("[data-keys]")) showKeys(); });
  input.addEventListener("input", () => { clearTimeout(timer); timer = setTimeout(load, 120); });
  input.addEventListener("keydown", (event) => {
    if (event.key === "ArrowDown") { event.preventDefault(); select(current() + 1); }
    else if (event.key === "ArrowUp") { event.preventDefault(); select(current() - 1); }
    else if (event.key === "Enter") {
      event.preventDefault();
      const item = items()[current()];
      if (item) event.ctrlKey || event.metaKey ? window.open(item.href, "_blank", "noopener") : window.location.assign(item.href);
    }
  });
})();
