// The numbers of a matrix as its page holds them, and its table: whole as the server wrote it, or, where it is large,
// as far as it is in view. Rows and columns are counted from 0; -1 are the headers, the last are the sums.
"use strict";

const element = (kind, known) => Object.assign(document.createElement(kind), known);

// What stands where: texts by metric, looks, and addresses.
class MatrixNumbers {
  constructor(written) {
    const held = JSON.parse(written);
    this.rows = held.rows;
    this.cols = held.cols;
    this.units = held.units;
    this.last = [held.rows.ends.length, held.cols.ends.length];
    this.sides = held.sides;
    this.addresses = held.addresses;
    this.kinds = held.kinds;
    this.kind = held.kind.split(" ");
    this.texts = MatrixNumbers.columns(held.texts);
    this.told = { ...this.texts, ...MatrixNumbers.columns(held.told) };
    this.places = new Map();
    for (const [row, cols] of held.at.split("\t").entries())
      for (const col of cols.split(" ")) if (col !== "") this.places.set(this.key(row, Number(col)), this.places.size);
  }

  static columns(held) {
    return Object.fromEntries(Object.entries(held).map(([name, column]) => [name, column.split("\t")]));
  }

  key(row, col) {
    return row * (this.last[1] + 1) + col;
  }

  // The number of a cell among all that are not empty.
  find(row, col) {
    return this.places.get(this.key(row, col));
  }

  text(metric, row, col) {
    return this.texts[metric][this.find(row, col)];
  }

  // The filters of a row and a column; undefined for sums.
  ends(row, col) {
    return [this.rows.ends[row], this.cols.ends[col]];
  }

  names(row, col) {
    return this.ends(row, col).map((end) => (end === undefined ? "all" : MatrixNumbers.name(end)));
  }

  static name(end) {
    return end.slice(end.indexOf(":") + 1);
  }

  // This page, changed; another choice of what it shows begins at the first page of its list.
  static here(change) {
    const own = new URL(location.href);
    own.searchParams.delete("page");
    change(own.searchParams);
    return own.pathname + own.search;
  }

  address(row, col) {
    const ends = this.ends(row, col);
    const known = this.sides.flatMap((side, place) => (ends[place] === undefined ? [] : [[side, ends[place]]]));
    if (known.length === 0) return this.addresses.all;
    if (known.length === 1) return MatrixNumbers.here((query) => query.set(...known[0]));
    return this.addresses.link + known.map(([side, end]) => `&${side}=${encodeURIComponent(end)}`).join("");
  }

  // This page with a group opened, or closed.
  toggled(side, end) {
    return MatrixNumbers.here((query) => {
      const name = `open_${side}`;
      const open = query.getAll(name);
      query.delete(name);
      const next = open.includes(end) ? open.filter((each) => each !== end) : [...open, end];
      for (const each of next) query.append(name, each);
    });
  }

  site(name) {
    const page = new URL(this.addresses.site, location.href);
    return page.pathname + encodeURIComponent(name) + page.search;
  }
}

class WholeTable {
  constructor(table) {
    this.table = table;
  }

  at(row, col) {
    const { tHead, tBodies } = this.table;
    return (row < 0 ? tHead : tBodies[0]).rows[Math.max(0, row)]?.cells[col + 1];
  }

  place(cell) {
    const line = cell.parentNode;
    return [line.parentNode === this.table.tHead ? -1 : line.sectionRowIndex, cell.cellIndex - 1];
  }

  bring() {}
}

// Holds the cells that are in view and as many around them as MOST allows, at most a screen to each side.
class LargeTable {
  static ROW_PX = 25;
  static COLUMN_PX = 84;
  static MOST = 700; // cells: a page stays responsive, and within 2500 elements

