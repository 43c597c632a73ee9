// Live updates: one EventSource per browser (tabs share it through a lock and a channel), toasts, counters, fragments.
// Any element may listen: hx-trigger="k:live:<event> from:body" refetches when the server says that something happened (crm.notices.notify.push_live).
(() => {
  const url = document.body.dataset.live;
  if (!url || !window.EventSource) return;
  const channel = "BroadcastChannel" in window ? new BroadcastChannel("keelson-live") : null;
  const deliver = (message, mine) => {
    if (message.user && String(message.user) !== document.body.dataset.user) return;
    if (message.event === "notification") {
      if (mine || document.visibilityState === "visible") {
        const d = message.data || {};
        if (d.title) window.keelson?.toast({ title: d.title, body: d.body, tone: d.tone || "info", url: d.url, seconds: 10 });
      }
    }
    document.body.dispatchEvent(new CustomEvent(`k:live:${message.event}`, { detail: message.data || {}, bubbles: true }));
    if (message.data?.id != null) document.body.dispatchEvent(new CustomEvent(`k:live:${message.event}:${message.data.id}`, { detail: message.data, bubbles: true }));
  };
  channel?.addEventListener("message", (event) => deliver(event.data, false));
  let source, wait = 1000;
  const connect = () =>
    new Promise(() => {
      const open = () => {
        source = new EventSource(url, { withCredentials: true });
        source.addEventListener("open", () => { wait = 1000; document.documentElement.dataset.live = "on"; document.body.dispatchEvent(new CustomEvent("k:live:open")); });
        source.addEventListener("message", (event) => {
          const message = JSON.parse(event.data);
          deliver(message, true);
          channel?.postMessage(message);
        });
        source.addEventListener("bye", () => source.close()); // signed out or session ended: do not hammer the server
        source.addEventListener("error", () => {
          document.documentElement.dataset.live = "off";
          if (source.readyState !== EventSource.CLOSED) return;
          setTimeout(open, wait + Math.random() * 1000);
          wait = Math.min(wait * 2, 30000);
        });
      };
      open();
    });
  // Where no stream gets through (a proxy that buffers), pages catch up once a minute.
  setInterval(() => {
    if (document.documentElement.dataset.live !== "on" && document.visibilityState === "visible")
      document.body.dispatchEvent(new CustomEvent("k:live:resync", { detail: {}, bubbles: true }));
  }, 60000);
  window.addEventListener("pagehide", () => source?.close());
  // Only the tab that holds the lock listens; when it closes, the next one takes over.
  if (navigator.locks && channel) navigator.locks.request("keelson-live", connect);
  else connect();
})();
