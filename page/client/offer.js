// What the newest grid offers: the rate of a cell, and whether its column still takes bets.

/** A look-up of the grid's rates by cell; made anew for each grid. */
export class Offer {
  /** @type {Map<number, number>} */
  #columns;
  /** @type {Map<number, number>} */
  #rows;

  /** @param {import("./types.js").GridView} grid */
  constructor(grid) {
    this.grid = grid;
    this.#columns = new Map(grid.columns.map((column, index) => [column.start_s, index]));
    this.#rows = new Map(grid.rows.map((row, index) => [row.low_cents, index]));
  }

  /** The rate of a cell in basis points; null where it is not offered. @param {number} startS @param {number} lowCents */
  rateBp(startS, lowCents) {
    const column = this.#columns.get(startS);
    const row = this.#rows.get(lowCents);
    return column === undefined || row === undefined ? null : this.grid.rates_bp[column][row];
  }

  /** Whether a column still takes bets when a tap of now arrives. @param {number} startS @param {number} arrivesMs */
  isOpen(startS, arrivesMs) {
    const columnMs = this.grid.column_seconds * 1000;
    return arrivesMs < startS * 1000 - columnMs;
  }
}
