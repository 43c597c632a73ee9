// The trader's room: selects that reload their page, and the way on to a payment page.
(() => {
  document.documentElement.dataset.scripts = "on";
  document.addEventListener("change", (event) => {
    const reload = event.target.dataset?.reloadWith || (event.target.matches("[data-autosubmit-get]") ? event.target.name : "");
    if (reload) {
      const address = new URL(window.location.href);
      for (const name of new Set([reload, "currency", "amount"])) {
        const value = event.target.form.elements[name]?.value;
        if (value) address.searchParams.set(name, value);
      }
      window.location.assign(address);
    }
  });
  // The time that is left to pay; the fragment around it is replaced now and then.
  const left = () => {
    for (const place of document.querySelectorAll("[data-countdown]")) {
      const seconds = Math.max(0, Math.floor((new Date(place.dataset.countdown) - Date.now()) / 1000));
      const parts = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60];
      place.textContent = "(" + parts.map((part) => String(part).padStart(2, "0")).join(":") + ")";
    }
  };
  left();
  setInterval(left, 1000);
  const onwards = document.querySelector("[data-go-on]");
  if (onwards) setTimeout(() => window.location.assign(onwards.href), 900);
})();