  // "made" gets each cell before it is shown, "moved" whether the focus was in a cell that is gone.
  constructor(table, numbers, metric, made, moved) {
    Object.assign(this, { table, numbers, metric, made, moved });
    this.box = table.parentNode;
    this.box.style.setProperty("--row", `${LargeTable.ROW_PX}px`);
    this.box.style.setProperty("--column", `${LargeTable.COLUMN_PX}px`);
    this.box.hidden = false;
    [this.headColumn, this.left, this.middle, this.right, this.sumColumn] = table.querySelectorAll("col");
    this.body = table.tBodies[0];
    this.lines = new Map();
    [this.above, this.below] = [0, 1].map(() => this.gap("tr"));
    this.body.prepend(this.above, this.below);
    for (const line of [this.above, this.below]) line.append(this.gap("td"));
    this.shown = { row: 0, rows: 0, col: 0, cols: 0 };
    const [rows, cols] = numbers.last;
    this.adopt(table.tHead.rows[0], -1);
    this.adopt(this.body.lastElementChild, rows);
    const [head, sum] = [this.headColumn, this.sumColumn].map((each) => parseFloat(getComputedStyle(each).width));
    table.style.width = `${head + sum + cols * LargeTable.COLUMN_PX}px`;
    const [top, bottom] = [table.tHead, this.body.lastElementChild].map((each) => each.offsetHeight);
    const sticks = getComputedStyle(this.at(-1, cols)).right !== "auto"; // not on a narrow screen
    this.covered = { width: head + (sticks ? sum : 0), height: top + bottom };
    this.box.addEventListener("scroll", () => this.draw());
    new ResizeObserver(() => this.draw()).observe(this.box);
    this.draw();
  }

  gap(kind) {
    const made = document.createElement(kind);
    made.className = "gap";
    made.setAttribute("aria-hidden", "true");
    return made;
  }

  // A row of the table, with its header and sum alone.
  adopt(line, row) {
    line.setAttribute("aria-rowindex", row + 2);
    if (!line.cells.length) line.append(this.header(row, -1));
    else this.made(line.cells[0]);
    line.cells[0].setAttribute("aria-colindex", 1);
    line.append(this.gap("td"), this.gap("td"), this.cell(row, this.numbers.last[1]));
    const held = { line, from: 0, to: 0 };
    this.lines.set(row, held);
    return held;
  }

  // The part that is in view, in whole rows and columns.
  view() {
    const { ROW_PX, COLUMN_PX } = LargeTable;
    const { scrollTop, scrollLeft, clientWidth, clientHeight } = this.box;
    return {
      row: Math.floor(scrollTop / ROW_PX),
      rows: Math.ceil(Math.max(0, clientHeight - this.covered.height) / ROW_PX) + 1,
      col: Math.floor(scrollLeft / COLUMN_PX),
      cols: Math.ceil(Math.max(0, clientWidth - this.covered.width) / COLUMN_PX) + 1,
    };
  }

  draw() {
    const view = this.view();
    const [lastRow, lastCol] = this.numbers.last;
    const most = LargeTable.MOST / (view.rows * view.cols);
    const around = Math.max(0, Math.min(1, (Math.sqrt(most) - 1) / 2)); // screens to each side
    const [spareRows, spareCols] = [view.rows, view.cols].map((size) => Math.floor(size * around));
    const isHeld = (from, size, heldFrom, heldSize, spare, last) =>
      heldFrom <= Math.max(0, from - spare / 2) && heldFrom + heldSize >= Math.min(last, from + size + spare / 2);
    const { shown } = this;
    if (
      isHeld(view.row, view.rows, shown.row, shown.rows, spareRows, lastRow) &&
      isHeld(view.col, view.cols, shown.col, shown.cols, spareCols, lastCol)
    )
      return;
    const focus = document.activeElement;
    const hadFocus = this.table.contains(focus);
    const row = Math.max(0, view.row - spareRows);
    const col = Math.max(0, view.col - spareCols);
    const rows = Math.max(0, Math.min(lastRow, view.row + view.rows + spareRows) - row);
    const cols = Math.max(0, Math.min(lastCol, view.col + view.cols + spareCols) - col);
    this.shown = { row, rows, col, cols };
    this.left.style.width = `${col * LargeTable.COLUMN_PX}px`;
    this.middle.span = Math.max(1, cols);
    this.right.style.width = `${(lastCol - col - cols) * LargeTable.COLUMN_PX}px`;
    for (const [line, size] of [[this.above, row], [this.below, lastRow - row - rows]]) {
      line.hidden = size === 0;
      line.cells[0].colSpan = cols + 4;
      line.cells[0].style.height = `${size * LargeTable.ROW_PX}px`;
    }
    for (const [number, held] of this.lines) {
      if (number < 0 || number === lastRow || (number >= row && number < row + rows)) continue;
      held.line.remove();
      this.lines.delete(number);
    }
    let before = this.above;
    for (let number = row; number < row + rows; number += 1) {
      const held = this.lines.get(number) || this.adopt(document.createElement("tr"), number);
      if (before.nextSibling !== held.line) before.after(held.line);
      before = held.line;
    }
    for (const [number, held] of this.lines) this.fill(held, number, col, col + cols);
    this.moved(hadFocus && !focus.isConnected);
  }

