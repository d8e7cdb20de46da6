// The breaker: its state, who overrides it and why, and the operator's word.

import { make } from "../dom.js";
import { duration, time, utc } from "../format.js";
import { ask, whyField } from "./ask.js";
import { figure, Kept, panel, state, table } from "./panel.js";
import { texts } from "./texts.js";

const words = texts.breaker;
const LOOKS = { HEALTHY: "good", DEGRADED: "warn", CRITICAL: "bad" };
/** How long an override may last, in seconds; null: until it is taken back. */
const SPANS_S = { open: [null, 600, 1_800, 7_200, 86_400], closed: [600, 1_800, 3_600, 7_200] };
const COLUMNS = words.columns.map((name) => ({ name }));

export class Breaker {
  constructor({ api, session, onDone, onRefused }) {
    Object.assign(this, { api, session, onDone, onRefused });
    this.figures = make("dl", { class: "figures" });
    this.note = make("p");
    const button = (word, look) =>
      make("button", { type: "button", class: look, onclick: () => this.#ask(word) }, words.do[word]);
    this.back = button("auto", "");
    this.history = make("div");
    this.kept = new Kept(this.history);
    this.element = panel(words.title, {}, this.figures, this.note,
      make("div", { class: "buttons" }, button("open", "danger"), button("closed", ""), this.back),
      make("p", { class: "quiet" }, words.settles),
      make("details", {}, make("summary", {}, words.history), this.history));
  }

  show({ breaker, overrides, server_time_ms: nowMs }) {
    const overridden = breaker.override !== "auto";
    this.figures.replaceChildren(
      figure(words.state, state(breaker.state, LOOKS[breaker.state] ?? "quiet"),
        breaker.since_ms ? words.since(duration(nowMs - breaker.since_ms)) : ""),
      figure(words.override, overridden ? state(words.words[breaker.override], "warn") : words.words.auto,
        breaker.override_until_ms ? words.left(duration(breaker.override_until_ms - nowMs)) : ""),
      figure(words.bets, breaker.refuses_bets ? state(words.refused, "bad") : state(words.taken, "good")),
    );
    this.note.textContent = overridden && breaker.who ? words.by(breaker.who, breaker.why) : "";
    this.note.hidden = !this.note.textContent;
    this.back.disabled = !overridden;
    this.kept.show(overrides, (found) => [found.length === 0 ? make("p", {}, words.never)
      : table(words.history, COLUMNS,
      found.map((one) => [make("time", { datetime: one.set_at, title: utc(one.set_ms) }, when(one.set_ms)),
        words.words[one.override], one.until_ms ? when(one.until_ms) : "", one.who, one.why]), { cards: true })]);
  }

  #ask(word) {
    const spans = SPANS_S[word];
    const span = spans && {
      name: "for_s", label: words.lasts,
      options: spans.map((s) => [s ?? "", s ? duration(s * 1000) : words.untilTakenBack]),
    };
    ask({
      title: words.do[word], facts: [[words.means, words.meaning[word]]], fields: [whyField, ...(span ? [span] : [])],
      action: words.do[word], danger: word === "open", who: this.session.wallet_address,
      send: ({ why, for_s: forS }) =>
        this.api.post("/api/operate/breaker", { override: word, why, ...(forS ? { for_s: Number(forS) } : {}) }),
      onDone: this.onDone, onRefused: this.onRefused,
    });
  }
}

const when = (ms) => `${new Date(ms).toLocaleDateString()} ${time(ms)}`;
