// The list of taps with what became of each; "why" draws the window's price over the band.

import { find, make, write } from "../dom.js";
import { time, utc } from "../format.js";
import { texts } from "../texts.js";
import { summaryOf } from "./sentences.js";
import { OPEN, sentenceOf, shownState } from "./taps.js";
import { windowChart } from "./window_chart.js";

const SHOWN = 40;
const EXPLAINED = new Set(["won", "lost", "void"]);
/** So long a refused tap stands among the open ones, where it is looked for. */
const REFUSED_FIRST_MS = 10_000;

export class Results {
  #items = new Map();
  #due = false;

  constructor(app) {
    const { state, clock, market, taps, api } = app;
    Object.assign(this, { state, clock, market, taps, api });
    this.showLimits = () => app.dialogs.open("limits");
    this.list = find("bets");
    this.empty = find("bets-empty");
    // A wait is counted down, and an open bet's window ends, without any event.
    setInterval(() => this.#tick(), 500);
  }

  /** Show the list anew with the next frame, however many taps have changed. */
  refresh() {
    if (this.#due) return;
    this.#due = true;
    requestAnimationFrame(() => {
      this.#due = false;
      this.#show();
    });
  }

  #tick() {
    const nowMs = this.clock.nowMs();
    // A refused tap is looked at once more when it gives way.
    const moves = (tap) => OPEN.has(tap.state) || refusedWithin(tap, 2 * REFUSED_FIRST_MS, nowMs);
    if (this.taps.list().some(moves)) this.refresh();
  }

  #show() {
    const taps = this.#inOrder().slice(0, SHOWN);
    this.empty.hidden = taps.length > 0;
    const kept = new Set(taps);
    for (const [tap, item] of this.#items) {
      if (kept.has(tap)) continue;
      item.element.remove();
      this.#items.delete(tap);
    }
    let after = null;
    for (const tap of taps) {
      if (!this.#items.has(tap)) this.#items.set(tap, this.#newItem(tap));
      const { element } = this.#items.get(tap);
      const place = after ? after.nextElementSibling : this.list.firstElementChild;
      if (place !== element) this.list.insertBefore(element, place);
      this.#fill(this.#items.get(tap), tap);
      after = element;
    }
  }

  /** What is open first, the newest tap on top; then what has ended, the latest end on top. */
  #inOrder() {
    const nowMs = this.clock.nowMs();
    const widthMs = (this.state.rules?.column_seconds ?? 0) * 1000;
    const endMs = (tap) => {
      if (OPEN.has(tap.state) || refusedWithin(tap, REFUSED_FIRST_MS, nowMs)) return Infinity;
      return tap.state === "refused" ? tap.tappedMs : tap.startS * 1000 + widthMs;
    };
    const newestFirst = this.taps.list().reverse().map((tap) => [endMs(tap), tap]);
    return newestFirst.sort(([one], [other]) => (one === other ? 0 : other - one)).map(([, tap]) => tap);
  }

  #newItem(tap) {
    const item = {
      state: make("span", { class: "state" }),
      summary: make("span", { class: "summary" }),
      sentence: make("p", { class: "sentence" }),
      time: make("time", { title: utc(tap.tappedMs) }, time(tap.tappedMs)),
      why: make("button", { type: "button", class: "link", "aria-expanded": "false", hidden: true }, texts.bets.why),
      proof: make("a", { class: "link", hidden: true }, texts.bets.proof),
      limits: make("button", { type: "button", class: "link", hidden: true }, texts.bets.limits),
      chart: make("div", { class: "why", hidden: true }),
    };
    item.why.addEventListener("click", () => this.#toggle(item, tap));
    item.limits.addEventListener("click", this.showLimits);
    const head = make("div", { class: "head" }, item.state, item.summary);
    const foot = make("div", { class: "foot" }, item.time, item.why, item.limits, item.proof);
    item.element = make("li", {}, head, item.sentence, foot, item.chart);
    return item;
  }

  #fill(item, tap) {
    const nowMs = this.clock.nowMs();
    const { rules } = this.state;
    const shown = shownState(tap, nowMs, rules.fill_delay_ms);
    if (item.element.dataset.state !== shown) item.element.dataset.state = shown;
    const leftMs = (tap.sentMs ?? nowMs) + rules.fill_delay_ms - nowMs;
    write(item.state, shown === "waiting" ? texts.states.waiting(leftMs) : texts.states[shown]);
    write(item.summary, summaryOf(tap));
    write(item.sentence, sentenceOf(tap, shown, nowMs, rules.column_seconds * 1000));
    item.why.hidden = !EXPLAINED.has(tap.state);
    item.limits.hidden = tap.refusal?.code !== "LIMIT_REACHED";
    item.proof.hidden = !tap.bet?.id || tap.bet.status === "pending";
    if (!item.proof.hidden) item.proof.setAttribute("href", `/bets/${tap.bet.id}`);
  }

  async #toggle(item, tap) {
    const opens = item.chart.hidden;
    item.chart.hidden = !opens;
    item.why.setAttribute("aria-expanded", String(opens));
    write(item.why, opens ? texts.bets.hideWhy : texts.bets.why);
    if (!opens || item.chart.childElementCount > 0) return;
    write(item.chart, texts.bets.loading);
    try {
      const widthMs = this.state.rules.column_seconds * 1000;
      item.chart.replaceChildren(windowChart(tap, await this.#ticksOf(tap, widthMs), widthMs));
    } catch {
      write(item.chart, texts.bets.noPath);
    }
  }

  /** The ticks of a window: those that the page has, if they reach back far enough, else asked for. */
  async #ticksOf(tap, widthMs) {
    const startMs = tap.startS * 1000;
    const endMs = startMs + widthMs;
    if (!tap.evidence && tap.bet) {
      ({ evidence: tap.evidence } = await this.api.get(`/api/bets/${tap.bet.id}`));
      this.refresh();
    }
    const known = this.market.pathOf(startMs, endMs);
    if (known.length > 0 && known[0].id <= startMs && known.length === tap.evidence?.tick_count) return known;
    const fromMs = Math.min(tap.evidence?.first_tick_id ?? startMs, startMs);
    const { ticks } = await this.api.get(`/api/prices?from=${fromMs}&to=${endMs}&limit=500`);
    return ticks;
  }
}

const refusedWithin = (tap, ms, nowMs) => tap.state === "refused" && nowMs - tap.refusedMs < ms;
