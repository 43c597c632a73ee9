// The reference of the API: opens what an address points at, and filters the operations.
(() => {
  const input = document.querySelector("#docs-filter");
  const count = document.querySelector("#docs-count");
  const operations = [...document.querySelectorAll("[data-docs-words]")].map((element) => ({ element, words: element.dataset.docsWords.toLowerCase() }));
  const sections = [...document.querySelectorAll("[data-docs-operations]")];
  const general = [...document.querySelectorAll("[data-docs-general]")];

  const apply = () => {
    const asked = input.value.toLowerCase().split(/\s+/).filter(Boolean);
    let shown = 0;
    for (const { element, words } of operations) {
      element.hidden = !asked.every((word) => words.includes(word));
      if (!element.hidden) shown += 1;
    }
    for (const section of sections) section.hidden = !section.querySelector("[data-docs-words]:not([hidden])");
    for (const section of general) section.hidden = asked.length > 0;
    for (const link of document.querySelectorAll("[data-docs-group]")) link.hidden = document.querySelector(link.hash).hidden;
    count.textContent = asked.length ? `${shown} of ${operations.length}` : "";
  };

  const open = () => {
    const target = location.hash && document.getElementById(decodeURIComponent(location.hash.slice(1)));
    if (!target) return;
    if (target.closest("[hidden]")) {
      input.value = "";
      apply();
    }
    if (target.tagName === "DETAILS") target.open = true;
    target.scrollIntoView({ behavior: "instant" });
  };

  input.parentElement.hidden = false;
  input.addEventListener("input", apply);
  document.addEventListener("keydown", (event) => {
    if (event.key !== "/" || event.ctrlKey || event.metaKey || event.altKey || /^(INPUT|TEXTAREA|SELECT)$/.test(document.activeElement.tagName)) return;
    event.preventDefault();
    input.focus();
  });
  document.querySelector("#docs-nav").open = matchMedia("(min-width: 62rem)").matches;
  window.addEventListener("hashchange", open);
  open();
})();
