// Send one signed bet until its fate is known: placed once or not at all, whatever becomes of the line.

import { ApiError, LineError, insist, sleep } from "../net/api.js";

/** Less than the server's 30 s: the last repeat has to arrive in time. */
const SIGNATURE_GOOD_MS = 25_000;
const PAUSE_MS = 600;
/** A bet is decided 10 s after its receipt at the latest. */
const DECIDED_MS = 12_000;
/** Refusals that come before the nonce is looked at: of a repeat, they do not say what became of the first. */
const BEFORE_NONCE = new Set(["SIGNATURE_EXPIRED", "CELL_CLOSED", "BET_EXPIRED"]);

export class Delivery {
  constructor(api) {
    this.api = api;
  }

  /**
   * Send `body`; resolves to {bet, balance} or {code, problem}. `onUnknown` hears that an answer was lost,
   * `isKnown(id)` tells whether a bet is an earlier tap's.
   */
  async send(body, { onUnknown, isKnown }) {
    const goodUntilMs = performance.now() + SIGNATURE_GOOD_MS;
    const trial = { body, onUnknown, isKnown, lost: false };
    while (performance.now() < goodUntilMs) {
      const fate = await this.#try(trial);
      if (fate) return fate;
      await sleep(PAUSE_MS);
    }
    return this.#lookUp(trial, DECIDED_MS);
  }

  /** Ask for one bet; a pending one is asked for again until it is decided. */
  async follow(betId, pauseMs = 1_000) {
    for (;;) {
      try {
        const { bet, evidence, explanation } = await insist(() => this.api.get(`/api/bets/${betId}`));
        if (bet.status !== "pending") return { bet, evidence, explanation };
      } catch (error) {
        if (error instanceof ApiError) return { code: error.code, problem: error.problem };
        throw error;
      }
      await sleep(pauseMs);
    }
  }

  async #try(trial) {
    try {
      const { bet, balance } = await this.api.post("/api/bets", trial.body);
      return { bet, balance };
    } catch (error) {
      if (error instanceof ApiError) return this.#read(error, trial);
      if (!(error instanceof LineError)) throw error;
      trial.lost = true;
      trial.onUnknown();
      return null;
    }
  }

  /** Read a refusal; null means that the very same body is to be sent again. */
  async #read(error, trial) {
    const { code, problem, status } = error;
    if (code === "REPLAYED_NONCE") {
      if (problem.bet) return { bet: problem.bet };
      if (problem.outcome === "never_placed") return { code: "BET_NEVER_PLACED", problem };
      trial.lost = true;
      trial.onUnknown();
      return null;
    }
    if (code === "DUPLICATE_BET" && trial.lost && problem.bet && !trial.isKnown(problem.bet.id)) {
      return { bet: problem.bet };
    }
    if (trial.lost && BEFORE_NONCE.has(code)) return this.#lookUp(trial, DECIDED_MS);
    if (status < 500 || status === 503) {
      // 503 says for certain that nothing was queued: the player may tap again, unless an answer was lost before.
      return trial.lost && status === 503 ? null : { code, problem };
    }
    trial.lost = true;
    trial.onUnknown();
    return null;
  }

  /** Find out, when the body can no longer be sent, whether one of the repeats was placed. */
  async #lookUp({ body, isKnown }, waitMs) {
    await sleep(waitMs);
    const path = `/api/bets?cell_id=${encodeURIComponent(body.cell_id)}&limit=10`;
    const { bets } = await insist(() => this.api.get(path));
    const found = bets.find((bet) => !isKnown(bet.id));
    return found ? { bet: found } : { code: "BET_NEVER_PLACED", problem: {} };
  }
}
