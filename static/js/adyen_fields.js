// Adyen's card fields on our page (Adyen Web 6, sessions flow). What became of the payment is told by the webhook: here one only goes on.
(() => {
  const place = document.querySelector("[data-fields]");
  if (!place) return;
  const said = place.dataset;
  const goOn = () => window.location.assign(said.done);
  const trouble = () => { document.querySelector("[data-fields-trouble]").hidden = false; };
  const start = async () => {
    const { AdyenCheckout, Card } = window.AdyenWeb;
    const back = new URLSearchParams(window.location.search).get("redirectResult");
    const checkout = await AdyenCheckout({
      clientKey: said.clientKey,
      environment: said.environment,
      countryCode: said.country,
      locale: said.locale,
      session: back ? { id: said.session } : { id: said.session, sessionData: said.sessionData },
      onPaymentCompleted: goOn,
      onPaymentFailed: goOn,
      onError: trouble,
    });
    if (back) checkout.submitDetails({ details: { redirectResult: back } });
    else new Card(checkout).mount(place);
  };
  if (window.AdyenWeb) start().catch(trouble);
  else trouble();
})();
