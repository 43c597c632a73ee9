// Draws uPlot charts from <div class="k-chart" data-chart="id"> + <script type="application/json" id="id">.
// Contract (crm/ui/charts.py): {x: [...epoch seconds or numbers], time: bool, stacked: bool, urls: [one per x], series: [{label, values, tone, kind, unit, decimals}]}
(() => {
  const WHOLE_STEPS = [1, 2, 3, 4, 6, 12, 24, 50, 100, 200, 500, 1000, 2000, 5000, 10000]; // hours and numbers of things: never 2.5
  const colour = (tone) => {
    const probe = Object.assign(document.createElement("i"), { className: `tone-${tone}`, hidden: true });
    document.body.append(probe);
    const name = tone === "brand" ? "--k-accent" : "--tone";
    probe.hidden = false;
    probe.style.color = `var(${name})`;
    const value = getComputedStyle(probe).color;
    probe.remove();
    return value;
  };
  const token = (name) => {
    const probe = document.createElement("i");
    probe.style.color = `var(${name})`;
    document.body.append(probe);
    const value = getComputedStyle(probe).color;
    probe.remove();
    return value;
  };
  const fade = (rgb, alpha) => `color-mix(in oklab, ${rgb} ${alpha * 100}%, transparent)`;
  // Bars on bars: each is as tall as itself and all shown ones after it, and those are drawn over it. Below zero they hang down.
  const stack = (spec, shown) => spec.series.map((s, i) => (s.kind !== "bars" ? s.values : s.values.map((own, at) => {
    if (!own || !shown(i)) return null;
    return spec.series.slice(i).reduce((sum, other, ahead) => {
      const value = other.kind === "bars" && shown(i + ahead) ? other.values[at] || 0 : 0;
      return Math.sign(value) === Math.sign(own) ? sum + value : sum;
    }, 0);
  })));
  // Half a step before the first bar and after the last, or they are cut at the edges.
  const stepOf = (x) => x.slice(1).reduce((least, at, i) => Math.min(least, at - x[i]), Infinity);
  const draw = (holder) => {
    const source = document.getElementById(holder.dataset.chart);
    if (!source || !window.uPlot) return;
    holder.replaceChildren();
    const spec = JSON.parse(source.textContent);
    const locale = document.documentElement.lang || "en";
    const format = (decimals) => new Intl.NumberFormat(locale, { maximumFractionDigits: decimals ?? 2 });
    const compact = new Intl.NumberFormat(locale, { notation: "compact", maximumFractionDigits: 1 });
    const plain = new Intl.NumberFormat(locale, { maximumFractionDigits: 2 });
    // Short where that tells the ticks apart: an account that moves between 2,000 and 2,013 needs its digits.
    const scale = (u, ticks) => {
      const words = ticks.map((v) => compact.format(v));
      return new Set(words).size === words.length ? words : ticks.map((v) => plain.format(v));
    };
    const day = new Intl.DateTimeFormat(locale, spec.hours ? { dateStyle: "medium", timeStyle: "short", timeZone: "UTC" } : { dateStyle: "medium", timeZone: "UTC" });
    const short = new Intl.DateTimeFormat(locale, { day: "numeric", month: "short", timeZone: "UTC" });
    const clock = new Intl.DateTimeFormat(locale, { hour: "2-digit", minute: "2-digit", hour12: false, timeZone: "UTC" });
    const grid = { stroke: token("--k-line"), width: 1 };
    const axis = { stroke: token("--k-ink-3"), grid, ticks: { ...grid, size: 4 }, font: "11px Inter, sans-serif", size: 32 };
    const height = Number(holder.dataset.height) || 220;
    const hasBars = spec.series.some((s) => s.kind === "bars");
    const step = spec.x.length > 1 ? stepOf(spec.x) : spec.time === false ? 1 : spec.hours ? 3600 : 86400;
    // Two deals of one minute are a minute wide.
    const wide = (u, min, max) => (hasBars ? [min - step * 0.6, max + step * 0.6] : spec.hours && max - min < 600 ? [max - 600, max] : [min, max]);
    // A unit that all share stands once beside the axis; otherwise with each name, unless the name says it.
    const units = new Set(spec.series.map((s) => s.unit || ""));
    const unit = units.size === 1 ? [...units][0] : "";
    const named = (s) => (unit || !s.unit || s.label === s.unit ? s.label : `${s.label}, ${s.unit}`);
    const isShown = (u) => (i) => u.series[i + 1].show !== false;
    const options = {
      width: holder.clientWidth || 600,
      height,
      tzDate: (ts) => window.uPlot.tzDate(new Date(ts * 1e3), "UTC"),
      scales: { x: { time: spec.time !== false, range: wide }, y: spec.zero === false ? {} : { range: (u, min, max) => { const [a, b] = window.uPlot.rangeNum(Math.min(0, min), Math.max(0, max), 0.08, true); return [min >= 0 ? 0 : a, max <= 0 ? 0 : b]; } } },
      axes: [spec.time === false ? { ...axis, ...(spec.x.every(Number.isInteger) && { incrs: WHOLE_STEPS }) } : { ...axis, values: (u, splits, index, space, step) => splits.map((v) => (step >= 86400 ? short : clock).format(new Date(v * 1e3))) }, { ...axis, size: 56, space: height < 160 ? 18 : 30, values: scale, ...(spec.series.every((s) => s.decimals === 0) && { incrs: WHOLE_STEPS }), ...(unit && !spec.series.some((s) => s.label === unit) && { label: unit, labelSize: 18, labelFont: "11px Inter, sans-serif", labelGap: 0 }) }],
      cursor: { y: false, points: { size: 7 } },
      // The legend names the lines; their values show while one points at a day.
      hooks: {
        setCursor: [(u) => holder.classList.toggle("pointed", u.cursor.left >= 0 && u.cursor.idx != null)],
        setSeries: [(u, at, change) => { if (spec.stacked && change?.show != null) u.setData([spec.x, ...stack(spec, isShown(u))]); }],
      },
      series: [
        { label: spec.xLabel || "", value: (u, v) => (v == null ? "–" : spec.time === false ? v : day.format(new Date(v * 1e3)) + (spec.hours ? " UTC" : "")) },
        ...spec.series.map((s) => {
          const stroke = colour(s.tone || "brand");
          const line = { label: named(s), stroke, width: 1.75, points: { show: spec.x.length < 3 }, value: (u, v, at, idx) => { const own = idx == null ? null : s.values[idx]; return own == null ? "–" : format(s.decimals).format(own) + (s.unit ? ` ${s.unit}` : ""); } };
          if (s.kind === "bars") return { ...line, width: 0, fill: spec.stacked ? `color-mix(in oklab, ${stroke} 78%, ${token("--k-surface")})` : fade(stroke, 0.75), paths: window.uPlot.paths.bars({ size: [0.7, 40], radius: 0.12 }), points: { show: false } };
          if (s.kind === "area") return { ...line, fill: fade(stroke, 0.12) };
          if (s.kind === "step") return { ...line, paths: window.uPlot.paths.stepped({ align: 1 }) };
          return line;
        }),
      ],
    };
    const chart = new window.uPlot(options, [spec.x, ...(spec.stacked ? stack(spec, () => true) : spec.series.map((s) => s.values))], holder);
    holder.chart = chart;
    if (spec.urls?.length) {
      holder.classList.add("opens");
      // A click opens the list of its day; where a stretch was drawn it shows that stretch.
      chart.over.addEventListener("click", () => { const url = chart.cursor.idx != null && !chart.select.width && spec.urls[chart.cursor.idx]; if (url) window.location.assign(url); });
    }
  };
  const drawAll = (force) =>
    document.querySelectorAll(".k-chart[data-chart]").forEach((holder) => {
      if (force || !holder.chart) { holder.chart?.destroy(); draw(holder); }
    });
  let timer;
  window.addEventListener("resize", () => { clearTimeout(timer); timer = setTimeout(() => document.querySelectorAll(".k-chart[data-chart]").forEach((h) => h.chart?.setSize({ width: h.clientWidth, height: Number(h.dataset.height) || 220 })), 120); });
  document.addEventListener("htmx:after:swap", () => drawAll(false));
  new MutationObserver(() => drawAll(true)).observe(document.documentElement, { attributes: true, attributeFilter: ["data-bs-theme"] });
  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", () => drawAll(false));
  else drawAll(false);
})();
