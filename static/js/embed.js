// For pages of other sites: puts an enquiry form where <div data-lead-form="address"> is, as high as the form needs.
(() => {
  const TAGS = ["utm_source", "utm_medium", "utm_campaign", "utm_term", "utm_content", "gclid", "fbclid", "msclkid", "ttclid", "click_id", "ref", "ib", "sub_id", "subid", "sub", "aff_sub", "s1"];
  const HEIGHT_MAX = 4000;
  const frames = [];
  const put = (place) => {
    const url = new URL(place.dataset.leadForm);
    const here = new URLSearchParams(window.location.search);
    for (const tag of TAGS) if (here.get(tag)) url.searchParams.set(tag, here.get(tag).slice(0, 200));
    const frame = document.createElement("iframe");
    frame.src = url.href;
    frame.title = place.dataset.title || "Form";
    Object.assign(frame.style, { width: "100%", height: "720px", borderWidth: "0", display: "block" });
    place.replaceChildren(frame);
    place.removeAttribute("data-lead-form");
    frames.push({ frame, origin: url.origin });
  };
  window.addEventListener("message", (event) => {
    const from = frames.find(({ frame, origin }) => event.origin === origin && event.source === frame.contentWindow);
    const height = from && event.data && Number(event.data.leadFormHeight);
    if (height > 0) from.frame.style.height = `${Math.min(Math.ceil(height), HEIGHT_MAX)}px`;
  });
  const start = () => document.querySelectorAll("[data-lead-form]").forEach(put);
  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", start);
  else start();
})();
