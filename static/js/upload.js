// <form data-upload>: drop zone, size check before sending, a progress bar that moves, and the server's words on failure:
// a form that came back with 422 takes the page's place, with its reason in view and in focus.
(() => {
  const size = (bytes) => (bytes > 1048576 ? `${(bytes / 1048576).toFixed(1)} MB` : `${Math.ceil(bytes / 1024)} kB`);
  const say = (form, message, tone) => {
    const box = form.querySelector("[data-upload-message]");
    if (box) { box.textContent = message; box.className = tone === "danger" ? "invalid-feedback" : "form-hint"; box.hidden = !message; }
  };
  const show = (zone) => {
    const input = zone.querySelector("input[type=file]");
    const name = zone.querySelector("[data-file-name]");
    const limit = Number(input.dataset.maxBytes || 0);
    const files = [...input.files];
    if (name) name.textContent = files.map((f) => `${f.name} (${size(f.size)})`).join(", ") || name.dataset.empty || "";
    const large = limit && files.find((f) => f.size > limit);
    input.setCustomValidity(large ? input.dataset.tooLarge || "" : "");
    if (large) { say(input.form, input.dataset.tooLarge, "danger"); input.value = ""; } else say(input.form, "");
    if (!large && files.length && input.form.dataset.upload === "auto") input.form.requestSubmit();
  };
  for (const kind of ["dragover", "dragleave", "drop"])
    document.addEventListener(kind, (event) => {
      const zone = event.target.closest?.(".k-dropzone");
      if (!zone) return;
      event.preventDefault();
      zone.classList.toggle("over", kind === "dragover");
      if (kind === "drop" && event.dataTransfer.files.length) {
        zone.querySelector("input[type=file]").files = event.dataTransfer.files;
        show(zone);
      }
    });
  document.addEventListener("change", (event) => {
    const zone = event.target.closest(".k-dropzone");
    if (zone && event.target.type === "file") show(zone);
  });
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (!form.matches("[data-upload]") || event.defaultPrevented) return;
    event.preventDefault();
    const bar = form.querySelector("progress");
    const button = form.querySelector("[type=submit]");
    const request = new XMLHttpRequest();
    request.open("POST", form.action);
    request.setRequestHeader("X-CSRFToken", window.keelson.csrf());
    request.setRequestHeader("X-Requested-With", "XMLHttpRequest");
    request.setRequestHeader("X-Upload", "1");
    const done = () => { if (button) button.disabled = false; if (bar) bar.hidden = true; };
    request.upload.addEventListener("progress", (e) => { if (bar && e.lengthComputable) { bar.hidden = false; bar.max = e.total; bar.value = e.loaded; } });
    request.addEventListener("load", () => {
      done();
      const isPage = (request.getResponseHeader("Content-Type") || "").startsWith("text/html");
      if (request.status < 400 || (request.status === 422 && isPage)) {
        const next = request.getResponseHeader("X-Location");
        if (next) return location.assign(next);
        // Same address: the server answered with the form again (422, with the reason in it) or with a page to show.
        const main = document.getElementById("main");
        const fresh = new DOMParser().parseFromString(request.responseText, "text/html").getElementById("main");
        if (!main || !fresh) return location.reload();
        main.replaceChildren(...fresh.childNodes);
        window.htmx?.process(main);
        const reason = main.querySelector(".k-alert, .is-invalid, .errorlist");
        if (reason) {
          reason.scrollIntoView({ block: "center" });
          if (!reason.matches("input,select,textarea")) reason.tabIndex = -1;
          reason.focus({ preventScroll: true });
        }
      } else if (request.status === 413) say(form, form.querySelector("input[type=file]")?.dataset.tooLarge || window.keelson.text("errorBody"), "danger");
      else {
        let message = "";
        try { message = JSON.parse(request.responseText).message; } catch { /* an HTML page */ }
        say(form, message || window.keelson.text("errorBody"), "danger");
      }
    });
    request.addEventListener("error", () => { done(); say(form, window.keelson.text("errorNetwork"), "danger"); });
    if (button) button.disabled = true;
    request.send(new FormData(form, event.submitter));
  });
})();
