// Send one signed bet until its fate is known: placed once or not at all, whatever becomes of the line.

import { ApiError, LineError, insist, passes, sleep } from "./api.js";

/** @typedef {import("./types.js").Fate} Fate */
/**
 * @typedef {object} Trial
 * @property {import("./types.js").SignedBet} body
 * @property {() => void} onUnknown
 * @property {(id: string) => boolean} isKnown
 * @property {boolean} lost
 * @property {Fate | null} refused the last refusal after which it was sent again
 */

/** Less than the server's 30 s: the last repeat has to arrive in time. */
const SIGNATURE_GOOD_MS = 25_000;
const PAUSE_MS = 600;
/** A bet is decided 10 s after its receipt at the latest. */
const DECIDED_MS = 12_000;
/** Refusals that come before the nonce is looked at: of a repeat, they do not say what became of the first. */
const BEFORE_NONCE = new Set(["SIGNATURE_EXPIRED", "CELL_CLOSED", "BET_EXPIRED"]);

export class Delivery {
  /**
   * A program gives `renew`, which signs in anew: then what passes (429, 503, an ended session) is waited for. Without
   * it the refusal is told, for a person to tap again, unless an answer was lost before. `outageMs` is how long to
   * ask what became of a bet: a program is to hear that nobody answers, a page waits for as long as it is looked at.
   * @param {import("./api.js").Api} api
   * @param {{renew?: (() => Promise<void>) | null, onWait?: (error: Error) => void, outageMs?: number}} [options]
   */
  constructor(api, { renew = null, onWait = () => {}, outageMs = Infinity } = {}) {
    this.api = api;
    this.renew = renew;
    this.onWait = onWait;
    this.outageMs = outageMs;
  }

  /**
   * Send `body`. `onUnknown` hears that an answer was lost, `isKnown(id)` tells whether a bet is an earlier tap's.
   * @param {import("./types.js").SignedBet} body
   * @param {{onUnknown: () => void, isKnown: (id: string) => boolean}} tap
   * @returns {Promise<Fate>} {bet, balance} or {code, problem}
   */
  async send(body, { onUnknown, isKnown }) {
    const goodUntilMs = performance.now() + SIGNATURE_GOOD_MS;
    const trial = { body, onUnknown, isKnown, lost: false, refused: null };
    while (performance.now() < goodUntilMs) {
      const { fate, waitMs } = await this.#try(trial);
      if (fate) return fate;
      await sleep(waitMs ?? PAUSE_MS);
    }
    return !trial.lost && trial.refused ? trial.refused : this.#lookUp(trial);
  }

  /**
   * Ask for one bet; a pending one is asked for again until it is decided.
   * @param {string} betId @returns {Promise<Fate>}
   */
  async follow(betId, pauseMs = 1_000) {
    for (;;) {
      try {
        const { bet, evidence, explanation } = await this.#insist(`/api/bets/${betId}`);
        if (bet.status !== "pending") return { bet, evidence, explanation };
      } catch (error) {
        if (error instanceof ApiError) return { code: error.code, problem: error.problem };
        throw error;
      }
      await sleep(pauseMs);
    }
  }

  /** @param {Trial} trial @returns {Promise<{fate?: Fate | null, waitMs?: number | null}>} */
  async #try(trial) {
    try {
      const { bet, balance } = await this.api.post("/api/bets", trial.body);
      return { fate: { bet, balance } };
    } catch (error) {
      if (error instanceof ApiError) return this.#read(error, trial);
      if (!(error instanceof LineError)) throw error;
      this.onWait(error);
      return unknown(trial);
    }
  }

  /** Read a refusal; no fate means that the very same body is to be sent again. @param {ApiError} error @param {Trial} trial */
  async #read(error, trial) {
    const { code, problem, status } = error;
    if (code === "REPLAYED_NONCE") {
      if (problem.bet) return { fate: { bet: problem.bet } };
      if (problem.outcome === "never_placed") return { fate: { code: "BET_NEVER_PLACED", problem } };
      return unknown(trial);
    }
    if (code === "DUPLICATE_BET" && trial.lost && problem.bet && !trial.isKnown(problem.bet.id)) {
      return { fate: { bet: problem.bet } };
    }
    if (trial.lost && BEFORE_NONCE.has(code)) return { fate: await this.#lookUp(trial) };
    if (status >= 500 && status !== 503) {
      this.onWait(error);
      return unknown(trial);
    }
    // 429 and 503 say for certain that this request was not queued; of the one whose answer was lost they say nothing.
    if (passes(error) ? this.renew || trial.lost : code === "UNAUTHENTICATED" && this.renew) {
      this.onWait(error);
      trial.refused = { code, problem };
      if (code === "UNAUTHENTICATED") await this.renew?.();
      return { waitMs: error.retryAfterMs };
    }
    return { fate: { code, problem } };
  }

  /** Find out, when the body can no longer be sent, whether one of the repeats was placed. @param {Trial} trial */
  async #lookUp({ body, isKnown }) {
    await sleep(DECIDED_MS);
    const { bets } = await this.#insist(`/api/bets?cell_id=${encodeURIComponent(body.cell_id)}&limit=10`);
    const found = bets.find((/** @type {import("./types.js").BetView} */ bet) => !isKnown(bet.id));
    return found ? { bet: found } : neverPlaced();
  }

  /** @param {string} path @returns {Promise<any>} */
  #insist(path) {
    const patience = { onFailure: this.onWait, outageMs: this.outageMs };
    return insist(() => renewing(() => this.api.get(path), this.renew), patience);
  }
}

/** What is told of a tap that nothing was found of. @returns {Fate} */
export function neverPlaced() {
  const code = "BET_NEVER_PLACED";
  return { code, problem: { code, detail: "The bet was lost on its way; no money was taken." } };
}

/** @param {Trial} trial */
function unknown(trial) {
  trial.lost = true;
  trial.onUnknown();
  return {};
}

/**
 * Ask, and once more after a new sign-in if the session has ended.
 * @template T
 * @param {() => Promise<T>} ask @param {(() => Promise<void>) | null} renew @returns {Promise<T>}
 */
export async function renewing(ask, renew) {
  try {
    return await ask();
  } catch (error) {
    if (!renew || !(error instanceof ApiError) || error.code !== "UNAUTHENTICATED") throw error;
    await renew();
    return ask();
  }
}
