// The matrix as a grid: one tab stop and arrow keys, a card for the cell that is pointed at or focused, its headers
// lit, and another metric without a request. Without this script its cells are links with a title.
"use strict";
(() => {
  const HIDE_MS = 200; // the way from a cell to its card
  const CARD = ["ok", "failed", "aborted", "efficiency", "n", "volume", "throughput"];
  const SAME = ["from", "to", "bin", "vo", "technology", "fts", "channel", "src", "dst"];
  const card = document.createElement("div");
  card.id = "card";
  card.className = "card";
  card.setAttribute("role", "tooltip");
  card.hidden = true;
  let table = null;
  let rows = []; // of cells: body rows, each with all of its td
  let at = [0, 0];
  let carded = null; // [row, column] of the cell whose card is open
  let hiding = 0;

  const cell = ([row, column]) => rows[row]?.[column];
  const target = (td) => td.querySelector("a") || td;
  const place = (td) => [td.parentNode.sectionRowIndex, td.cellIndex - 1];
  const names = (td) => [table.tHead.rows[0].cells[td.cellIndex].textContent, td.parentNode.cells[0].textContent];

  // A metric of a cell with its unit, which the table tells once in its caption.
  const written = (td, metric) => {
    const value = td.dataset[metric];
    const unit = document.querySelector(`a[data-metric="${metric}"]`)?.dataset.unit;
    return unit && unit !== "transfers" && /\d/.test(value) ? `${value} ${unit}` : value;
  };

  const light = (td, isLit) => {
    table.tHead.rows[0].cells[td.cellIndex].classList.toggle("lit", isLit);
    td.parentNode.cells[0].classList.toggle("lit", isLit);
  };

  const hide = () => {
    clearTimeout(hiding);
    if (carded === null) return;
    const td = cell(carded);
    if (td) {
      light(td, false);
      target(td).removeAttribute("aria-describedby");
    }
    carded = null;
    card.hidden = true;
  };

  const show = (td) => {
    if (carded !== null && cell(carded) === td) return;
    hide();
    carded = place(td);
    light(td, true);
    const [to, from] = names(td);
    const numbers = "n" in td.dataset ? CARD.map((name) => [name, written(td, name)]) : [["transfers", "none"]];
    const list = document.createElement("dl");
    for (const [name, value] of [["from", from], ["to", to], ...numbers]) {
      list.append(Object.assign(document.createElement("dt"), { textContent: name }));
      list.append(Object.assign(document.createElement("dd"), { textContent: value }));
    }
    card.replaceChildren(list);
    target(td).setAttribute("aria-describedby", "card");
    card.hidden = false;
    put();
  };

  // Beside its cell without a gap, so that the pointer can move onto it.
  const put = () => {
    if (carded === null) return;
    const box = cell(carded).getBoundingClientRect();
    const own = card.getBoundingClientRect();
    const below = box.bottom + own.height <= innerHeight;
    card.style.left = `${Math.max(0, Math.min(box.left, document.documentElement.clientWidth - own.width))}px`;
    card.style.top = `${below ? box.bottom : Math.max(0, box.top - own.height)}px`;
  };

  const stop = (next) => {
    target(cell(at)).tabIndex = -1;
    at = next;
    target(cell(at)).tabIndex = 0;
  };

  const step = (event) => {
    const [row, column] = at;
    const last = [rows.length - 1, rows[0].length - 1];
    const page = Math.max(1, Math.floor(table.parentNode.clientHeight / rows[0][0].offsetHeight) - 2);
    const whole = event.ctrlKey || event.metaKey;
    const moves = {
      ArrowUp: [row - 1, column],
      ArrowDown: [row + 1, column],
      ArrowLeft: [row, column - 1],
      ArrowRight: [row, column + 1],
      Home: [whole ? 0 : row, 0],
      End: [whole ? last[0] : row, last[1]],
      PageUp: [row - page, column],
      PageDown: [row + page, column],
    };
    return moves[event.key]?.map((value, side) => Math.max(0, Math.min(last[side], value)));
  };

  // The failures behind a cell: what its own link filters by, at another page.
  const errors = (link) => {
    const own = new URL(link.href);
    const kept = [...own.searchParams].filter(([name]) => SAME.includes(name));
    return `/errors?${new URLSearchParams(kept)}`;
  };

  const keys = (event) => {
    const td = event.target.closest("td");
    if (!td) return;
    if (event.key === "Enter" && event.shiftKey && td.querySelector("a")) {
      event.preventDefault();
      location.assign(errors(td.querySelector("a")));
      return;
    }
    const next = event.altKey || event.shiftKey ? undefined : step(event);
    if (next === undefined) return;
    event.preventDefault();
    stop(next);
    target(cell(at)).focus({ preventScroll: true });
    cell(at).scrollIntoView({ block: "nearest", inline: "nearest" }); // whole: the browser is content with a part
  };

  const measure = (event) => {
    const chosen = event.target.closest("a[data-metric]");
    if (!chosen || !table || event.ctrlKey || event.metaKey || event.shiftKey || event.button) return;
    event.preventDefault();
    const { metric } = chosen.dataset;
    for (const td of rows.flat()) {
      if (!("n" in td.dataset)) continue;
      const text = td.querySelector("a").firstChild;
      text.data = td.dataset[metric] + text.data.match(/\s*$/)[0]; // the space before the mark stays
    }
    for (const each of document.querySelectorAll("a[data-metric]")) each.removeAttribute("aria-current");
    chosen.setAttribute("aria-current", "true");
    const title = table.caption.firstChild;
    title.data = title.data.replace(/^\S+/, metric[0].toUpperCase() + metric.slice(1));
    table.caption.querySelector("b").textContent = chosen.dataset.unit;
    for (const link of document.querySelectorAll("main a[href], #state a[href], .filters a[href]")) {
      const own = new URL(link.href);
      if (own.pathname !== location.pathname || link.dataset.metric) continue;
      own.searchParams.set("metric", metric);
      link.href = own.pathname + own.search;
    }
    for (const form of document.querySelectorAll("form.filters")) {
      const field = form.elements.metric || document.createElement("input");
      form.append(Object.assign(field, { type: "hidden", name: "metric", value: metric }));
    }
    history.replaceState(history.state, "", chosen.href);
  };

  const enhance = () => {
    table = document.querySelector(".matrix table");
    if (!table) return;
    const box = table.parentNode;
    rows = [...table.tBodies[0].rows].map((row) => [...row.cells].slice(1));
    box.removeAttribute("tabindex"); // its cells are the stop now
    const [top, end] = [table.tHead.rows[0].cells, table.tBodies[0].rows[rows.length - 1]];
    const sides = [top[0].offsetHeight, top[top.length - 1].offsetWidth, end.offsetHeight, top[0].offsetWidth];
    box.style.scrollPadding = sides.map((px) => `${px}px`).join(" "); // what sticks must not cover the focus
    table.setAttribute("role", "grid");
    table.setAttribute("aria-rowcount", rows.length + 1);
    table.setAttribute("aria-colcount", rows[0].length + 1);
    for (const td of rows.flat()) {
      target(td).tabIndex = -1;
      target(td).removeAttribute("title"); // the card says it
    }
    at = [Math.min(at[0], rows.length - 1), Math.min(at[1], rows[0].length - 1)];
    target(cell(at)).tabIndex = 0;
    table.addEventListener("keydown", keys);
    table.addEventListener("focusin", (event) => {
      const td = event.target.closest("td");
      if (!td) return;
      stop(place(td));
      show(td);
    });
    table.addEventListener("focusout", hide);
    table.addEventListener("pointerover", (event) => {
      const td = event.target.closest("td");
      if (!td) return;
      clearTimeout(hiding);
      show(td);
    });
    table.addEventListener("pointerleave", () => {
      hiding = setTimeout(hide, HIDE_MS);
    });
  };

  card.addEventListener("pointerenter", () => clearTimeout(hiding));
  card.addEventListener("pointerleave", () => {
    hiding = setTimeout(hide, HIDE_MS);
  });
  document.addEventListener("keydown", (event) => event.key === "Escape" && hide());
  document.addEventListener("click", measure);
  addEventListener("scroll", put, true);
  document.body.append(card);
  enhance();

  // A refresh brings a new table: the reader stays at the same pair, with the card that was open.
  let before = null;
  document.body.addEventListener("htmx:beforeSwap", () => {
    const pair = (td) => td && names(td).join("\n");
    before = table && { at: pair(cell(at)), card: carded && pair(cell(carded)), focus: table.contains(document.activeElement) };
  });
  document.addEventListener("refreshed", () => {
    const old = before;
    hide();
    carded = null;
    enhance();
    if (!old || !table) return;
    const find = (pair) => rows.flat().find((td) => names(td).join("\n") === pair);
    const stopped = find(old.at);
    if (stopped) {
      stop(place(stopped));
      if (old.focus) target(stopped).focus({ preventScroll: true });
    }
    const open = old.card && find(old.card);
    if (open) show(open);
    else hide();
  });
})();
