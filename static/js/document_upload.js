// The guided upload of a document: pictures are looked at before they are sent (a hint, never a bar), sent in parts that go on after a
// lost connection or a reload, and shown as small pictures made here. Without this script the plain forms do the same, file by file.
(() => {
  const HINT_SIDE = 640; // pixels of the longer side on which sharpness and light are measured
  const SMALL_SIDE = 600; // of the original's shorter side, below which a zone's letters get too small
  const DARK_MEAN = 60, BLUR_VARIANCE = 45, GLARE_LEVEL = 250, GLARE_SHARE = 0.04;
  const TRIES_MAX = 8;
  const thumbs = new Map(), hints = new Map(); // by page id: a canvas, sentences
  const uploads = []; // {file, side, share, note, seen}: the first one is being sent
  let isSending = false, last = "";
  const root = () => document.querySelector("[data-capture]");
  const say = (name) => root()?.dataset[`say${name}`] || "";
  const headers = (more = {}) => ({ "X-CSRFToken": window.keelson.csrf(), "X-Requested-With": "XMLHttpRequest", ...more });
  const problem = (message) => {
    const box = root()?.querySelector("[data-capture-problem]");
    if (box) { box.textContent = message; box.hidden = !message; }
  };

  // ── looking at a picture before it is sent ─────────────────────────────────────────────────────────────────────────
  const drawn = (picture, side) => {
    const scale = Math.min(1, side / Math.max(picture.width, picture.height));
    const canvas = document.createElement("canvas");
    canvas.width = Math.max(1, Math.round(picture.width * scale));
    canvas.height = Math.max(1, Math.round(picture.height * scale));
    canvas.getContext("2d", { willReadFrequently: true }).drawImage(picture, 0, 0, canvas.width, canvas.height);
    return canvas;
  };
  const measure = (canvas) => {
    const { width, height } = canvas;
    const { data } = canvas.getContext("2d").getImageData(0, 0, width, height);
    const grey = new Float32Array(width * height);
    let sum = 0, bright = 0;
    for (let i = 0; i < grey.length; i++) {
      grey[i] = 0.299 * data[4 * i] + 0.587 * data[4 * i + 1] + 0.114 * data[4 * i + 2];
      sum += grey[i];
      if (data[4 * i] >= GLARE_LEVEL && data[4 * i + 1] >= GLARE_LEVEL && data[4 * i + 2] >= GLARE_LEVEL) bright++;
    }
    // Variance of the Laplacian: edges of letters make it large, a blur makes it small.
    let count = 0, mean = 0, squares = 0;
    for (let y = 1; y < height - 1; y++)
      for (let x = 1; x < width - 1; x++) {
        const at = y * width + x;
        const value = grey[at - 1] + grey[at + 1] + grey[at - width] + grey[at + width] - 4 * grey[at];
        count++; mean += value; squares += value * value;
      }
    mean /= count || 1;
    return { light: sum / grey.length, sharpness: squares / (count || 1) - mean * mean, glare: bright / grey.length };
  };
  const look = async (file) => {
    if (!file.type.startsWith("image/") || !window.createImageBitmap) return null;
    let picture;
    try { picture = await createImageBitmap(file, { imageOrientation: "from-image" }); } catch { return null; } // the server says what is wrong with it
    const found = [], values = measure(drawn(picture, HINT_SIDE));
    const isPaper = values.light > 200; // a letter on white paper is bright all over
    if (Math.min(picture.width, picture.height) < SMALL_SIDE) found.push(say("Small"));
    if (values.light < DARK_MEAN) found.push(say("Dark"));
    if (values.sharpness < BLUR_VARIANCE) found.push(say("Blurred"));
    if (values.glare > GLARE_SHARE && !isPaper) found.push(say("Glare"));
    const thumb = drawn(picture, 320);
    picture.close();
    return { thumb, hint: found.length ? `${found.join(" ")} ${say("Advice")}` : "" };
  };

  // ── sending, part by part ──────────────────────────────────────────────────────────────────────────────────────────
  const digest = async (file) => {
    if (!window.crypto?.subtle) return ""; // plain http: the server then compares nothing
    const hash = await crypto.subtle.digest("SHA-256", await file.arrayBuffer());
    return [...new Uint8Array(hash)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  };
  const pause = (seconds) => new Promise((resolve) => {
    const timer = setTimeout(done, seconds * 1000);
    function done() { clearTimeout(timer); window.removeEventListener("online", done); resolve(); }
    window.addEventListener("online", done);
  });
  class Refused extends Error {}
  // One request, tried again while nothing answers: the phone is in a lift, or the server restarts.
  const ask = async (url, options, upload) => {
    for (let tries = 0; ; tries++) {
      let answer = null;
      try { answer = await fetch(url, { credentials: "same-origin", redirect: "error", ...options }); } catch { /* no connection */ }
      if (answer && answer.status < 500) { upload.note = ""; return answer; }
      if (tries >= TRIES_MAX) throw new Refused(window.keelson.text("errorNetwork"));
      upload.note = say("Waiting");
      show();
      await pause(Math.min(30, 2 ** tries));
    }
  };
  const words = async (answer) => {
    try { return (await answer.json()).message; } catch { return window.keelson.text("errorBody"); }
  };
  const send = async (upload) => {
    const { file } = upload, box = root();
    const announced = await ask(box.dataset.pages, {
      method: "POST", headers: headers({ "Content-Type": "application/json" }),
      body: JSON.stringify({ side: upload.side, name: file.name, size: file.size, sha256: await digest(file) }),
    }, upload);
    if (announced.status !== 201) throw new Refused(await words(announced));
    let { id, offset, url } = await announced.json();
    upload.id = id;
    if (upload.seen) { thumbs.set(id, upload.seen.thumb); hints.set(id, upload.seen.hint); }
    const size = Number(box.dataset.chunk);
    while (offset < file.size) {
      upload.share = offset / file.size;
      show();
      const answer = await ask(url, {
        method: "PATCH", headers: headers({ "Content-Type": "application/partial-upload", "Upload-Offset": String(offset) }),
        body: file.slice(offset, offset + size),
      }, upload);
      if (answer.status !== 204 && answer.status !== 409) throw new Refused(await words(answer));
      const next = Number(answer.headers.get("Upload-Offset"));
      if (answer.headers.get("Upload-Offset") === null || (answer.status === 409 && next === offset)) throw new Refused(await words(answer));
      offset = next; // after a lost answer the server has more than we know
    }
  };
  const work = async () => {
    if (isSending) return;
    isSending = true;
    while (uploads.length) {
      show();
      try { await send(uploads[0]); } catch (error) {
        last = error instanceof Refused ? error.message : window.keelson.text("errorBody");
      }
      uploads.shift();
    }
    isSending = false;
    await refresh();
    problem(last);
    last = "";
  };
  const take = async (input) => {
    const box = root(), files = [...input.files];
    if (!files.length) return;
    problem("");
    const isOne = !input.hasAttribute("data-capture-many");
    if (isOne && files.length > 1) last = say("Full");
    for (const file of isOne ? files.slice(0, 1) : files) {
      if (file.size > Number(box.dataset.max)) { last = say("TooLarge"); continue; }
      uploads.push({ file, side: box.dataset.side, share: 0, note: "", seen: await look(file) });
    }
    input.value = "";
    if (uploads.length) work(); else { problem(last); last = ""; }
  };

  // ── what the page shows ────────────────────────────────────────────────────────────────────────────────────────────
  const refresh = () => window.htmx.ajax("GET", root().dataset.step, { target: "#upload-step", swap: "outerHTML" });
  const show = () => {
    const list = root()?.querySelector("[data-capture-progress]");
    if (!list) return;
    list.replaceChildren(...uploads.map((upload) => {
      const row = document.createElement("li"), thumb = document.createElement("span"), what = document.createElement("span");
      thumb.className = "k-thumb";
      if (upload.seen) thumb.append(upload.seen.thumb);
      what.className = "what";
      const name = Object.assign(document.createElement("strong"), { textContent: upload.file.name });
      const bar = Object.assign(document.createElement("progress"), { max: 1, value: upload.share });
      bar.setAttribute("aria-label", `${say("Uploading")}: ${upload.file.name}`);
      const note = Object.assign(document.createElement("span"), { className: "k-hint", textContent: upload.note, hidden: !upload.note });
      what.append(name, bar, note);
      row.append(thumb, what);
      return row;
    }));
    // The page's own row of what is just being sent would say that it was interrupted.
    for (const upload of uploads) if (upload.id) root().querySelector(`[data-page="${upload.id}"]`)?.setAttribute("hidden", "");
  };
  const dress = () => {
    for (const place of document.querySelectorAll("[data-thumb]")) {
      const own = thumbs.get(Number(place.dataset.thumb));
      if (own) {
        const copy = document.createElement("canvas");
        copy.width = own.width; copy.height = own.height;
        copy.getContext("2d").drawImage(own, 0, 0);
        place.replaceChildren(copy);
      } else if (place.dataset.preview) {
        const picture = new Image();
        picture.addEventListener("load", () => place.replaceChildren(picture));
        picture.src = place.dataset.preview;
      }
    }
    for (const place of document.querySelectorAll("[data-hint]")) {
      const hint = hints.get(Number(place.dataset.hint));
      if (hint) { place.textContent = hint; place.hidden = false; }
    }
    show();
  };
  document.addEventListener("change", (event) => { if (event.target.matches?.("[data-capture-file]")) take(event.target); });
  for (const kind of ["dragover", "dragleave", "drop"])
    document.addEventListener(kind, (event) => {
      const zone = event.target.closest?.("[data-capture-drop]");
      if (!zone) return;
      event.preventDefault();
      event.stopImmediatePropagation();
      zone.classList.toggle("over", kind === "dragover");
      if (kind !== "drop" || !event.dataTransfer.files.length) return;
      const input = zone.querySelector("input[type=file]");
      input.files = event.dataTransfer.files;
      take(input);
    }, true);
  for (const input of document.querySelectorAll("[data-capture-many]")) input.multiple = true;
  document.addEventListener("htmx:after:swap", () => {
    for (const input of document.querySelectorAll("[data-capture-many]")) input.multiple = true;
    dress();
  });
  window.addEventListener("beforeunload", (event) => { if (isSending) event.preventDefault(); });
  dress();
  // On a slow line a file is chosen before this script is there: nothing would be sent.
  for (const input of document.querySelectorAll("[data-capture-file]")) take(input);
})();
