// A movement's story: j opens the next one of its queue, k the one before.
(() => {
  if (document.documentElement.dataset.storyKeys) return;
  document.documentElement.dataset.storyKeys = "on";
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]")) return;
    if (event.target.closest("input,textarea,select,[contenteditable]")) return;
    const link = document.querySelector(`a[data-story-key="${CSS.escape(event.key)}"]`);
    if (!link) return;
    event.preventDefault();
    link.click();
  });
})();
