// The batch view: a picture is fetched when its card is on screen, and a card can be ticked only once its picture was seen there.
(() => {
  const form = document.querySelector("[data-batch]");
  if (!form) return;
  const SEEN_MS = 700, SHARE = 0.6;
  const cards = [...form.querySelectorAll("[data-card]")];
  const box = (card) => card.querySelector("input[name=items]");
  const button = form.querySelector("button[name=step]");
  const count = () => {
    const ready = cards.filter((card) => box(card).checked).length;
    form.querySelector("[data-ready]").textContent = ready;
    button.disabled = ready === 0;
  };
  const see = (card) => {
    if (!card.dataset.loaded || !card.dataset.visible || card.dataset.seen) return;
    clearTimeout(card.timer);
    card.timer = setTimeout(() => {
      if (!card.dataset.visible || document.hidden) return;
      card.dataset.seen = "1";
      box(card).disabled = false;
      box(card).checked = true;
      count();
    }, SEEN_MS);
  };
  const watcher = new IntersectionObserver((entries) => entries.forEach(({ target, isIntersecting }) => {
    const card = target.closest("[data-card]");
    if (isIntersecting) card.dataset.visible = "1"; else { delete card.dataset.visible; clearTimeout(card.timer); }
    const image = card.querySelector("image");
    if (isIntersecting && !image.getAttribute("href")) {
      image.addEventListener("load", () => { card.dataset.loaded = "1"; see(card); });
      image.setAttribute("href", card.dataset.href);
    }
    see(card);
  }), { threshold: SHARE });
  cards.forEach((card) => watcher.observe(card.querySelector(".kyc-batch-page")));
  document.addEventListener("visibilitychange", () => cards.forEach(see));
  form.addEventListener("change", count);

  let current = -1;
  const focus = (index) => { current = Math.max(0, Math.min(cards.length - 1, index)); cards[current].focus(); cards[current].scrollIntoView({ block: "nearest" }); };
  cards.forEach((card, index) => card.addEventListener("focusin", () => { current = index; }));
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]") || event.target.closest("textarea,select,input:not([type=checkbox])")) return;
    if (event.key === "j" || event.key === "k") focus(current + (event.key === "j" ? 1 : -1));
    else if (event.key === "x" && cards[current] && !box(cards[current]).disabled) { box(cards[current]).checked = !box(cards[current]).checked; count(); }
    else if (event.key === "o" && cards[current]) cards[current].querySelector("[data-open]").click();
    else return;
    event.preventDefault();
  });
  count();
})();
