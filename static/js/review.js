// The review of documents from the keyboard: j/k go through the issues, a approves, r rejects, e corrects a field,
// n next, u undo; the viewer's own keys are on its buttons (viewer.js).
// While the rejection is open, figures choose its reason and Enter sends it; Ctrl+Enter sends from a text field too.
(() => {
  const stage = document.querySelector("[data-stage]");
  const issues = [...document.querySelectorAll("[data-issues] > li")];
  let current = -1;

  // A crop is a window onto the page that is already on screen: nothing is fetched twice.
  document.querySelectorAll("svg[data-crop]").forEach((svg) => {
    const [x, y, w, h] = svg.dataset.crop.split(" ").map(Number);
    const width = Number(svg.dataset.width), height = Number(svg.dataset.height);
    const air = 0.25 * Math.max(h * height, 12);
    const left = Math.max(0, x * width - air), top = Math.max(0, y * height - air);
    const cropWidth = Math.min(width - left, w * width + 2 * air), cropHeight = Math.min(height - top, h * height + 2 * air);
    svg.setAttribute("viewBox", `${left} ${top} ${cropWidth} ${cropHeight}`);
  });

  const show = (index) => {
    if (!issues.length) return;
    current = Math.max(0, Math.min(issues.length - 1, index));
    issues.forEach((li, at) => li.classList.toggle("active", at === current));
    const number = issues[current].dataset.issue;
    document.querySelectorAll("[data-box]").forEach((box) => box.classList.toggle("active", box.dataset.box === number));
    issues[current].scrollIntoView({ block: "nearest" });
    const box = document.querySelector(`[data-box="${number}"]`);
    if (box && stage) box.scrollIntoView({ block: "center", inline: "center", behavior: "smooth" });
  };
  issues.forEach((li, at) => {
    li.addEventListener("click", () => show(at));
    li.addEventListener("focus", () => show(at));
  });
  if (issues.length && document.querySelector("[data-box]")) {
    document.querySelectorAll(`[data-box="${issues[0].dataset.issue}"]`).forEach((box) => box.classList.add("active"));
    issues[0].classList.add("active");
    current = 0;
  }

  // Correcting opens the field of the finding that is chosen, else the first that differs, else the first there is.
  const correct = () => {
    const named = issues[current]?.dataset.fields?.split(" ") || [];
    const forms = [...document.querySelectorAll("[data-correct]")];
    const form = forms.find((one) => named.includes(one.dataset.correct)) || forms.find((one) => one.closest("tr").className) || forms[0];
    if (!form) return;
    form.open = true;
    form.querySelector("input[name=value]").select();
  };

  // The template of a reason fills the text, unless somebody has changed it.
  const templates = document.getElementById("reject-templates");
  const reason = document.querySelector('[data-reject] select[name="reason_code"]');
  const text = document.querySelector('[data-reject] textarea[name="reason"]');
  if (templates && reason && text) {
    const words = JSON.parse(templates.textContent);
    reason.addEventListener("change", () => {
      if (!text.value.trim() || Object.values(words).includes(text.value.trim())) text.value = words[reason.value] || "";
    });
  }

  document.querySelectorAll("[data-undo]").forEach((bar) => {
    let left = Number(bar.dataset.seconds);
    const timer = setInterval(() => {
      left -= 1;
      const shown = bar.querySelector("[data-left]");
      if (shown) shown.textContent = Math.max(0, left);
      if (left <= 0) { clearInterval(timer); bar.hidden = true; }
    }, 1000);
  });

  // The reason with this figure; 0 is the tenth.
  const choose = (figure) => {
    const option = reason?.options[figure === "0" ? 10 : Number(figure)];
    if (!option) return;
    reason.value = option.value;
    reason.dispatchEvent(new Event("change", { bubbles: true }));
    reason.focus();
  };
  const sendsReject = (event, reject) => {
    const isSend = event.key === "Enter" && (event.ctrlKey || event.metaKey || !event.target.closest("textarea,button,summary,a"));
    return isSend && reject?.open && !event.altKey && !event.shiftKey;
  };

  document.addEventListener("keydown", (event) => {
    if (document.querySelector("dialog[open]")) return;
    const reject = document.querySelector("[data-reject]");
    const inApproval = event.target.closest("[data-approve]");
    if (sendsReject(event, reject) && !inApproval) {
      event.preventDefault();
      reject.querySelector("form").requestSubmit();
      return;
    }
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey) && inApproval) {
      event.preventDefault();
      inApproval.requestSubmit();
      return;
    }
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (reject?.open && /^[0-9]$/.test(event.key) && !event.target.closest("input,textarea,[contenteditable]")) {
      event.preventDefault();
      choose(event.key);
      return;
    }
    if (event.target.closest("input,textarea,select,[contenteditable]")) return;
    if (document.querySelector("[data-review]") && (event.key === "j" || event.key === "k")) show(current + (event.key === "j" ? 1 : -1));
    else if (event.key === "e" && document.querySelector("[data-correct]")) {
      event.preventDefault();
      correct();
    } else if (event.key === "r" && reject) {
      event.preventDefault();
      reject.open = true;
      reject.querySelector("select").focus();
    } else {
      const button = document.querySelector(`[data-key="${CSS.escape(event.key)}"]`);
      if (!button || button.offsetParent === null) return;
      event.preventDefault();
      button.click();
    }
  });
})();
