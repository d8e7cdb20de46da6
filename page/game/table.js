// The grid as a table of buttons: for the keyboard and for screen readers. Arrows move, Enter taps.

import { find, make, write } from "../dom.js";
import { band, payoutCents, rate, time } from "../format.js";
import { texts } from "../texts.js";
import { labelOf } from "./marks.js";
import { sentenceOf, shownState } from "./taps.js";

/** While nobody uses the table it follows the grid at leisure. */
const IDLE_EVERY_MS = 2_000;
const STEPS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] };

export class CellTable {
  #columns = [];
  #rows = new Map();
  #focused = null;
  #doneMs = -Infinity;

  /** `onAim(cell | null)` and `onTap(cell)`, as of the pointer. */
  constructor({ state, clock, board, taps, onAim, onTap }) {
    Object.assign(this, { state, clock, board, taps, onAim, onTap });
    this.holder = find("cells");
    this.body = make("tbody");
    this.heads = make("tr", {}, make("th", { scope: "col" }, texts.table.price));
    this.holder.append(make("table", {}, make("caption", {}, texts.table.caption), make("thead", {}, this.heads),
      this.body));
    this.body.addEventListener("click", ({ target }) => this.#tap(target));
    this.body.addEventListener("keydown", (event) => this.#move(event));
    this.body.addEventListener("focusin", ({ target }) => this.#focus(target));
    this.body.addEventListener("focusout", () => this.#blur());
    state.on(["grid"], () => this.#follow());
    this.#switch();
  }

  /** Show what has become of a tap, or of all of them. */
  refresh(tap) {
    if (!tap) return this.#fill();
    const row = this.#rows.get(tap.lowCents);
    if (row?.cells.has(tap.startS)) this.#fillCell(row, tap.startS);
    return undefined;
  }

  #switch() {
    const button = find("table-switch");
    button.addEventListener("click", () => {
      const shown = this.holder.classList.toggle("shown");
      button.setAttribute("aria-expanded", String(shown));
      write(button, shown ? texts.board.hideTable : texts.board.showTable);
      if (shown) this.#fill();
    });
  }

  #follow() {
    const used = this.#focused || this.holder.classList.contains("shown");
    if (used || performance.now() - this.#doneMs > IDLE_EVERY_MS) this.#fill();
  }

  /** Bring the table to the newest grid; buttons stay with their cells, so focus does too. */
  #fill() {
    const { offer } = this.board;
    if (!offer) return;
    this.#doneMs = performance.now();
    const nowMs = this.clock.nowMs();
    const open = offer.grid.columns.filter(({ start_s: startS }) => offer.isOpen(startS, nowMs));
    const lost = this.#focused && !this.#keeps(offer.grid, open) ? this.#focused : null;
    this.#fillHeads(open);
    this.#fillRows(offer, open);
    if (lost) this.#focusNear(lost, open, offer.grid.rows);
    if (!this.body.querySelector('[tabindex="0"]')) this.#offerFocus(offer);
  }

  #keeps(grid, open) {
    const { startS, lowCents } = this.#focused;
    return open.some((column) => column.start_s === startS) && grid.rows.some((row) => row.low_cents === lowCents);
  }

  #fillHeads(open) {
    const starts = open.map((column) => column.start_s);
    if (starts.join() === this.#columns.join()) return;
    this.#columns = starts;
    const heads = open.map((column) => make("th", { scope: "col" }, time(column.opens_ms)));
    this.heads.replaceChildren(this.heads.firstElementChild, ...heads);
  }

  #fillRows(offer, open) {
    const lows = offer.grid.rows.map((row) => row.low_cents);
    for (const [low, row] of this.#rows) {
      if (lows.includes(low)) continue;
      row.element.remove();
      this.#rows.delete(low);
    }
    let below = null;
    for (const { low_cents: low, high_cents: high } of offer.grid.rows) {
      if (!this.#rows.has(low)) this.#rows.set(low, newRow(low, high));
      const row = this.#rows.get(low);
      // The highest price comes first, as on the board.
      const { element } = row;
      if (element.nextElementSibling !== below || !element.isConnected) this.body.insertBefore(element, below);
      below = element;
      this.#fillCells(row, open);
    }
  }

  #fillCells(row, open) {
    for (const [startS, button] of row.cells) {
      if (this.#columns.includes(startS)) continue;
      button.parentElement.remove();
      row.cells.delete(startS);
    }
    for (const { start_s: startS } of open) {
      if (!row.cells.has(startS)) row.cells.set(startS, newCell(row, startS));
      this.#fillCell(row, startS);
    }
  }

  #fillCell(row, startS) {
    const bp = this.board.offer.rateBp(startS, row.low);
    const button = row.cells.get(startS);
    if (!this.#mark(button, row, startS)) write(button, bp === null ? texts.table.none : rate(bp));
    if ((bp === null) !== (button.getAttribute("aria-disabled") === "true")) {
      button.setAttribute("aria-disabled", String(bp === null));
    }
  }

  /** Mark a cell that is bet on, as the board does; false for any other. */
  #mark(button, { low, high }, startS) {
    const tap = this.taps.standing(`${startS}_${low}_${high}`);
    if (!tap) {
      delete button.dataset.state;
      button.removeAttribute("aria-pressed");
      return false;
    }
    const shown = shownState(tap, this.clock.nowMs(), this.state.rules.fill_delay_ms);
    if (button.dataset.state !== shown) button.dataset.state = shown;
    button.setAttribute("aria-pressed", "true");
    write(button, labelOf(tap, shown));
    return true;
  }

  #offerFocus(offer) {
    const { cents } = offer.grid.price;
    const near = [...this.#rows.values()].find((row) => row.low <= cents && cents < row.high)
      ?? this.#rows.values().next().value;
    near?.cells.values().next().value?.setAttribute("tabindex", "0");
  }

  #focusNear({ startS, lowCents }, open, rows) {
    const column = open.find((one) => one.start_s >= startS)?.start_s ?? this.#columns[0];
    const low = Math.min(rows.at(-1).low_cents, Math.max(rows[0].low_cents, lowCents));
    this.#rows.get(low)?.cells.get(column)?.focus();
  }

