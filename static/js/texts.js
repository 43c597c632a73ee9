// The editor of a brand's texts: a click on a variable puts it where the cursor was.
(() => {
  let field = null;
  document.addEventListener("focusin", (event) => {
    if (event.target.matches("#id_heading, #id_body")) field = event.target;
  });
  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-insert]");
    if (!button) return;
    const into = field ?? document.getElementById("id_body");
    into.setRangeText(`{{ ${button.dataset.insert} }}`, into.selectionStart, into.selectionEnd, "end");
    into.focus();
    into.dispatchEvent(new Event("input", { bubbles: true }));
  });
})();
