// Where a moment and a price lie on the canvas, and which cell lies under a point. All in CSS pixels.

const COLUMN_PX_MIN = 46;
const COLUMN_PX_MAX = 84;
const ROW_PX_MIN = 30;
const ROWS_SHOWN = 15;
/** How much of the way to the price the view goes in a second, as a rate of decay. */
const FOLLOW_PER_S = 2.2;
/** Within this part of the height the price may move without the view following. */
const CALM = 0.1;

export class Geometry {
  width = 0;
  height = 0;
  /** The price at the middle of the height; null before the first price. */
  middleCents = null;

  /** Fit the canvas: the grid's columns fill what is right of now, rows are tall enough for a finger. */
  fit(width, height, { columnMs, stepCents, columns }) {
    Object.assign(this, { width, height, columnMs, stepCents });
    this.nowX = Math.round(width * (width < 600 ? 0.24 : 0.32));
    const fitting = (width - this.nowX) / (columns + 0.4);
    this.columnPx = Math.round(Math.min(COLUMN_PX_MAX, Math.max(COLUMN_PX_MIN, fitting)));
    this.rowPx = Math.round(Math.max(ROW_PX_MIN, height / ROWS_SHOWN));
  }

  /** Take up a moment; whole device pixels, so that the blitted layer and what is drawn on it agree. */
  look(nowMs, ratio) {
    this.nowMs = nowMs;
    this.originMs = this.columnStart(nowMs);
    this.originX = snap(this.nowX - ((nowMs - this.originMs) / this.columnMs) * this.columnPx, ratio);
    this.originCents = Math.floor(this.middleCents / this.stepCents) * this.stepCents;
    const awayPx = ((this.middleCents - this.originCents) / this.stepCents) * this.rowPx;
    this.originY = snap(this.height / 2 + awayPx, ratio);
  }

  x(ms) {
    return this.originX + ((ms - this.originMs) / this.columnMs) * this.columnPx;
  }

  y(cents) {
    return this.originY - ((cents - this.originCents) / this.stepCents) * this.rowPx;
  }

  ms(x) {
    return this.originMs + ((x - this.originX) / this.columnPx) * this.columnMs;
  }

  cents(y) {
    return this.originCents + ((this.originY - y) / this.rowPx) * this.stepCents;
  }

  /** The rectangle of a cell, with the gap around it. */
  box({ startS, highCents }) {
    return { x: this.x(startS * 1000) + 1, y: this.y(highCents) + 1, w: this.columnPx - 2, h: this.rowPx - 2 };
  }

  /** Move the view towards the price; `calm`: in steps of whole bands, without motion in between. */
  follow(cents, passedMs, calm) {
    if (this.middleCents === null) this.middleCents = cents;
    const awayPx = ((cents - this.middleCents) / this.stepCents) * this.rowPx;
    if (calm || Math.abs(awayPx) > 2 * this.height) {
      if (Math.abs(awayPx) > this.height / 5) this.middleCents = cents;
      return;
    }
    const beyondPx = Math.abs(awayPx) - CALM * this.height;
    if (beyondPx <= 0) return;
    const part = 1 - Math.exp((-FOLLOW_PER_S * Math.min(passedMs, 100)) / 1000);
    this.middleCents += ((Math.sign(awayPx) * beyondPx * part) / this.rowPx) * this.stepCents;
  }

  /** The start of the window that holds a moment, in ms. */
  columnStart(ms) {
    return Math.floor(ms / this.columnMs) * this.columnMs;
  }

  /** The cell under a point: its window's start in seconds and its band; null left of now. */
  cellAt(x, y) {
    if (this.originMs === undefined || x < 0 || y < 0 || x > this.width || y > this.height) return null;
    const ms = this.ms(x);
    if (ms < this.nowMs) return null;
    const lowCents = Math.floor(this.cents(y) / this.stepCents) * this.stepCents;
    const startS = this.columnStart(ms) / 1000;
    const highCents = lowCents + this.stepCents;
    return { startS, lowCents, highCents, cellId: `${startS}_${lowCents}_${highCents}` };
  }
}

function snap(px, ratio) {
  return Math.round(px * ratio) / ratio;
}
