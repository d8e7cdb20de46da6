// Exposure: what the house pays if a cell is touched, drawn over the grid, and the same as a table.

import { drawing, make, write } from "../dom.js";
import { band, money, time } from "../format.js";
import { figure, panel, state, table } from "./panel.js";
import { texts } from "./texts.js";

const words = texts.exposure;
const WIDTH_MIN = 560;
const LEFT = 78;
const TOP = 8;
const GRID_HEIGHT = 230;
const BARS_TOP = TOP + GRID_HEIGHT + 22;
const BARS_HEIGHT = 56;
const HEIGHT = BARS_TOP + BARS_HEIGHT + 6;
const ROWS_MIN = 20;
const LABELS_MAX = 7;
const COLUMNS_MIN = 12;
const LABEL_WIDTH = 56;
const TABLE = [
  { name: words.column }, { name: words.bets, number: true }, { name: words.staked, number: true },
  { name: words.payout, number: true }, { name: words.share, number: true }, { name: words.greatestCell },
];

export class Exposure {
  constructor() {
    this.figures = make("dl", { class: "figures" });
    this.svg = drawing("svg", { class: "exposure", role: "img", "aria-label": words.nothing });
    this.rows = make("div");
    this.said = make("p", { class: "quiet" });
    this.element = panel(words.title, { wide: true }, this.figures, make("div", { class: "scroll", tabindex: 0,
      role: "group", "aria-label": words.drawing }, this.svg), this.said,
      make("details", {}, make("summary", {}, words.asTable), this.rows));
  }

  show(found) {
    const { columns, limits, payout_cents: payoutCents } = found;
    const share = payoutCents / limits.liability_max_cents;
    const atLeast = found.complete ? "" : words.atLeast;
    this.figures.replaceChildren(
      figure(words.payout, atLeast + money(payoutCents),
        words.ofLimit(percent(share), money(limits.liability_max_cents))),
      figure(words.staked, atLeast + money(found.staked_cents)),
      figure(words.bets, atLeast + found.bets.toLocaleString("en-US")),
      figure(words.greatestColumn, ...greatest(columns, limits.column_payout_max_cents)),
    );
    this.svg.setAttribute("aria-label", words.alternative(columns.length, money(payoutCents)));
    this.svg.parentElement.hidden = columns.length === 0;
    // One unit of the drawing is one of the screen, so that its texts are as large as all others.
    const width = Math.max(WIDTH_MIN, this.svg.parentElement.clientWidth);
    this.svg.setAttribute("viewBox", `0 0 ${width} ${HEIGHT}`);
    this.svg.setAttribute("width", width);
    this.svg.replaceChildren(...(columns.length ? draw(found, width) : []));
    write(this.said, columns.length === 0 ? words.nothing : found.complete ? words.legend : words.incomplete);
    this.rows.replaceChildren(columns.length ? table(words.title, TABLE, columns.map((one) => row(one, limits))) : "");
  }
}

const percent = (share) => `${(share * 100).toFixed(share < 0.1 ? 2 : 0)} %`;

function greatest(columns, limitCents) {
  const most = columns.reduce((least, one) => Math.max(least, one.payout_cents), 0);
  const share = most / limitCents;
  const text = money(most);
  return [share >= 0.8 ? state(text, "bad") : text, words.ofLimit(percent(share), money(limitCents))];
}

function row(one, limits) {
  const cell = one.cells.reduce((most, other) => (other.payout_cents > most.payout_cents ? other : most));
  return [
    time(one.start_s * 1000), String(one.bets), money(one.staked_cents), money(one.payout_cents),
    percent(one.payout_cents / limits.column_payout_max_cents),
    words.cell(band(cell.low_cents, cell.high_cents), money(cell.payout_cents)),
  ];
}

