// Whether the breaker lets bets be taken, and why not.

import { texts } from "../texts.js";

/** Ticks must have been fresh so long before a stopped breaker takes bets again. */
const RECOVERY_MS = 30_000;

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
