// Withdrawals that wait for the operator: pay one to the address that is shown, then complete it; or give it back.

import { make } from "../dom.js";
import { money, utc } from "../format.js";
import { ask, referenceField, whyField } from "./ask.js";
import { Kept, panel, table } from "./panel.js";
import { texts } from "./texts.js";

const words = texts.withdrawals;
const COLUMNS = [
  { name: words.to }, { name: words.amount, number: true }, { name: words.asked }, { name: words.id },
  { name: words.actions },
];

export class Withdrawals {
  constructor({ api, session, onDone, onRefused }) {
    Object.assign(this, { api, session, onDone, onRefused });
    this.body = make("div");
    this.kept = new Kept(this.body);
    this.element = panel(words.title, { wide: true }, this.body);
  }

  show({ withdrawals, next_cursor: more }) {
    this.kept.show([withdrawals, more], ([found, cursor]) => [
      found.length === 0 ? make("p", {}, words.none)
        : table(words.title, COLUMNS, found.map((one) => this.#row(one)), { cards: true }),
      cursor ? make("p", { class: "quiet" }, words.more) : "",
    ]);
  }

  #row(one) {
    const button = (word, look) => make("button", {
      type: "button", class: look, "aria-label": words.label[word](money(one.amount), one.to_address),
      onclick: () => this.#ask(one, word),
    }, words.do[word]);
    return [
      make("code", {}, one.to_address), money(one.amount), utc(one.requested_ms), make("code", {}, one.id),
      make("span", { class: "buttons" }, button("complete", "primary"), button("reverse", "")),
    ];
  }

  #ask(one, word) {
    ask({
      title: words.do[word], action: words.do[word], danger: word === "reverse", who: this.session.wallet_address,
      facts: [[words.amount, money(one.amount)], [words.to, one.to_address], [words.id, one.id],
        [words.means, words.meaning[word]]],
      fields: [referenceField, whyField],
      send: (values) => this.api.post(`/api/operate/withdrawals/${one.id}/${word}`, values),
      onDone: this.onDone, onRefused: this.onRefused,
    });
  }
}
