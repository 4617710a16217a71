// The matrix as a grid: one tab stop and arrow keys, a card for the cell that is pointed at or focused, its headers
// lit, and another metric without a request. Without this script its cells are links with a title, and a large one is
// a list.
"use strict";
(() => {
  const HIDE_MS = 200; // the way from a cell to its card
  const CARD = ["ok", "failed", "aborted", "efficiency", "n", "volume", "throughput"];
  const SAME = ["from", "to", "bin", "vo", "technology", "fts", "channel", "src", "dst"];
  const card = element("div", { id: "card", className: "card", role: "tooltip", hidden: true });
  let box = null;
  let table = null; // a WholeTable or a LargeTable
  let numbers = null;
  let at = [0, 0];
  let carded = null; // [row, column] of the cell whose card is open
  let hiding = 0;

  const target = (cell) => cell.querySelector("a") || cell;
  const current = () => table.at(...at);

  const light = ([row, col], isLit) => {
    for (const header of [table.at(-1, col), table.at(row, -1)]) header?.classList.toggle("lit", isLit);
  };

  const hide = () => {
    clearTimeout(hiding);
    if (carded === null) return;
    light(carded, false);
    const cell = table.at(...carded);
    if (cell) target(cell).removeAttribute("aria-describedby");
    carded = null;
    card.hidden = true;
  };

  const show = (cell) => {
    const place = table.place(cell);
    if (carded !== null && String(carded) === String(place)) return;
    hide();
    if (cell.tagName === "TH") return;
    carded = place;
    light(carded, true);
    const ends = numbers.names(...place);
    const [from, to] = numbers.sides[0] === "src" ? ends : ends.reverse();
    const found = numbers.find(...place);
    const told = found === undefined ? [["transfers", "none"]] : CARD.map((name) => [name, numbers.told[name][found]]);
    const list = document.createElement("dl");
    for (const [name, value] of [["from", from], ["to", to], ...told])
      list.append(element("dt", { textContent: name }), element("dd", { textContent: value }));
    card.replaceChildren(list);
    target(cell).setAttribute("aria-describedby", "card");
    card.hidden = false;
    put();
  };

  // Beside its cell without a gap, so that the pointer can move onto it.
  const put = () => {
    const cell = carded && table.at(...carded);
    if (!cell) return hide();
    const of = cell.getBoundingClientRect();
    const own = card.getBoundingClientRect();
    const below = of.bottom + own.height <= innerHeight;
    card.style.left = `${Math.max(0, Math.min(of.left, document.documentElement.clientWidth - own.width))}px`;
    card.style.top = `${below ? of.bottom : Math.max(0, of.top - own.height)}px`;
  };

  // The one tab stop: the cell, or the box around a table that does not hold it now.
  const stop = (next) => {
    const before = current();
    if (before) target(before).tabIndex = -1;
    at = next;
    const cell = current();
    if (cell) target(cell).tabIndex = 0;
    if (cell) box.removeAttribute("tabindex");
    else box.tabIndex = 0;
  };

  const go = (place) => {
    table.bring(...place);
    stop(place);
    target(current()).focus({ preventScroll: true });
    uncover(current(), place);
  };

  // How far a span must move to lie between two bounds.
  const shift = (from, to, low, high) => (from < low ? from - low : to > high ? Math.min(to - high, from - low) : 0);

  // Scrolls so far that a cell is whole and beside what sticks; the browser would be content with a part of it, and
  // would move the table for a cell that sticks itself.
  const uncover = (cell, [row, col]) => {
    const [top, right, bottom, left] = covered();
    const [lastRow, lastCol] = numbers.last;
    const outer = box.getBoundingClientRect();
    const own = cell.getBoundingClientRect();
    const [y, x] = [outer.top + box.clientTop, outer.left + box.clientLeft];
    if (row >= 0 && row < lastRow)
      box.scrollTop += shift(own.top, own.bottom, y + top, y + box.clientHeight - bottom);
    if (col >= 0 && (col < lastCol || right === 0))
      box.scrollLeft += shift(own.left, own.right, x + left, x + box.clientWidth - right);
    const now = cell.getBoundingClientRect();
    scrollBy(0, shift(now.top, now.bottom, 0, innerHeight));
  };

  const step = (event) => {
    const [row, col] = at;
    const [lastRow, lastCol] = numbers.last;
    const page = Math.max(1, Math.floor(box.clientHeight / current().offsetHeight) - 2);
    const whole = event.ctrlKey || event.metaKey;
    const moves = {
      ArrowUp: [row - 1, col],
      ArrowDown: [row + 1, col],
      ArrowLeft: [row, col - 1],
      ArrowRight: [row, col + 1],
      Home: [whole ? 0 : row, 0],
      End: [whole ? lastRow : row, lastCol],
      PageUp: [Math.max(0, row - page), col],
      PageDown: [row + page, col],
    };
    const next = moves[event.key];
    if (next === undefined) return undefined;
    const [toRow, toCol] = [Math.max(-1, Math.min(lastRow, next[0])), Math.max(-1, Math.min(lastCol, next[1]))];
    return toRow < 0 && toCol < 0 ? at : [toRow, toCol]; // the corner leads nowhere
  };

  // The failures behind a cell: what its own link filters by, at another page.
  const errors = (link) => {
    const own = new URL(link.href);
    const kept = [...own.searchParams].filter(([name]) => SAME.includes(name));
    return `/errors?${new URLSearchParams(kept)}`;
  };

  // Behind Shift and Enter: a cell's failures, a header's site.
  const aside = (cell) => {
    const links = cell.querySelectorAll("a");
    if (cell.tagName === "TD") return links[0] && errors(links[0]);
    return links[1]?.href;
  };

  const keys = (event) => {
    const cell = event.target.closest("td, th");
    if (!cell && event.target !== box) return;
    if (event.key === "Enter" && event.shiftKey && cell && aside(cell)) {
      event.preventDefault();
      location.assign(aside(cell));
      return;
    }
    if (!cell) table.bring(...at);
    const next = event.altKey || event.shiftKey ? undefined : step(event);
    if (next === undefined) return;
    event.preventDefault();
    go(next);
  };

  const measure = (event) => {
    const chosen = event.target.closest("a[data-metric]");
    if (!chosen || !table || event.ctrlKey || event.metaKey || event.shiftKey || event.button) return;
    event.preventDefault();
    const { metric } = chosen.dataset;
    table.metric = metric;
    for (const link of box.querySelectorAll("tbody td > a")) {
      const text = link.firstChild;
      text.data = numbers.text(metric, ...table.place(link.parentNode)) + text.data.match(/\s*$/)[0]; // the space before the mark stays
    }
    for (const each of document.querySelectorAll("a[data-metric]")) each.removeAttribute("aria-current");
    chosen.setAttribute("aria-current", "true");
    const caption = table.table.caption;
    caption.firstChild.data = caption.firstChild.data.replace(/^\S+/, metric[0].toUpperCase() + metric.slice(1));
    caption.querySelector("b").textContent = numbers.units[metric];
    for (const link of document.querySelectorAll("main a[href], #state a[href], .filters a[href]")) {
      if (link.pathname !== location.pathname || link.dataset.metric) continue;
      const own = new URL(link.href);
      own.searchParams.set("metric", metric);
      link.href = own.pathname + own.search;
    }
    for (const form of document.querySelectorAll("form.filters")) {
      const field = form.elements.metric || document.createElement("input");
      form.append(Object.assign(field, { type: "hidden", name: "metric", value: metric }));
    }
    history.replaceState(history.state, "", chosen.href);
  };

  // No cell is a tab stop by itself; what a title says, the card does.
  const quiet = (cell) => {
    if (cell.tagName === "TD") cell.querySelector("a")?.removeAttribute("title");
    for (const each of [target(cell), ...cell.querySelectorAll("a")]) each.tabIndex = -1;
  };

  // Pixels that stick at the top, right, bottom and left.
  const covered = () => {
    const [lastRow, lastCol] = numbers.last;
    const [head, corner] = [table.at(-1, lastCol), table.at(lastRow, -1)];
    const sticks = getComputedStyle(head).right !== "auto"; // not on a narrow screen
    return [head.offsetHeight, sticks ? head.offsetWidth : 0, corner.offsetHeight, corner.offsetWidth];
  };

  const enhance = () => {
    box = document.querySelector(".matrix");
    table = null;
    if (!box) return;
    numbers = new MatrixNumbers(document.getElementById("numbers").textContent);
    const own = box.querySelector("table");
    at = at.map((place, side) => Math.min(place, numbers.last[side]));
    if (box.classList.contains("large")) {
      const metric = document.querySelector('a[data-metric][aria-current="true"]').dataset.metric;
      table = new LargeTable(own, numbers, metric, quiet, (isLost) => {
        if (!table) return; // its first cells
        stop(at);
        if (isLost) box.focus({ preventScroll: true });
      });
      document.querySelector("main .list").classList.add("replaced"); // on paper it stays
    } else {
      table = new WholeTable(own);
      for (const cell of own.querySelectorAll("td, th")) quiet(cell);
    }
    own.setAttribute("role", "grid");
    own.setAttribute("aria-rowcount", numbers.last[0] + 2);
    own.setAttribute("aria-colcount", numbers.last[1] + 2);
    stop(at);
    box.style.scrollPadding = covered().map((px) => `${px}px`).join(" "); // for a focus that the browser moves
    box.addEventListener("keydown", keys);
    own.addEventListener("focusin", (event) => {
      const cell = event.target.closest("td, th");
      if (!cell) return;
      stop(table.place(cell));
      show(cell);
    });
    own.addEventListener("focusout", hide);
    own.addEventListener("pointerover", (event) => {
      const cell = event.target.closest("td:not(.gap)");
      if (!cell) return;
      clearTimeout(hiding);
      show(cell);
    });
    own.addEventListener("pointerleave", () => {
      hiding = setTimeout(hide, HIDE_MS);
    });
  };

  card.addEventListener("pointerenter", () => clearTimeout(hiding));
  card.addEventListener("pointerleave", () => {
    hiding = setTimeout(hide, HIDE_MS);
  });
  document.addEventListener("keydown", (event) => event.key === "Escape" && hide());
  document.addEventListener("click", measure);
  addEventListener("scroll", () => carded && put(), true);
  document.body.append(card);
  enhance();

  // A refresh brings a new table: the reader stays at the same pair, where it was, with the card that was open.
  let before = null;
  document.body.addEventListener("htmx:beforeSwap", () => {
    const pair = (place) => numbers.ends(...place).join("\n");
    before = table && {
      at: pair(at),
      isHeader: at.map((place) => place < 0),
      card: carded && pair(carded),
      hasFocus: box.contains(document.activeElement),
      scrolled: [box.scrollLeft, box.scrollTop],
    };
  });
  document.body.addEventListener("htmx:afterSwap", (event) => {
    if (event.target.id !== "main") return;
    const old = before;
    carded = null;
    card.hidden = true;
    enhance();
    if (!old || !table) return;
    [box.scrollLeft, box.scrollTop] = old.scrolled;
    if (table.draw) table.draw();
    const find = (pair, isHeader = [false, false]) => {
      const place = pair.split("\n").map((end, side) => {
        const { ends } = side ? numbers.cols : numbers.rows;
        return isHeader[side] ? -1 : end === "" ? ends.length : ends.indexOf(end);
      });
      return place.some((each, side) => each < 0 && !isHeader[side]) ? null : place;
    };
    const stopped = find(old.at, old.isHeader);
    if (stopped) {
      stop(stopped);
      if (old.hasFocus) (current() ? target(current()) : box).focus({ preventScroll: true });
    }
    const open = old.card && find(old.card);
    const cell = open && table.at(...open);
    if (cell) show(cell);
    else hide();
  });
})();
