// The client's page and the pipeline board: quick times for follow-ups, cards that are dragged to another column.
(() => {
  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-fill-field]");
    if (!button) return;
    const field = document.getElementById(button.dataset.fillField);
    if (field) { field.value = button.dataset.fillValue; field.focus(); }
  });

  // A fact that is edited in place: Esc gives up, as its Cancel button does.
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    const cancel = event.target.closest(".c-fact.editing")?.querySelector("[data-cancel]");
    if (!cancel) return;
    event.preventDefault();
    cancel.click();
  });

  // Each column holds a form that moves a lead to its status; a drop fills in which lead and sends it.
  let moving = null;
  document.addEventListener("dragstart", (event) => {
    const card = event.target.closest?.(".c-lead[draggable]");
    if (!card) return;
    moving = card;
    card.dataset.moving = "";
    event.dataTransfer.effectAllowed = "move";
    event.dataTransfer.setData("text/plain", card.dataset.client);
  });
  document.addEventListener("dragend", () => {
    if (moving) delete moving.dataset.moving;
    document.querySelectorAll(".c-column[data-over]").forEach((column) => delete column.dataset.over);
    moving = null;
  });
  document.addEventListener("dragover", (event) => {
    const column = event.target.closest?.(".c-column");
    if (!moving || !column || !moving.dataset.next.split(" ").includes(column.dataset.status)) return;
    event.preventDefault();
    document.querySelectorAll(".c-column[data-over]").forEach((one) => { if (one !== column) delete one.dataset.over; });
    column.dataset.over = "";
  });
  document.addEventListener("drop", (event) => {
    const column = event.target.closest?.(".c-column");
    if (!moving || !column || !("over" in column.dataset)) return;
    event.preventDefault();
    const form = document.getElementById("c-board-move");
    form.elements.client.value = moving.dataset.client;
    form.elements.to.value = column.dataset.status;
    form.requestSubmit();
  });
})();
