// Draws a condition as rows of field, comparison and value, in groups; what is sent is the data in the text area.
(() => {
  const make = (tag, attributes = {}, ...children) => {
    const element = Object.assign(document.createElement(tag), attributes);
    element.append(...children.filter((child) => child !== null));
    return element;
  };
  const option = ([value, label], chosen) => make("option", { value, textContent: label, selected: value === chosen });

  const build = (box) => {
    const area = box.querySelector("textarea");
    // Among a list's filters it is applied by its button, not with every key.
    const list = box.closest(".k-table-form");
    const { fields, happenings, words } = JSON.parse(box.dataset.condition);
    const byName = Object.fromEntries(fields.map((field) => [field.name, field]));
    // A group: {kind: all|any|none, parts}. A row: {field, is, value} or {happened, within_days}, with `not` for its opposite.
    const inner = (data) => {
      if ("all" in data || "any" in data) {
        const kind = "all" in data ? "all" : "any";
        return { kind, parts: data[kind].map(inner) };
      }
      if ("not" in data) {
        const part = inner(data.not);
        if (part.kind === "any") return { kind: "none", parts: part.parts };
        return { kind: "none", parts: [part] };
      }
      return { ...data };
    };
    const outer = (part) => {
      if (!part.kind) return part;
      const parts = part.parts.map(outer);
      return part.kind === "none" ? { not: { any: parts } } : { [part.kind]: parts };
    };
    let root;
    try {
      const { version, ...data } = JSON.parse(area.value || '{"version": 1, "all": []}');
      root = inner(data);
      if (!root.kind || root.kind === "none") root = { kind: "all", parts: [root] };
    } catch {
      return; // not what we can draw: the text area stays
    }
    const save = () => {
      area.value = JSON.stringify({ version: 1, ...outer(root) });
      if (!list) area.dispatchEvent(new Event("change", { bubbles: true }));
    };
    const change = () => { save(); draw(); };

    const fresh = () => {
      const field = fields[0];
      return { field: field.name, is: field.operators[0].code };
    };
    const valueInput = (row, operator, field) => {
      const set = (value) => { row.value = value; save(); };
      if (!operator.widget) { delete row.value; return null; }
      if (operator.widget === "entries" && field.choices) {
        const chosen = new Set(Array.isArray(row.value) ? row.value : []);
        const summary = make("summary", { className: "form-select" });
        const name = () => { summary.textContent = field.choices.filter(([code]) => chosen.has(code)).map(([, label]) => label).join(", ") || "–"; };
        const boxes = field.choices.map(([code, label]) => {
          const input = make("input", { type: "checkbox", className: "form-check-input", checked: chosen.has(code) });
          input.addEventListener("change", () => {
            if (input.checked) chosen.add(code); else chosen.delete(code);
            name();
            set([...chosen]);
          });
          return make("label", { className: "form-check" }, input, make("span", { textContent: label }));
        });
        name();
        summary.setAttribute("aria-label", words.value);
        return make("details", { className: "k-several" }, summary, make("div", { className: "k-several-list" }, ...boxes));
      }
      if (operator.widget === "entries") {
        const input = make("input", { className: "form-control", value: (Array.isArray(row.value) ? row.value : []).join(", "), title: words.commas, placeholder: words.commas });
        input.setAttribute("aria-label", words.value);
        input.addEventListener("input", () => set(input.value.split(",").map((text) => text.trim()).filter(Boolean)));
        return input;
      }
      const types = { number: "number", days: "number", day: "date", text: "text" };
      const input = make("input", { type: types[operator.widget], className: "form-control", value: row.value ?? "" });
      if (operator.widget === "number") input.step = "any";
      if (operator.widget === "days") input.min = 1;
      input.setAttribute("aria-label", operator.widget === "days" ? words.days : words.value);
      input.addEventListener("input", () => set(operator.widget === "days" ? Number(input.value) : input.value));
      return input;
    };
    const removeButton = (group, part) => {
      const button = make("button", { type: "button", className: "btn btn-icon", textContent: "×" });
      button.setAttribute("aria-label", words.remove);
      button.addEventListener("click", () => { group.parts.splice(group.parts.indexOf(part), 1); change(); });
      return button;
    };
    const drawRow = (row, group) => {
      const line = make("div", { className: "k-condition-row" });
      const groups = new Map();
      for (const field of fields) groups.set(field.group, [...(groups.get(field.group) ?? []), field]);
      const offered = [...groups].flatMap(([label, members]) => {
        const options = members.map((field) => option([field.name, field.label], row.field));
        return label ? [make("optgroup", { label }, ...options)] : options;
      });
      const names = make("select", { className: "form-select" }, ...offered,
        ...happenings.map((item) => option([`!${item.name}`, item.label], row.happened ? `!${row.happened}` : "")));
      names.setAttribute("aria-label", words.field);
      names.addEventListener("change", () => {
        for (const key of Object.keys(row)) delete row[key];
        if (names.value.startsWith("!")) Object.assign(row, { happened: names.value.slice(1), within_days: 7 });
        else Object.assign(row, { field: names.value, is: byName[names.value].operators[0].code });
        change();
      });
      line.append(names);
      if (row.happened) {
        const days = make("input", { type: "number", min: 1, className: "form-control", value: row.within_days });
        days.setAttribute("aria-label", words.days);
        days.addEventListener("input", () => { row.within_days = Number(days.value); save(); });
        line.append(make("span", { className: "muted", textContent: words.happened }), days, make("span", { className: "muted", textContent: words.days }));
      } else {
        const field = byName[row.field];
        if (!field) names.prepend(make("option", { value: row.field, textContent: row.field, selected: true }));
        const operators = field ? field.operators : [];
        const comparison = make("select", { className: "form-select" }, ...operators.map((item) => option([item.code, item.label], row.is)));
        comparison.setAttribute("aria-label", words.comparison);
        comparison.addEventListener("change", () => { row.is = comparison.value; delete row.value; change(); });
        line.append(comparison);
        const operator = operators.find((item) => item.code === row.is);
        const value = operator ? valueInput(row, operator, field) : null;
        if (value) line.append(value);
      }
      line.append(removeButton(group, row));
      return line;
    };
    const drawGroup = (group, parent, depth) => {
      const kinds = make("select", { className: "form-select" }, ...["all", "any", "none"].filter((kind) => parent || kind !== "none").map((kind) => option([kind, words[kind]], group.kind)));
      kinds.setAttribute("aria-label", words.match);
      kinds.addEventListener("change", () => { group.kind = kinds.value; change(); });
      const add = make("button", { type: "button", className: "btn", textContent: words.add });
      add.addEventListener("click", () => { group.parts.push(fresh()); change(); });
      const more = depth < 4 ? make("button", { type: "button", className: "btn", textContent: words.group }) : null;
      more?.addEventListener("click", () => { group.parts.push({ kind: "any", parts: [fresh()] }); change(); });
      return make("fieldset", { className: "k-condition-group" },
        make("div", { className: "k-condition-row" }, kinds, parent ? removeButton(parent, group) : null),
        ...group.parts.map((part) => (part.kind ? drawGroup(part, group, depth + 1) : drawRow(part, group))),
        !parent && !group.parts.length ? make("p", { className: "muted", textContent: words.always }) : null,
        make("div", { className: "k-condition-row" }, add, more));
    };
    const rows = make("div");
    const tried = make("div", { className: "k-condition-preview" });
    tried.setAttribute("aria-live", "polite");
    const tryOut = async () => {
      const body = new URLSearchParams({ condition: area.value });
      const answer = await fetch(box.dataset.preview, { method: "POST", body, headers: { "X-CSRFToken": window.keelson.csrf(), "HX-Request": "true" } }).catch(() => null);
      if (answer?.ok) tried.innerHTML = await answer.text();
      else window.keelson.toast({ tone: "danger", title: window.keelson.text("errorTitle"), body: window.keelson.text("errorBody") });
    };
    const draw = () => {
      const place = [...rows.querySelectorAll("select,input,button,summary")].indexOf(document.activeElement);
      rows.replaceChildren(drawGroup(root, null, 1));
      if (place >= 0) [...rows.querySelectorAll("select,input,button,summary")][place]?.focus();
    };
    area.hidden = true;
    if (list) rows.addEventListener("change", (event) => event.stopPropagation());
    box.append(rows);
    if (box.dataset.preview) {
      const button = make("button", { type: "button", className: "btn", textContent: words.try });
      button.addEventListener("click", tryOut);
      box.append(button, tried);
    }
    if (list) box.append(make("button", { className: "btn btn-primary", textContent: words.apply }));
    draw();
  };

  const start = () => {
    for (const box of document.querySelectorAll("[data-condition]:not([data-drawn])")) {
      box.dataset.drawn = "1";
      build(box);
    }
  };
  start();
  document.addEventListener("htmx:after:swap", start);
})();
