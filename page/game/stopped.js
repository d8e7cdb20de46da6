// Whether bets can be taken: what the breaker says, and whether the line is there.

import { texts } from "../texts.js";

/** Ticks must have been fresh so long before a stopped breaker takes bets again. */
const RECOVERY_MS = 30_000;
/** A line that is back sooner was not lost to anybody. */
const LOST_SHOWN_MS = 1_500;

/** Why bets are stopped and since when; empty while they are taken. */
export function breakerText(breaker, priceAgeMs, nowMs) {
  const over = breaker.override_until_ms !== null && nowMs >= breaker.override_until_ms;
  const override = over ? "auto" : breaker.override;
  if (override === "open") return texts.banner.operator;
  if (override === "closed" || breaker.state !== "CRITICAL") return "";
  if (breaker.fresh_since_ms !== null) {
    const leftMs = Math.max(0, breaker.fresh_since_ms + RECOVERY_MS - nowMs);
    return texts.banner.recovering(leftMs);
  }
  if (priceAgeMs === null) return texts.banner.starting;
  return texts.banner.stale(priceAgeMs);
}

/** Whether bets are taken now. */
export const takesBets = (breaker, nowMs) => !breaker || breakerText(breaker, 0, nowMs) === "";

/** Whether the line to the server has been away for so long that it is told. */
export const lineLost = ({ connection, lostMs }) =>
  !navigator.onLine || (connection !== "live" && lostMs !== null && performance.now() - lostMs >= LOST_SHOWN_MS);
