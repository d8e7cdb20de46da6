// The feed by source: which prices count, and why others do not.

import { make } from "../dom.js";
import { money, seconds } from "../format.js";
import { panel, state, table } from "./panel.js";
import { texts } from "./texts.js";

const words = texts.feed;
const COLUMNS = [
  { name: words.source }, { name: words.state }, { name: words.counts }, { name: words.price, number: true },
  { name: words.age, number: true }, { name: words.offset, number: true }, { name: words.prices, number: true },
  { name: words.leftOut }, { name: words.reconnects, number: true }, { name: words.lastError },
];
const FRESH_MS = 3_000;
const LOOKS = { live: "good", silent: "warn", waiting: "bad", connecting: "quiet" };

export class Feed {
  constructor() {
    this.sentence = make("p");
    this.body = make("div");
    this.element = panel(words.title, { wide: true }, this.sentence, this.body);
  }

  show({ feed }) {
    const age = feed.tick_age_ms;
    this.sentence.replaceChildren(
      age === null ? state(words.noTick, "bad") : state(words.tick(seconds(age)), age > FRESH_MS ? "bad" : "good"),
      ` ${feed.sources.length ? words.agree(feed.counted, feed.sources.length, feed.needed) : words.silent}`,
    );
    const rows = feed.sources.map((one) => [
      one.name, state(one.state, LOOKS[one.state] ?? "quiet"),
      state(words.why[one.counts] ?? one.counts, one.counts === "yes" ? "good" : "warn"),
      one.price_cents === null ? "" : money(one.price_cents),
      one.age_ms === null ? "" : seconds(one.age_ms),
      one.offset_ppm === null ? "" : words.basisPoints(one.offset_ppm / 100),
      one.prices.toLocaleString("en-US"),
      Object.entries(one.dropped).map(([why, count]) => `${why} ${count}`).join(", "),
      String(one.reconnects), one.last_error,
    ]);
    this.body.replaceChildren(rows.length ? table(words.title, COLUMNS, rows) : "");
  }
}
