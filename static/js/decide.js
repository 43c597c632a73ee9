// Decisions from the keyboard: a approves, r opens the rejection, n goes to the next one that waits.
(() => {
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]")) return;
    if (event.target.closest("input,textarea,select,[contenteditable]")) return;
    const reject = document.querySelector("[data-reject]");
    if (event.key === "r" && reject) {
      event.preventDefault();
      reject.open = true;
      reject.querySelector("textarea").focus();
      return;
    }
    const button = document.querySelector(`[data-key="${CSS.escape(event.key)}"]`);
    if (!button || button.offsetParent === null) return;
    event.preventDefault();
    button.click();
  });
})();
