// From an aim to a bet: what the hint says, what a tap does, and what is told and heard of it.

import { find, write } from "../dom.js";
import { band, payoutCents, time } from "../format.js";
import { pauseOf } from "../safer/own_limits.js";
import { texts } from "../texts.js";
import { sentenceOf, summaryOf } from "./sentences.js";
import { takesBets } from "./stopped.js";
import { shownState } from "./taps.js";

const TOLD = new Set(["won", "lost", "void", "refused"]);
/** How long the hint keeps what was said last: a finger points at nothing any more. */
const SAID_MS = 6_000;

export class Tapping {
  constructor({ state, clock, board, taps, session, sound, welcome }) {
    Object.assign(this, { state, clock, board, taps, session, sound, welcome });
    this.hint = find("hint");
    this.live = find("live");
    state.on(["user", "stakeCents", "grid", "rules", "limits", "breaker", "connection"], () => this.#showHint());
    this.#showHint();
  }

  /** Point at a cell, or at nothing. */
  aim(cell) {
    this.board.aim = cell;
    this.board.canvas.classList.toggle("can-tap", Boolean(cell && this.#canTap(cell)));
    this.#showHint();
  }

  /** Bet on a cell, if it is offered; who cannot bet yet is shown how to begin. */
  tap(cell) {
    if (!this.state.user) return this.welcome.call();
    if (!this.#canTap(cell)) {
      this.#say(this.#hintText());
      return undefined;
    }
    const { rateBp } = this.board.look(cell);
    this.sound.play("tap");
    return this.taps.tap(cell.cellId, rateBp, this.state.stakeCents);
  }

  /** Tell of a tap that has changed: by tone, and in words for who does not see the board. */
  tell(tap, before) {
    if (!tap || tap.quiet) return;
    const { state: now } = tap;
    if (now === before) {
      if (tap.touched && now === "confirmed" && !tap.touchTold) {
        tap.touchTold = true;
        this.sound.play("touched");
      }
      return;
    }
    this.sound.play(now);
    const widthMs = this.state.rules.column_seconds * 1000;
    const sentence = sentenceOf(tap, now, this.clock.nowMs(), widthMs);
    if (now === "confirmed") write(this.live, texts.live.confirmed(summaryOf(tap)));
    if (TOLD.has(now)) write(this.live, sentence);
    if (TOLD.has(now) || now === "confirmed") this.#say(`${summaryOf(tap)}. ${sentence}`);
  }

  #say(text) {
    this.said = text;
    clearTimeout(this.saidTimer);
    this.saidTimer = setTimeout(() => {
      this.said = null;
      this.#showHint();
    }, SAID_MS);
    this.#showHint();
  }

  get #paused() {
    return pauseOf(this.state.limits, this.clock.nowMs()) !== null;
  }

  #canTap(cell) {
    if (this.#paused) return false;
    const { rateBp, open } = this.board.look(cell);
    return rateBp !== null && open && !this.taps.standing(cell.cellId);
  }

  #showHint() {
    write(this.hint, this.#hintText());
  }

  #hintText() {
    const { state, board: { aim } } = this;
    if (this.#paused) return texts.hint.paused;
    if (!takesBets(state.breaker, this.clock.nowMs()) && !(aim && this.taps.standing(aim.cellId))) {
      return texts.hint.stopped;
    }
    if (!aim && this.said && state.user) return this.said;
    if (state.connection === "lost" && !(aim && this.taps.standing(aim.cellId))) return texts.hint.lost;
    if (!aim) return state.user ? texts.hint.idle(state.stakeCents ?? 0) : texts.hint.signedOut;
    const nowMs = this.clock.nowMs();
    const widthMs = (state.rules?.column_seconds ?? 5) * 1000;
    const tap = this.taps.standing(aim.cellId);
    if (tap) {
      const shown = shownState(tap, nowMs, state.rules.fill_delay_ms);
      return `${summaryOf(tap)}. ${sentenceOf(tap, shown, nowMs, widthMs)}`;
    }
    const { rateBp, open } = this.board.look(aim);
    if (!open) return texts.hint.closed;
    if (rateBp === null) return texts.hint.notOffered;
    const window = texts.hint.window(time(aim.startS * 1000), time(aim.startS * 1000 + widthMs));
    const pays = payoutCents(state.stakeCents, rateBp);
    return texts.hint.cell(state.stakeCents, rateBp, pays, band(aim.lowCents, aim.highCents), window);
  }
}
