// Breaks in two taps: the first chooses how long, the second starts it.

import { make, write } from "../dom.js";
import { errorSentence } from "./errors.js";
import { button, said } from "./fields.js";
import { pauseOf, waitingOf } from "./own_limits.js";
import { texts } from "./texts.js";

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const days = (count) => (nowMs) => nowMs + count * DAY_MS;
const KINDS = [
  { name: "cool_off_until_ms", text: texts.breaks.coolOff, choices: { day: days(1), week: days(7), month: days(30) } },
  {
    name: "excluded_until_ms", text: texts.breaks.exclude,
    choices: { half: months(6), year: months(12), years: months(60) },
  },
];

/** The same day so many months later; the last one of a month that is too short for it. */
function months(count) {
  return (nowMs) => {
    const until = new Date(nowMs);
    const day = until.getUTCDate();
    until.setUTCMonth(until.getUTCMonth() + count);
    if (until.getUTCDate() !== day) until.setUTCDate(0);
    return until.getTime();
  };
}

export class Breaks {
  #buttons = [];

  constructor({ state, clock, ownLimits }) {
    Object.assign(this, { state, clock, ownLimits });
    this.now = make("p", { class: "running" });
    this.heading = make("h3", { tabindex: -1 }, texts.breaks.heading);
    this.confirm = make("div", { class: "confirm", tabindex: -1, role: "group", hidden: true });
    this.said = said();
    this.element = make("section", { class: "breaks" }, this.heading, this.now,
      make("p", { class: "muted" }, texts.breaks.intro), ...KINDS.map((kind) => this.#choices(kind)),
      this.confirm, this.said);
    state.on(["limits"], () => this.show());
  }

  /** Bring it to what counts now. */
  show() {
    const nowMs = this.clock.nowMs();
    const { limits: own } = this.state;
    const pause = pauseOf(own, nowMs);
    write(this.now, pause ? this.#running(pause) : "");
    this.now.hidden = !pause;
    for (const { element, kind, untilMs } of this.#buttons) {
      // Only what makes a break longer can be chosen.
      const covered = untilMs(nowMs) < (own?.limits[kind.name] ?? 0) + HOUR_MS;
      element.disabled = covered || !own;
      element.title = covered ? texts.breaks.covered : "";
    }
  }

  /** Begin anew, as when the panel opens. */
  reset() {
    write(this.said, "");
    this.#choose(null);
    this.show();
  }

  #running({ name, untilMs }) {
    const later = waitingOf(this.state.limits).get(name);
    const sentence = texts.breaks.running[name](untilMs);
    return later ? `${sentence} ${texts.breaks.waits(later.effectiveMs)}` : sentence;
  }

  #choices(kind) {
    const group = make("div", { class: "choices", role: "group", "aria-label": kind.text }, make("p", {}, kind.text));
    for (const [choice, untilMs] of Object.entries(kind.choices)) {
      const element = button(texts.breaks.choices[choice], () => this.#choose({ kind, choice, untilMs, element }),
        { "aria-pressed": "false" });
      this.#buttons.push({ element, kind, untilMs });
      group.append(element);
    }
    return group;
  }

  /** The first tap. What is to be confirmed stands apart, so that a double tap confirms nothing. */
  #choose(chosen) {
    for (const { element } of this.#buttons) element.setAttribute("aria-pressed", String(element === chosen?.element));
    this.confirm.hidden = !chosen;
    if (!chosen) return this.confirm.replaceChildren();
    write(this.said, "");
    const { kind: { name }, choice } = chosen;
    const untilMs = chosen.untilMs(Math.ceil(this.clock.nowMs()));
    const label = texts.breaks.confirm[name](texts.breaks.choices[choice]);
    const start = button(label, () => this.#start(name, untilMs, start), { class: "primary" });
    const back = button(texts.breaks.back, () => {
      this.#choose(null);
      chosen.element.focus();
    });
    const row = make("div", { class: "row" }, start, back);
    this.confirm.replaceChildren(make("p", {}, texts.breaks.meaning(untilMs)), row);
    this.confirm.setAttribute("aria-label", label);
    this.confirm.focus();
    return this.confirm.scrollIntoView({ block: "nearest" });
  }

  /** The second tap. */
  async #start(name, untilMs, start) {
    start.disabled = true;
    try {
      await this.ownLimits.change({ [name]: untilMs });
      this.#choose(null);
      write(this.said, texts.breaks.started(untilMs));
      this.heading.focus();
    } catch (error) {
      write(this.said, errorSentence(error));
      start.disabled = false;
    }
  }
}
