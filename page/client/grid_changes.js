// Grids from their differences: what a stream tells in between two whole ones is put together here.

/** The parameter that asks a stream for differences. */
export const ASKED = "grid=changes";

const DIGITS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
const VALUES = new Map([...DIGITS].map((digit, value) => [digit, value]));

export class GridChanges {
  /** @type {any} */
  #grid = null;

  /**
   * An event as it is, a `grid_change` as the `grid` that it leads to; null if its base was not told, until the next
   * whole grid, which comes within seconds.
   * @param {import("./types.js").StreamEvent} event
   * @returns {import("./types.js").StreamEvent | null}
   */
  whole(event) {
    if (event.type === "snapshot" || event.type === "reset") this.#grid = event.data.grid;
    else if (event.type === "grid") this.#grid = event.data;
    else if (event.type === "grid_change") {
      if (this.#grid?.event_id !== event.data.base_event_id) return null;
      this.#grid = applied(this.#grid, event.data);
      return { type: "grid", id: event.id, data: this.#grid };
    }
    return event;
  }
}

/** The grid that a change leads to. @param {any} grid @param {any} change */
export function applied(grid, change) {
  const { row_step_cents: step, column_seconds: widthS } = grid;
  /** @type {Map<number, (number | null)[]>} */
  const known = new Map(grid.columns.map((/** @type {any} */ column, /** @type {number} */ at) => [column.start_s, grid.rates_bp[at]]));
  const firstLow = change.row_low_cents;
  const changes = change.changes.map(readColumn);
  const shift = grid.rows.length ? (firstLow - grid.rows[0].low_cents) / step : 0;
  const starts = changes.map((/** @type {any} */ _, /** @type {number} */ at) => change.column_start_s + at * widthS);
  const lows = changes[0].map((/** @type {any} */ _, /** @type {number} */ at) => firstLow + at * step);
  return {
    ...grid,
    event_id: change.event_id,
    grid_version: change.grid_version,
    server_time_ms: change.server_time_ms,
    server_time: new Date(change.server_time_ms).toISOString(),
    price: change.price,
    columns: starts.map((/** @type {number} */ start) => ({
      start_s: start, opens_ms: start * 1000, closes_ms: (start + widthS) * 1000,
    })),
    rows: lows.map((/** @type {number} */ low) => ({ low_cents: low, high_cents: low + step })),
    rates_bp: changes.map((/** @type {(number | null)[]} */ deltas, /** @type {number} */ at) => {
      const before = known.get(starts[at]);
      return deltas.map((delta, row) => {
        const was = before?.[row + shift] ?? null;
        return delta === null || was === null ? delta : was + delta;
      });
    }),
  };
}

/** The numbers of a column: base64 VLQ, a full stop for a cell that is not offered. @param {string} text */
function readColumn(text) {
  const found = /** @type {(number | null)[]} */ ([]);
  let number = 0;
  let bits = 0;
  for (const character of text) {
    const digit = VALUES.get(character);
    if (digit === undefined) {
      found.push(null);
      continue;
    }
    number += (digit & 31) * 2 ** bits;
    bits += 5;
    if (digit > 31) continue;
    const half = Math.floor(number / 2);
    found.push(number % 2 ? -half : half);
    number = 0;
    bits = 0;
  }
  return found;
}