  // The cells of a row from one column to another; those that it has stay.
  fill(held, row, from, to) {
    const { line } = held;
    if (held.to <= from || held.from >= to) {
      while (held.to > held.from) line.cells[1 + held.to-- - held.from].remove();
      held.from = held.to = from;
    }
    for (; held.from < from; held.from += 1) line.cells[2].remove();
    for (; held.to > to; held.to -= 1) line.cells[1 + held.to - held.from].remove();
    while (held.from > from) line.cells[1].after(this.cell(row, (held.from -= 1)));
    for (; held.to < to; held.to += 1) line.cells[1 + held.to - held.from].after(this.cell(row, held.to));
  }

  cell(row, col) {
    const made = row < 0 ? this.header(row, col) : this.numbered(row, col);
    made.setAttribute("aria-colindex", col + 2);
    return made;
  }

  numbered(row, col) {
    const td = document.createElement("td");
    const place = this.numbers.find(row, col);
    if (place !== undefined) {
      const [css, mark, isFew] = this.numbers.kinds[this.numbers.kind[place]];
      td.className = css;
      const link = document.createElement("a");
      link.href = this.numbers.address(row, col);
      link.append(this.numbers.texts[this.metric][place]);
      if (mark) link.append(" ", element("span", { className: "mark", textContent: mark, ariaHidden: "true" }));
      if (isFew) link.append(" ", element("small", { textContent: `n=${this.numbers.texts.n[place]}` }));
      td.append(link);
    }
    this.made(td);
    return td;
  }

  // A row's or a column's name, with what opens it and the page of a site.
  header(row, col) {
    const isRow = col < 0;
    const [side, place] = isRow ? [this.numbers.rows, row] : [this.numbers.cols, col];
    const th = element("th", { scope: isRow ? "row" : "col" });
    const inner = isRow ? th : th.appendChild(document.createElement("span"));
    const end = side.ends[place];
    if (end === undefined) {
      th.classList.add("sum");
      inner.append("all");
    } else {
      const name = MatrixNumbers.name(end);
      th.className = `d${side.depths[place]}`;
      inner.title = name;
      const isOpen = side.open[place];
      if (isOpen !== null) {
        const href = this.numbers.toggled(this.numbers.sides[isRow ? 0 : 1], end);
        const told = { className: "open", href, ariaExpanded: String(isOpen === 1), ariaLabel: name };
        inner.append(element("a", { ...told, textContent: isOpen ? "▾" : "▸" }), " ");
      }
      const isSite = end.startsWith("site:");
      inner.append(isSite ? element("a", { href: this.numbers.site(name), textContent: name }) : name);
    }
    this.made(th);
    return th;
  }

  at(row, col) {
    const held = this.lines.get(row);
    if (!held) return undefined;
    if (col < 0) return held.line.cells[0];
    if (col === this.numbers.last[1]) return held.line.lastElementChild;
    return col >= held.from && col < held.to ? held.line.cells[2 + col - held.from] : undefined;
  }

  place(cell) {
    return [cell.parentNode.ariaRowIndex - 2, cell.ariaColIndex - 2];
  }

  // Scrolls so far that the cell is there.
  bring(row, col) {
    const view = this.view();
    const [lastRow, lastCol] = this.numbers.last;
    const { ROW_PX, COLUMN_PX } = LargeTable;
    if (row >= 0 && row < lastRow) {
      if (row < view.row + 1) this.box.scrollTop = row * ROW_PX;
      else if (row > view.row + view.rows - 3) this.box.scrollTop = (row - view.rows + 3) * ROW_PX;
    }
    if (col >= 0 && col < lastCol) {
      if (col < view.col + 1) this.box.scrollLeft = col * COLUMN_PX;
      else if (col > view.col + view.cols - 3) this.box.scrollLeft = (col - view.cols + 3) * COLUMN_PX;
    }
    this.draw();
  }
}
