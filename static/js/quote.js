// The time that a quoted rate still holds. When it is over the rate can't be confirmed any more; a new one is a click away.
(() => {
  const form = document.querySelector("[data-quote]");
  if (!form) return;
  const until = performance.now() + Number(form.dataset.quote) * 1000;
  const left = form.querySelector("[data-left]");
  const confirm = form.querySelector("[data-confirm-quote]");
  const tick = () => {
    const seconds = Math.max(0, Math.ceil((until - performance.now()) / 1000));
    left.textContent = `${seconds} s`;
    if (seconds > 0) return;
    clearInterval(timer);
    confirm.disabled = true;
    form.querySelector("[data-new-quote]").classList.add("btn-primary");
  };
  const timer = setInterval(tick, 250);
  tick();
})();