  #move(event) {
    const step = STEPS[event.key];
    if (!step || !this.#focused) return;
    event.preventDefault();
    const { startS, lowCents } = this.#focused;
    const column = this.#columns[this.#columns.indexOf(startS) + step[0]];
    const lows = [...this.#rows.keys()].sort((a, b) => a - b);
    const low = lows[lows.indexOf(lowCents) + step[1]];
    this.#rows.get(low ?? lowCents)?.cells.get(column ?? startS)?.focus();
  }

  #focus(target) {
    const cell = cellOfButton(target);
    if (!cell) return;
    for (const old of this.body.querySelectorAll('[tabindex="0"]')) old.setAttribute("tabindex", "-1");
    target.setAttribute("tabindex", "0");
    this.#focused = cell;
    target.setAttribute("aria-label", this.#label(cell));
    this.onAim(cell);
  }

  #blur() {
    for (const named of this.body.querySelectorAll("[aria-label]")) named.removeAttribute("aria-label");
    this.#focused = null;
    this.onAim(null);
  }

  #tap(target) {
    const cell = cellOfButton(target);
    if (!cell) return;
    this.onTap(cell);
    target.setAttribute("aria-label", this.#label(cell));
  }

  #label({ startS, lowCents, highCents, cellId }) {
    const widthMs = this.state.grid.column_seconds * 1000;
    const window = texts.table.column(time(startS * 1000), time(startS * 1000 + widthMs));
    const bp = this.board.offer?.rateBp(startS, lowCents) ?? null;
    const text = bp === null
      ? texts.table.notOffered(window, band(lowCents, highCents))
      : texts.table.cell(window, bp, this.state.stakeCents, payoutCents(this.state.stakeCents, bp),
        band(lowCents, highCents));
    const tap = this.taps.byCell.get(cellId);
    if (!tap) return text;
    const nowMs = this.clock.nowMs();
    const shown = shownState(tap, nowMs, this.state.rules.fill_delay_ms);
    return texts.table.tapped(text, sentenceOf(tap, shown, nowMs, widthMs));
  }
}

function newRow(low, high) {
  const element = make("tr", {}, make("th", { scope: "row" }, band(low, high)));
  return { low, high, element, cells: new Map() };
}

function newCell(row, startS) {
  const button = make("button", {
    type: "button", tabindex: "-1", "data-start": startS, "data-low": row.low, "data-high": row.high,
  });
  row.element.append(make("td", {}, button));
  return button;
}

function cellOfButton(target) {
  if (!(target instanceof HTMLButtonElement) || !target.dataset.start) return null;
  const [startS, lowCents, highCents] = ["start", "low", "high"].map((name) => Number(target.dataset[name]));
  return { startS, lowCents, highCents, cellId: `${startS}_${lowCents}_${highCents}` };
}
