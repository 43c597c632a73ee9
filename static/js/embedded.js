// Inside the frame: reports the form's height to the page around it. A height is no secret, so that any page may hear it.
(() => {
  const report = () => window.parent.postMessage({ leadFormHeight: document.body.scrollHeight }, "*");
  new ResizeObserver(report).observe(document.body);
  report();
})();
