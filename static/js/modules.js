// Loads what only some pages need when something on the page asks for it: <body data-modules='{"selector": ["a.css", "b.js"]}'>.
(() => {
  const modules = Object.entries(JSON.parse(document.body.dataset.modules || "{}"));
  const loaded = new Set();
  const load = () => {
    for (const [selector, files] of modules) {
      if (loaded.has(selector) || !document.querySelector(selector)) continue;
      loaded.add(selector);
      for (const file of files) {
        if (document.querySelector(`[src="${file}"], [href="${file}"]`)) continue; // the page names it itself
        const isStyle = /\.css(\?|$)/.test(file);
        document.head.append(Object.assign(document.createElement(isStyle ? "link" : "script"), isStyle ? { rel: "stylesheet", href: file } : { src: file, async: false }));
      }
    }
  };
  load();
  document.addEventListener("htmx:after:swap", load);
})();
