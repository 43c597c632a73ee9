(() => {
  const home = new URL(document.currentScript.src).href.split("/sdk/")[0];
  // Adyen Web, played: the same names, two calls.
  const ask = async (config, what, body) => {
    const address = `${home}/v1/sessions/${config.session.id}/${what}?clientKey=${encodeURIComponent(config.clientKey)}`;
    const answer = await fetch(address, { method: "POST", body: JSON.stringify({ sessionData: config.session.sessionData, ...body }) });
    if (!answer.ok) throw new Error(`${what}: ${answer.status}`);
    return answer.json();
  };
  const AdyenCheckout = async (config) => ({ config, said: await ask(config, "setup", {}), submitDetails() { config.onPaymentCompleted({}); } });
  class Card {
    constructor(checkout) { this.checkout = checkout; }
    mount(place) {
      const { config, said } = this.checkout;
      const form = document.createElement("form");
      form.className = "adyen-checkout__card-input";
      for (const [name, label, value] of [["holder", "Name on card", ""], ["number", "Card number", "4242 4242 4242 4242"], ["expiry", "Expiry (MM/YY)", "12/39"], ["cvc", "Security code", ""]]) {
        const field = document.createElement("label");
        field.textContent = label;
        const input = document.createElement("input");
        Object.assign(input, { name, value, required: true });
        field.append(input);
        form.append(field);
      }
      const button = document.createElement("button");
      button.textContent = `Pay ${said.shown}`;
      form.append(button);
      form.addEventListener("submit", async (event) => {
        event.preventDefault();
        button.disabled = true;
        try {
          const result = await ask(config, "payments", { card: Object.fromEntries(new FormData(form)) });
          (result.resultCode === "Authorised" ? config.onPaymentCompleted : config.onPaymentFailed)(result);
        } catch (error) { config.onError(error); }
      });
      place.replaceChildren(form);
      return this;
    }
  }
  window.AdyenWeb = { AdyenCheckout, Card };
})();
