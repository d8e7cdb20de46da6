// A strategy apart from the line: which cell to tap, and what its bets have brought. Neither needs a house.

import { offersOf } from "../page/client/index.js";

const RATE_BP_MIN = 15_000;

/**
 * The likeliest cell that pays half of its stake and more; undefined if there is none that was not tapped.
 * @param {import("../page/client/types.js").GridView} grid @param {number} nowMs @param {Set<string>} tapped
 */
export function choose(grid, nowMs, tapped) {
  const free = offersOf(grid, nowMs).filter(({ cellId, rateBp }) => rateBp >= RATE_BP_MIN && !tapped.has(cellId));
  return free.sort((one, other) => one.rateBp - other.rateBp).at(0);
}

/**
 * What bets have brought: payouts, and the refunds of void ones, less all stakes; an open one's is out.
 * @param {import("../page/client/types.js").EntryView[]} entries @param {Set<string>} betIds
 */
export function profitCents(entries, betIds) {
  return entries.filter(({ ref_id }) => betIds.has(ref_id)).reduce((cents, { amount }) => cents + amount, 0);
}
