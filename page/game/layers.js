// The grid with its numbers, drawn aside: each frame only copies it, and only cells that changed are drawn again.

import { rate } from "../format.js";

const RADIUS_PX = 5;
/** The layer reaches so many rows beyond the grid, so that a moving price does not begin it anew. */
const SPARE_ROWS = 12;

export class GridLayer {
  #canvas = document.createElement("canvas");
  #context = this.#canvas.getContext("2d");
  #drawn = new Map();
  #queue = [];
  #key = "";

  /** Take a grid: note which cells look different now. */
  take(offer, geometry, colors, ratio, nowMs) {
    const { grid } = offer;
    this.#fit(grid, geometry, colors, ratio, nowMs);
    this.#queue = [];
    const seen = new Set();
    grid.columns.forEach((column, index) => {
      if (!offer.isOpen(column.start_s, nowMs)) return;
      grid.rows.forEach((row, at) => {
        const id = `${column.start_s}_${row.low_cents}`;
        const bp = grid.rates_bp[index][at];
        const text = bp === null ? "" : rate(bp);
        seen.add(id);
        if (this.#drawn.get(id) === text) return;
        this.#queue.push({ id, startS: column.start_s, low: row.low_cents, bp, text });
      });
    });
    for (const id of this.#drawn.keys()) {
      if (!seen.has(id)) this.#queue.unshift({ id, startS: Number(id.split("_")[0]), low: Number(id.split("_")[1]) });
    }
  }

  /** Draw what waits for at most so long; the rest follows in the next frame. */
  work(colors, budgetMs) {
    const untilMs = performance.now() + budgetMs;
    for (let drawn = 0; this.#queue.length > 0; drawn += 1) {
      if (drawn % 8 === 7 && performance.now() > untilMs) return;
      this.#draw(this.#queue.shift(), colors);
    }
  }

  /** Copy the layer to where its cells lie now, right of the closing line. */
  blit(context, geometry, openMs) {
    if (this.#key === "") return;
    const x = geometry.x(this.startMs);
    const y = geometry.y(this.topCents);
    const cutPx = Math.max(0, geometry.x(openMs) - x);
    const { width, height } = this.#canvas;
    const cut = Math.round(cutPx * this.ratio);
    if (cut >= width) return;
    context.drawImage(this.#canvas, cut, 0, width - cut, height, x + cut / this.ratio, y, (width - cut) / this.ratio,
      height / this.ratio);
  }

  /** Begin anew, for another size, theme or price. */
  clear() {
    this.#key = "";
  }

  #fit(grid, { columnPx, rowPx, columnMs, stepCents }, colors, ratio, nowMs) {
    const startMs = Math.floor(nowMs / columnMs) * columnMs;
    const low = grid.rows[0].low_cents;
    const high = grid.rows.at(-1).high_cents;
    const fits = this.#key !== "" && low >= this.bottomCents && high <= this.topCents;
    const key = [startMs, columnPx, rowPx, ratio, colors.key].join();
    if (fits && key === this.#key) return;
    const spareCents = SPARE_ROWS * stepCents;
    if (!fits) Object.assign(this, { bottomCents: low - spareCents, topCents: high + spareCents });
    Object.assign(this, { startMs, columnPx, rowPx, columnMs, stepCents, ratio });
    this.#key = key;
    this.#drawn.clear();
    const rows = (this.topCents - this.bottomCents) / stepCents;
    this.#canvas.width = Math.ceil((grid.columns.length + 3) * columnPx * ratio);
    this.#canvas.height = Math.ceil(rows * rowPx * ratio);
    this.#context.setTransform(ratio, 0, 0, ratio, 0, 0);
    this.#context.textAlign = "center";
    this.#context.textBaseline = "middle";
    this.#context.font = colors.cellFont(columnPx);
  }

  #draw({ id, startS, low, bp, text }, colors) {
    const context = this.#context;
    const x = ((startS * 1000 - this.startMs) / this.columnMs) * this.columnPx;
    const y = ((this.topCents - low) / this.stepCents - 1) * this.rowPx;
    context.clearRect(x, y, this.columnPx, this.rowPx);
    if (text === undefined) {
      this.#drawn.delete(id);
      return;
    }
    this.#drawn.set(id, text);
    context.fillStyle = colors.cell;
    context.globalAlpha = bp === null ? 0.045 : glow(bp);
    context.beginPath();
    context.roundRect(x + 1, y + 1, this.columnPx - 2, this.rowPx - 2, RADIUS_PX);
    context.fill();
    if (bp === null) return;
    context.globalAlpha = 1;
    context.fillStyle = colors.cellText;
    context.fillText(text, x + this.columnPx / 2, y + this.rowPx / 2 + 0.5);
  }
}

/** How much a cell glows: likely ones more, on a scale of ratios from 1.05x to 100x. */
function glow(bp) {
  const part = Math.min(1, Math.max(0, Math.log(bp / 10_500) / Math.log(24)));
  return 0.46 - 0.36 * part;
}
