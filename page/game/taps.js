// The player's taps and bets: one for each cell, each in one of the states that are drawn and told.

import { signedBet } from "../client/sign.js";
import { ApiError } from "../client/api.js";
import { payoutCents } from "../format.js";
import { texts } from "../texts.js";
import { sentenceOf } from "./sentences.js";
import { Delivery } from "../client/delivery.js";

export const OPEN = new Set(["signing", "pending", "unknown", "confirmed"]);
const SETTLED = new Set(["won", "lost", "void"]);
const KEPT = 200;
/** Of so many of the newest bets the reasons are asked for when a page is opened. */
const EXPLAINED = 10;
/** So long after a window's end a result may take to come by the stream; then the page asks for it. */
const LATE_MS = 6_000;

/** The numbers of a cell's id. */
export function cellOf(cellId) {
  const [startS, lowCents, highCents] = cellId.split("_").map(Number);
  return { cellId, startS, lowCents, highCents };
}

export class Taps {
  #asking = new Set();

  constructor({ state, api, clock, session, market, onChange }) {
    Object.assign(this, { state, api, clock, session, market, onChange });
    this.delivery = new Delivery(api);
    /** By cell id, in the order of the taps. */
    this.byCell = new Map();
    setInterval(() => this.#askForLateResults(), 2_000);
  }

  list() {
    return [...this.byCell.values()];
  }

  /** The tap that stands in a cell's way: a refused one does not. */
  standing(cellId) {
    const tap = this.byCell.get(cellId);
    return tap && tap.state !== "refused" ? tap : null;
  }

  /** Bet on a cell at the rate that is shown; resolves when the server has answered. */
  async tap(cellId, rateBp, stakeCents) {
    if (this.standing(cellId)) return;
    const tap = this.#add(cellId, { state: "signing", stakeCents, shownBp: rateBp, tappedMs: this.clock.nowMs() });
    try {
      const chainId = this.state.rules.chain_ids[0];
      const key = this.state.rules.bet_signatures === "off" ? null : this.session.key;
      const wanted = { cellId, stakeCents, rateBp };
      const body = await signedBet(key, wanted, chainId, this.clock.nowMs());
      this.#change(tap, { state: "pending", sentMs: this.clock.nowMs(), sending: true });
      const fate = await this.delivery.send(body, {
        onUnknown: () => this.#change(tap, { state: "unknown" }),
        isKnown: (id) => this.list().some((one) => one.bet?.id === id),
      });
      this.#decide(tap, fate);
    } catch (error) {
      console.error(error);
      this.#refuse(tap, "other", { detail: error.message });
    }
  }

  /** Take a bet as the stream or a list brings it. */
  takeBet(bet, quiet = false) {
    const tap = this.#tapOf(bet);
    if (tap) this.#takeInto(tap, bet, quiet);
  }

  /** Take the whole list of open bets: one of ours that is not in it has ended, and is asked for. */
  takeOpenBets(bets) {
    const open = new Set(bets.map((bet) => bet.id));
    bets.forEach((bet) => this.takeBet(bet, true));
    for (const tap of this.list()) {
      if (tap.state === "confirmed" && tap.bet && !open.has(tap.bet.id)) this.#ask(tap);
    }
  }

  /** Mark what the running window has touched; provisional. */
  takeTouched(startS, low, high) {
    for (const tap of this.list()) {
      const hit = tap.startS === startS && tap.lowCents <= high && tap.highCents >= low;
      if (hit && tap.state === "confirmed" && !tap.touched) this.#change(tap, { touched: true });
    }
  }

  /** Keep the evidence of a window for the sentences of its bets. */
  takeColumn(column) {
    for (const tap of this.list()) {
      if (tap.startS === column.start_s) this.#change(tap, { evidence: column });
    }
  }

  /** Forget everything: another player is here. */
  clear() {
    this.byCell.clear();
    this.onChange(null);
  }

  /** Load the bets of the account. */
  async load() {
    const { bets } = await this.api.get("/api/bets?limit=60");
    bets.reverse().forEach((bet) => this.takeBet(bet, true));
    this.onChange(null);
  }

  /** Ask for the evidence of the newest results; where there is none, nothing says why they ended so. */
  async explain() {
    const unexplained = this.list().slice(-EXPLAINED).filter((tap) => SETTLED.has(tap.state) && !tap.evidence);
    for (const startS of new Set(unexplained.map((tap) => tap.startS))) {
      try {
        this.takeColumn(await this.api.get(`/api/columns/${startS}`));
      } catch (error) {
        if (error.status !== 404) throw error;
      }
    }
  }

  #add(cellId, fields) {
    const tap = { ...cellOf(cellId), touched: false, bet: null, evidence: null, refusal: null, ...fields };
    this.byCell.delete(cellId);
    this.byCell.set(cellId, tap);
    while (this.byCell.size > KEPT) this.byCell.delete(this.byCell.keys().next().value);
    this.onChange(tap);
    return tap;
  }

