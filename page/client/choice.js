// Which cells one may tap now.

/** A tap needs a moment to arrive: a column that closes sooner is left alone. */
const CLOSING_MARGIN_MS = 400;

/**
 * List what a grid offers in columns that stay open long enough, the soonest first.
 * @param {import("./types.js").GridView} grid @param {number} nowMs the server's time
 * @returns {import("./types.js").Offered[]}
 */
export function offersOf(grid, nowMs) {
  const widthMs = grid.column_seconds * 1000;
  const marginMs = Math.min(CLOSING_MARGIN_MS, widthMs / 4);
  return grid.columns.flatMap(({ start_s: startS, opens_ms: opensMs }, column) => {
    // A column closes when the one before it begins.
    if (opensMs - widthMs - nowMs < marginMs) return [];
    return grid.rows.flatMap(({ low_cents: lowCents, high_cents: highCents }, row) => {
      const rateBp = grid.rates_bp[column][row];
      return rateBp === null ? [] : [{ cellId: `${startS}_${lowCents}_${highCents}`, rateBp, startS, lowCents, highCents }];
    });
  });
}
