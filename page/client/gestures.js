// Send one signed gesture until it is known what became of each of its taps: each placed once or not at all.

import { ApiError, LineError, insist, passes, sleep } from "./api.js";
import { neverPlaced, renewing } from "./delivery.js";

/** @typedef {import("./types.js").Fate} Fate */
/** @typedef {import("./types.js").ToldTap} ToldTap */

/** Less than the server's 30 s: the last repeat has to arrive in time. */
const SIGNATURE_GOOD_MS = 25_000;
const PAUSE_MS = 600;
/** A bet is decided 10 s after its receipt at the latest. */
const DECIDED_MS = 12_000;
const NOT_PLACED = new Set(["refused", "insufficient_funds"]);

export class GestureDelivery {
  /**
   * `renew` signs in anew; without it a refusal that passes is told, unless an answer was lost before. `outageMs` is
   * how long to ask what became of the taps.
   * @param {import("./api.js").Api} api
   * @param {{renew?: (() => Promise<void>) | null, onWait?: (error: Error) => void, outageMs?: number}} [options]
   */
  constructor(api, { renew = null, onWait = () => {}, outageMs = Infinity } = {}) {
    this.api = api;
    this.renew = renew;
    this.onWait = onWait;
    this.outageMs = outageMs;
  }

  /** @param {import("./types.js").SignedGesture} body @returns {Promise<Fate[]>} one a tap, in their order */
  async send(body) {
    const goodUntilMs = performance.now() + SIGNATURE_GOOD_MS;
    let lost = false;
    /** @type {Fate | null} */
    let refused = null;
    while (performance.now() < goodUntilMs) {
      try {
        const { taps } = await this.api.post("/api/bets", body);
        return taps.map(fateOf);
      } catch (error) {
        if (!(error instanceof ApiError || error instanceof LineError)) throw error;
        const told = error instanceof ApiError ? replayed(error) : null;
        if (told) return told;
        if (lost && error instanceof ApiError && error.code === "SIGNATURE_EXPIRED") break;
        lost ||= saysNothing(error);
        if (error instanceof ApiError) {
          refused = { code: error.code, problem: error.problem };
          if (!(await this.#mayPass(error, lost))) return body.taps.map(() => /** @type {Fate} */ (refused));
        }
        this.onWait(error);
        await sleep((error instanceof ApiError && error.retryAfterMs) || PAUSE_MS);
      }
    }
    return refused && !lost ? body.taps.map(() => /** @type {Fate} */ (refused)) : this.#lookUp(body);
  }

  /** Tell whether the same body may be answered otherwise later; sign in anew where it helps. @param {ApiError} error @param {boolean} lost */
  async #mayPass(error, lost) {
    if (error.code === "UNAUTHENTICATED" && this.renew) {
      await this.renew();
      return true;
    }
    if (error.code === "REPLAYED_NONCE" || error.status >= 500 && error.status !== 503) return true;
    return passes(error) && Boolean(this.renew || lost);
  }

  /** Find out, when the body can no longer be sent, which taps were placed. @param {import("./types.js").SignedGesture} body */
  async #lookUp({ taps }) {
    await sleep(DECIDED_MS);
    const patience = { onFailure: this.onWait, outageMs: this.outageMs };
    /** @type {Fate[]} */
    const fates = [];
    for (const { cell_id } of taps) {
      const path = `/api/bets?cell_id=${encodeURIComponent(cell_id)}&limit=1`;
      const { bets } = await insist(() => renewing(() => this.api.get(path), this.renew), patience);
      const bet = bets.find((/** @type {import("./types.js").BetView} */ one) => !NOT_PLACED.has(one.status));
      fates.push(bet ? { bet } : neverPlaced());
    }
    return fates;
  }
}

/** Tell whether the gesture may have been queued all the same: only 503 says for certain that it was not. @param {Error} error */
function saysNothing(error) {
  if (!(error instanceof ApiError)) return true;
  return error.code === "REPLAYED_NONCE" || (error.status >= 500 && error.status !== 503);
}

/** What a repeat tells of each tap; null if it tells nothing yet. @param {ApiError} error */
function replayed({ code, problem }) {
  const taps = code === "REPLAYED_NONCE" ? problem.taps ?? [] : [];
  return taps.some(({ outcome }) => outcome !== "unknown") ? taps.map(fateOf) : null;
}

/** @param {ToldTap} tap @returns {Fate} */
function fateOf({ bet, balance, refusal, outcome, bet_id }) {
  if (refusal) return { code: refusal.code, problem: refusal };
  if (bet) return { bet, balance };
  if (outcome === "pending" && bet_id) return { bet: { id: bet_id, status: "pending", cell_id: "", amount: 0 } };
  return neverPlaced();
}
