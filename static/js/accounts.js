// Sign-in pages: passkeys, the demo's logins, the strength of a new password, recovery codes that were really saved.
(() => {
  const numeric = /^(\d{1,3}\.){3}\d{1,3}$|^\[/;
  const say = (form, key) => {
    const box = form.querySelector("[data-passkey-message]");
    if (box) { box.textContent = key ? box.dataset[key] : ""; box.hidden = !key; }
  };
  const options = () => JSON.parse(document.getElementById("passkey-options").textContent);
  const loginOptions = async (form) => {
    const answer = await fetch(form.action, { headers: { Accept: "application/json" } });
    if (!answer.ok) throw new Error("no options");
    return (await answer.json()).request_options;
  };
  const create = (form) => {
    const wanted = options().creation_options;
    const alone = form.querySelector("[name=passwordless]")?.checked;
    const selection = wanted.publicKey.authenticatorSelection;
    selection.residentKey = alone ? "required" : "discouraged";
    selection.requireResidentKey = Boolean(alone);
    if (alone) selection.userVerification = "required";
    return window.webauthnJSON.create(wanted);
  };
  const ask = async (form) => {
    if (form.matches("[data-passkey-login]")) return window.webauthnJSON.get(await loginOptions(form));
    return form.dataset.passkey === "create" ? create(form) : window.webauthnJSON.get(options().request_options);
  };
  document.addEventListener("submit", async (event) => {
    const form = event.target;
    if (!form.matches("[data-passkey], [data-passkey-login]")) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    say(form, "");
    if (!window.webauthnJSON?.supported()) return say(form, "unsupported");
    if (numeric.test(window.location.hostname)) return say(form, "address");
    const button = form.querySelector("[data-passkey-start]");
    button.disabled = true;
    try {
      form.elements.credential.value = JSON.stringify(await ask(form));
      form.submit();
    } catch (error) {
      button.disabled = false;
      say(form, { NotAllowedError: "cancelled", InvalidStateError: "known", SecurityError: "address" }[error.name] || "failed");
    }
  }, true);

  document.addEventListener("click", (event) => {
    const login = event.target.closest("[data-demo-login]");
    const form = document.querySelector("form[data-sign-in]");
    if (login && form) {
      form.elements.login.value = login.dataset.demoLogin;
      form.elements.password.value = login.dataset.demoPassword;
      form.requestSubmit();
    }
    const code = event.target.closest("[data-demo-code]");
    if (code) {
      code.form.elements.code.value = code.dataset.demoCode;
      code.form.requestSubmit();
    }
  });

  // A hint, not a rule: the server decides. Length counts most, then the variety of characters.
  document.addEventListener("input", (event) => {
    const bar = document.querySelector("[data-strength-bar]");
    if (!bar || !event.target.matches("[data-strength]")) return;
    const text = event.target.value;
    const kinds = [/[a-z]/, /[A-Z]/, /\d/, /[^\w]/].filter((kind) => kind.test(text)).length;
    bar.hidden = !text;
    bar.value = Math.min(4, Math.floor(text.length / 5) + (kinds > 2 ? 1 : 0));
    bar.className = `k-progress mb-2 tone-${["danger", "danger", "warning", "success", "success"][bar.value]}`;
  });

  const saved = document.querySelector("[data-codes-saved]");
  const onwards = document.querySelector("[data-codes-continue]");
  if (saved && onwards) {
    const follow = () => {
      onwards.classList.toggle("disabled", !saved.checked);
      onwards.setAttribute("aria-disabled", String(!saved.checked));
    };
    saved.addEventListener("change", follow);
    follow();
  }
})();
