// A possible match: as soon as a reason is chosen that the comparison contradicts, the page says so.
(() => {
  const contradictions = document.getElementById("contradictions");
  const warning = document.querySelector("[data-contradiction]");
  if (!contradictions || !warning) return;
  const texts = JSON.parse(contradictions.textContent);
  const reason = warning.closest("form").elements.reason_code;
  const show = () => {
    warning.textContent = texts[reason.value] || "";
    warning.hidden = !warning.textContent;
  };
  reason.addEventListener("change", show);
  show();
})();
