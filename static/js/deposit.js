// The deposit page: round amounts to choose from, and what reaches the wallet after the method's fee.
(() => {
  const form = document.querySelector("[data-deposit]");
  if (!form) return;
  const amount = form.elements.amount;
  const net = form.querySelector("[data-net]");
  const line = form.querySelector("[data-you-get]");
  const places = Number(form.dataset.places);
  const quick = form.querySelector("[data-quick]");
  if (quick) quick.hidden = false;

  // As the server reads it: the last of two different marks is the decimal one; a lone mark before three digits groups.
  const typed = () => {
    const text = amount.value.replace(/[\s'’]/g, "");
    const marks = text.match(/[.,]/g) || [];
    const last = text.lastIndexOf(marks[marks.length - 1] || "\u0000");
    const isGroup = new Set(marks).size === 1 && (marks.length > 1 || text.length - last === 4);
    const plain = !marks.length || isGroup ? text.replace(/[.,]/g, "") : text.slice(0, last).replace(/[.,]/g, "") + "." + text.slice(last + 1);
    return /^\d+(\.\d+)?$/.test(plain) ? Number(plain) : NaN;
  };
  const show = () => {
    const chosen = form.querySelector("input[name=method]:checked");
    const minor = Math.round(typed() * 10 ** places);
    if (!chosen || !(minor > 0)) {
      line.hidden = true;
      return;
    }
    const fee = Math.min(Math.round((minor * Number(chosen.dataset.points)) / 10000) + Number(chosen.dataset.fixed), minor);
    net.textContent = ((minor - fee) / 10 ** places).toLocaleString(document.documentElement.lang || "en", { minimumFractionDigits: places, maximumFractionDigits: places });
    line.hidden = fee === 0;
  };
  form.addEventListener("input", show);
  form.addEventListener("change", show);
  form.addEventListener("click", (event) => {
    const button = event.target.closest("[data-amount]");
    if (!button) return;
    amount.value = button.dataset.amount;
    amount.focus();
    show();
  });
  show();
})();
