// The calendar of follow-ups: a card that is dropped on another half hour fills in the page's form and sends it.
(() => {
  let moving = null;
  const clear = () => document.querySelectorAll(".a-slot[data-over]").forEach((slot) => delete slot.dataset.over);
  document.addEventListener("dragstart", (event) => {
    const card = event.target.closest?.(".a-task[draggable]");
    if (!card) return;
    moving = card;
    card.dataset.moving = "";
    event.dataTransfer.effectAllowed = "move";
    event.dataTransfer.setData("text/plain", card.dataset.task);
  });
  document.addEventListener("dragend", () => {
    if (moving) delete moving.dataset.moving;
    clear();
    moving = null;
  });
  document.addEventListener("dragover", (event) => {
    const slot = event.target.closest?.(".a-slot[data-at]");
    if (!moving || !slot) return;
    event.preventDefault();
    if ("over" in slot.dataset) return;
    clear();
    slot.dataset.over = "";
  });
  document.addEventListener("drop", (event) => {
    const slot = event.target.closest?.(".a-slot[data-at]");
    if (!moving || !slot) return;
    event.preventDefault();
    if (slot.contains(moving)) return;
    const form = document.getElementById("a-drop");
    form.elements.task.value = moving.dataset.task;
    form.elements.seen.value = moving.dataset.seen;
    form.elements.to.value = slot.dataset.at;
    form.submit();
  });
})();