  #tapOf(bet) {
    const known = this.byCell.get(bet.cell_id);
    if (known && (!known.bet || known.bet.id === bet.id)) return known;
    // An older refused bet of the same cell must not hide the one that stands.
    if (known && bet.refusal_code) return null;
    if (!bet.cell_id) return null;
    return this.#add(bet.cell_id, {
      state: "pending", stakeCents: bet.amount, shownBp: bet.reward_rate || null,
      tappedMs: bet.received_ms ?? bet.placed_ms, sentMs: bet.received_ms ?? bet.placed_ms,
    });
  }

  #decide(tap, { bet, balance, code, problem }) {
    tap.sending = false;
    if (SETTLED.has(tap.state)) return;
    if (typeof balance === "number") this.state.set({ balanceCents: balance });
    if (bet?.status === "pending") {
      tap.bet = bet;
      this.delivery.follow(bet.id).then((fate) => this.#decide(tap, fate), console.error);
    } else if (bet) this.#takeInto(tap, bet);
    else this.#refuse(tap, code, problem ?? {});
  }

  #takeInto(tap, bet, quiet = false) {
    // What has ended does not open again, however late a message comes.
    if (SETTLED.has(tap.state)) return;
    const rateBp = bet.reward_rate ?? tap.rateBp;
    const changes = { bet, rateBp, stakeCents: bet.amount ?? tap.stakeCents, quiet };
    if (bet.refusal_code || bet.status === "refused" || bet.status === "insufficient_funds") {
      // The answer that is on its way says more: the new rate, or what a limit leaves.
      if (tap.sending) return;
      this.#refuse(tap, bet.refusal_code ?? "INSUFFICIENT_FUNDS", { detail: bet.refusal_detail }, { bet, quiet });
    } else if (SETTLED.has(bet.status)) {
      this.#change(tap, { ...changes, state: bet.status, payoutCents: bet.payout_amount ?? 0 });
    } else if (bet.status === "confirmed") {
      const range = this.market.ranges.get(tap.startS);
      const touched = Boolean(range && tap.lowCents <= range.high && tap.highCents >= range.low);
      this.#change(tap, { ...changes, state: "confirmed", touched, payoutCents: payoutCents(bet.amount, rateBp) });
    }
  }

  #refuse(tap, code, problem, also = {}) {
    if (code === "UNAUTHENTICATED") {
      // The list of bets goes with the player, and with it what this tap would say.
      this.session.end();
      this.state.set({ notice: texts.banner.sessionEnded });
    }
    const refusedMs = also.quiet ? tap.tappedMs : this.clock.nowMs();
    this.#change(tap, { state: "refused", refusal: { ...problem, code }, refusedMs, ...also });
  }

  #change(tap, changes) {
    if (!changes.quiet) tap.quiet = false;
    const before = tap.state;
    Object.assign(tap, changes);
    this.onChange(tap, before);
  }

  async #ask(tap) {
    if (this.#asking.has(tap.cellId)) return;
    this.#asking.add(tap.cellId);
    try {
      const { bet, evidence } = await this.api.get(`/api/bets/${tap.bet.id}`);
      if (evidence) tap.evidence = evidence;
      if (this.byCell.get(tap.cellId) === tap) this.#takeInto(tap, bet);
    } catch (error) {
      if (error instanceof ApiError && error.status === 404) this.#refuse(tap, error.code, error.problem);
    } finally {
      this.#asking.delete(tap.cellId);
    }
  }

  #askForLateResults() {
    const nowMs = this.clock.nowMs();
    const widthMs = (this.state.rules?.column_seconds ?? 5) * 1000;
    const late = this.list().find((tap) =>
      tap.state === "confirmed" && tap.bet && tap.startS * 1000 + widthMs + LATE_MS < nowMs);
    if (late && this.state.connection === "live" && !document.hidden) this.#ask(late);
  }
}

/** The state that is drawn and named: `confirmed` splits into touched, `pending` into waiting. */
export function shownState(tap, nowMs, fillDelayMs) {
  if (tap.state === "signing") return "pending";
  if (tap.state === "confirmed" && tap.touched) return "touched";
  if (tap.state === "pending" && fillDelayMs > 0 && nowMs < tap.sentMs + fillDelayMs) return "waiting";
  return tap.state;
}

export { sentenceOf };
