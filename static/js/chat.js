// A chat: stays at its newest line, sends with Enter, puts canned answers in; asks every five seconds where no live stream gets through.
(() => {
  const log = () => document.getElementById("chat-lines");
  const field = () => document.querySelector("[data-chat-text]");
  const toEnd = () => { const box = log(); if (box) box.scrollTop = box.scrollHeight; };
  document.addEventListener("keydown", (event) => {
    if (!event.target.matches?.("[data-chat-text]") || event.key !== "Enter" || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    if (event.target.value.trim()) event.target.form.requestSubmit();
  });
  document.addEventListener("click", (event) => {
    const text = event.target.closest("[data-chat-answer]")?.dataset.chatAnswer;
    const box = field();
    if (!text || !box) return;
    box.setRangeText(text, box.selectionStart, box.selectionEnd, "end");
    box.focus();
  });
  document.addEventListener("htmx:after:swap", () => {
    toEnd();
    if (document.activeElement === document.body) field()?.focus({ preventScroll: true });
  });
  setInterval(() => {
    if (document.documentElement.dataset.live !== "on" && document.visibilityState === "visible")
      log()?.dispatchEvent(new CustomEvent("k:chat:poll"));
  }, 5000);
  toEnd();
})();