/** Where prices and columns lie in the drawing. */
function scales({ columns, price_cents: price, row_step_cents: step, column_seconds: seconds }, width) {
  const lows = columns.flatMap((one) => one.cells.map((cell) => cell.low_cents));
  const middle = price ?? lows[0];
  const low = Math.min(...lows, middle - (ROWS_MIN / 2) * step);
  const high = Math.max(...lows.map((one) => one + step), middle + (ROWS_MIN / 2) * step);
  const first = columns[0].start_s;
  const count = Math.max(COLUMNS_MIN, (columns.at(-1).start_s - first) / seconds + 1);
  const columnWidth = (width - LEFT) / count;
  return {
    columnWidth, prices: labelled(low, high, step),
    x: (startS) => LEFT + ((startS - first) / seconds) * columnWidth,
    y: (cents) => TOP + ((high - cents) / (high - low)) * GRID_HEIGHT,
  };
}

/** The prices that stand beside the drawing: edges of rows, a few of them. */
function labelled(low, high, step) {
  const apart = Math.ceil((high - low) / step / LABELS_MAX) * step;
  const first = Math.ceil(low / apart) * apart;
  return Array.from({ length: Math.floor((high - first) / apart) + 1 }, (_, at) => first + at * apart);
}

function draw(found, width) {
  const { columns, limits, price_cents: price } = found;
  const { columnWidth, prices, x, y } = scales(found, width);
  const mostCell = Math.max(...columns.flatMap((one) => one.cells.map((cell) => cell.payout_cents)));
  const mostColumn = Math.max(...columns.map((one) => one.payout_cents));
  const parts = [drawing("rect", { class: "field", x: LEFT, y: TOP, width: width - LEFT, height: GRID_HEIGHT })];
  for (const cents of prices) {
    parts.push(drawing("line", { class: "rule", x1: LEFT, x2: width, y1: y(cents), y2: y(cents) }),
      label(LEFT - 6, y(cents) + 4, money(cents).replace(".00", ""), "end"));
  }
  for (const column of columns) {
    const left = x(column.start_s);
    for (const cell of column.cells) parts.push(drawn(cell, left, columnWidth, y, mostCell, column.start_s));
    const height = (column.payout_cents / mostColumn) * BARS_HEIGHT;
    const full = column.payout_cents >= 0.8 * limits.column_payout_max_cents;
    const at = time(column.start_s * 1000);
    parts.push(drawing("rect", {
      class: full ? "bar bad" : "bar", x: left + 2, y: BARS_TOP + BARS_HEIGHT - height, width: columnWidth - 4,
      height: Math.max(1, height),
    }, title(words.columnTitle(at, money(column.payout_cents)))));
    if (columnWidth > LABEL_WIDTH || (column.start_s / found.column_seconds) % 2 === 0) {
      parts.push(label(left + columnWidth / 2, BARS_TOP - 7, at, "middle"));
    }
  }
  if (price !== null) {
    parts.push(drawing("line", { class: "price", x1: LEFT, x2: width, y1: y(price), y2: y(price) },
      title(words.price(money(price)))));
  }
  parts.push(label(LEFT - 6, BARS_TOP + 12, words.perColumn, "end"));
  return parts;
}

function drawn(cell, left, width, y, most, startS) {
  const strength = 0.2 + 0.8 * Math.sqrt(cell.payout_cents / most);
  const said = words.cellTitle(
    time(startS * 1000), band(cell.low_cents, cell.high_cents), cell.bets, money(cell.payout_cents));
  return drawing("rect", {
    class: "cell", x: left + 1, width: width - 2, y: y(cell.high_cents),
    height: Math.max(2, y(cell.low_cents) - y(cell.high_cents) - 0.5), "fill-opacity": strength.toFixed(2),
  }, title(said));
}

function label(x, y, text, anchor) {
  const element = drawing("text", { x, y, "text-anchor": anchor });
  element.textContent = text;
  return element;
}

function title(text) {
  const element = drawing("title");
  element.textContent = text;
  return element;
}
