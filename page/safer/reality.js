// The reality check: when it is due, a dialog tells how long and how the player has played, until they answer.

import { find, make, write } from "../dom.js";
import { money } from "../format.js";
import { ApiError, LineError } from "../client/api.js";
import { errorSentence } from "./errors.js";
import { button, said } from "./fields.js";
import { texts } from "./texts.js";

const PATH = "/api/me/reality-check";
const LOOK_EVERY_MS = 1_000;
/** The dialog waits for a moment without a hand on the board: it must not come between a finger and its cell. */
const QUIET_MS = 900;
const QUIET_WAIT_MS_MAX = 20_000;
/** An answer that comes sooner was meant for what the dialog covers. */
const READ_MS = 500;

export class RealityCheck {
  #dueMs = null;
  #asking = false;
  #down = false;
  #touchedMs = 0;
  #shownMs = 0;

  constructor({ state, api, clock, dialogs, tabs }) {
    Object.assign(this, { state, api, clock, dialogs, tabs });
    this.#make();
    this.#watchHands();
    tabs.on("reality", () => this.load());
    state.on(["user", "limits"], () => this.load());
    document.addEventListener("visibilitychange", () => !document.hidden && this.load());
    setInterval(() => this.#look(), LOOK_EVERY_MS);
  }

  /** Hear of a bet: with the first one a sitting begins. */
  hear(tap) {
    if (tap?.state === "confirmed" && this.#dueMs === null) this.load();
  }

  /** Ask when the next one is due; shows or closes the dialog accordingly. */
  async load() {
    if (!this.state.user) return this.#take(null);
    if (this.#asking) return undefined;
    this.#asking = true;
    try {
      return this.#take(await this.api.get(PATH));
    } catch (error) {
      if (!(error instanceof ApiError || error instanceof LineError)) throw error;
      return undefined; // the next look asks again
    } finally {
      this.#asking = false;
    }
  }

  #take(check) {
    this.#dueMs = check?.due_ms ?? null;
    if (!this.#isDue()) return this.dialog.close();
    this.#fill(check);
    if (!this.dialog.open && !document.hidden && this.#isQuiet()) this.#show();
    return undefined;
  }

  #isDue() {
    return this.#dueMs !== null && this.clock.nowMs() >= this.#dueMs;
  }

  /** Whether no finger is down and none was a moment ago; whoever never rests is told all the same. */
  #isQuiet() {
    const waitedMs = this.clock.nowMs() - this.#dueMs;
    return !this.#down && (performance.now() - this.#touchedMs > QUIET_MS || waitedMs > QUIET_WAIT_MS_MAX);
  }

  #look() {
    if (this.#isDue() && !this.dialog.open && !document.hidden && this.#isQuiet()) this.load();
  }

  #show() {
    this.#shownMs = performance.now();
    write(this.said, "");
    this.dialog.showModal();
    find("reality-title").focus();
  }

  #make() {
    this.lead = make("p", { id: "reality-lead" });
    this.figures = make("dl", { class: "figures" });
    this.again = make("p", { class: "muted" });
    this.said = said();
    this.goOn = button(texts.reality.goOn, () => this.#answer(false));
    const rest = button(texts.reality.rest, () => this.#answer(true));
    this.dialog = make("dialog", {
      id: "reality", role: "alertdialog", "aria-labelledby": "reality-title", "aria-describedby": "reality-lead",
    }, make("header", {}, make("h2", { id: "reality-title", tabindex: -1 }, texts.reality.title)),
    make("div", { class: "body" }, this.lead, this.figures, make("div", { class: "row" }, this.goOn, rest), this.again,
      this.said));
    // It asks for an answer; closed in another way it comes again with the next look.
    this.dialog.addEventListener("cancel", (event) => event.preventDefault());
    document.body.append(this.dialog);
  }

  #fill(check) {
    const { reality } = texts;
    const lead = `${reality.lead(check.played_ms, check.since_ms)} ${reality.net(check.net_cents)}`;
    write(this.lead, lead);
    const rows = [
      [reality.played, reality.time(check.played_ms)], [reality.bets, String(check.bets)],
      [reality.staked, money(check.staked_cents)], [reality.returned, money(check.returned_cents)],
      [reality.result, texts.signed(check.net_cents)],
    ];
    if (check.open_stake_cents > 0) rows.push([reality.open, money(check.open_stake_cents)]);
    this.figures.replaceChildren(...rows.map(([name, value]) =>
      make("div", {}, make("dt", {}, name), make("dd", {}, value))));
    write(this.again, reality.again(check.every_ms));
  }

  async #answer(rests) {
    if (performance.now() - this.#shownMs < READ_MS || this.goOn.disabled) return;
    this.goOn.disabled = true;
    try {
      const check = await this.api.post(PATH);
      this.tabs.tell("reality");
      this.#take(check);
      if (rests) this.dialogs.open("limits");
    } catch (error) {
      write(this.said, texts.reality.failed(errorSentence(error)));
    } finally {
      this.goOn.disabled = false;
    }
  }

  #watchHands() {
    const touch = (down) => () => {
      this.#down = down;
      this.#touchedMs = performance.now();
    };
    const options = { capture: true, passive: true };
    document.addEventListener("pointerdown", touch(true), options);
    document.addEventListener("keydown", () => (this.#touchedMs = performance.now()), options);
    for (const name of ["pointerup", "pointercancel"]) document.addEventListener(name, touch(false), options);
  }
}
