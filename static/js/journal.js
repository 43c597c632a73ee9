// The manual journal's form: accounts found while typing, lines added, and what each currency sums to.
(() => {
  const form = document.querySelector("[data-journal]");
  if (!form) return;
  const lines = form.querySelector("[data-lines]");
  const sums = form.querySelector("[data-sums]");
  const options = document.getElementById("journal-accounts");
  const currencies = new Map();
  let timer = 0;
  let asked = 0;

  // As the server reads it: the last of two different marks is the decimal one; one alone before three digits depends on the language.
  const sign = new Intl.NumberFormat(document.documentElement.lang || "en").format(1.5).charAt(1);
  const typed = (text) => {
    text = text.replace(/[\s'’]/g, "");
    const marks = text.match(/[.,]/g) || [];
    const last = marks[marks.length - 1];
    let mark = last || "";
    if (new Set(marks).size === 2) mark = marks.filter((one) => one === last).length === 1 ? last : "";
    else if (marks.length > 1) mark = "";
    else if (last && text.length - text.lastIndexOf(last) === 4 && last !== sign) mark = "";
    const at = mark ? text.lastIndexOf(mark) : text.length;
    const plain = text.slice(0, at).replace(/[.,]/g, "") + (mark ? "." + text.slice(at + 1) : "");
    return /^\d+(\.\d+)?$/.test(plain) ? Math.round(Number(plain) * 1e8) : 0;
  };
  const currencyOf = (line) => {
    const number = parseInt(line.querySelector("[data-account]").value, 10);
    return currencies.get(number) || line.dataset.currency || "";
  };
  const show = () => {
    const totals = new Map();
    for (const line of lines.querySelectorAll("[data-line]")) {
      const currency = currencyOf(line);
      const [debit, credit] = ["debit", "credit"].map((name) => typed(line.querySelector(`[name=${name}]`).value));
      if (!currency || !(debit || credit)) continue;
      totals.set(currency, (totals.get(currency) || 0) + credit - debit);
    }
    sums.replaceChildren(
      ...[...totals].sort().map(([currency, total]) => {
        const badge = document.createElement("span");
        badge.className = `k-badge tone-${total ? "danger" : "success"}`;
        const amount = (Math.abs(total) / 1e8).toLocaleString(document.documentElement.lang || "en", { minimumFractionDigits: 2, maximumFractionDigits: 8 });
        badge.textContent = total ? `${currency} ${form.dataset.off} ${amount}` : `${currency} ${form.dataset.balanced}`;
        return badge;
      }),
    );
  };
  const find = async (words) => {
    const mine = ++asked;
    const query = new URLSearchParams({ brand: form.elements.brand.value, q: words });
    const answer = await fetch(`${form.dataset.journal}?${query}`, { headers: { Accept: "application/json" } });
    if (!answer.ok || mine !== asked) return;
    const { accounts } = await answer.json();
    options.replaceChildren(
      ...accounts.map((account) => {
        currencies.set(account.id, account.currency);
        const option = document.createElement("option");
        option.value = account.text;
        return option;
      }),
    );
    show();
  };
  form.addEventListener("input", (event) => {
    if (event.target.matches("[data-account]")) {
      clearTimeout(timer);
      const words = event.target.value;
      if (!words.includes("·")) timer = setTimeout(() => find(words), 180);
    }
    show();
  });
  form.addEventListener("focusin", (event) => {
    if (event.target.matches("[data-account]") && !event.target.value) find("");
  });
  form.addEventListener("change", (event) => {
    if (event.target === form.elements.brand) options.replaceChildren();
    show();
  });
  form.addEventListener("click", (event) => {
    if (event.target.closest("[data-add]")) {
      lines.append(form.querySelector("[data-blank]").content.cloneNode(true));
      lines.lastElementChild.querySelector("[data-account]").focus();
    }
    const remove = event.target.closest("[data-remove]");
    if (remove && lines.children.length > 2) remove.closest("[data-line]").remove();
    show();
  });
  show();
})();
