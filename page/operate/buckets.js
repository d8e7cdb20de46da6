// What players get back, by bucket: a range of rates on all columns, or on one so many ahead.

import { drawing, make } from "../dom.js";
import { money } from "../format.js";
import { ask, whyField } from "./ask.js";
import { Kept, panel, state, table } from "./panel.js";
import { texts } from "./texts.js";

const words = texts.buckets;
const COLUMNS = [
  { name: words.bucket }, { name: words.bets, number: true }, { name: words.staked, number: true },
  { name: words.back, number: true }, { name: words.eValue, number: true }, { name: words.evidence },
  { name: words.standing },
];
const WIDTH = 100;
const HEIGHT = 10;

export class Buckets {
  #single = false;
  #found = null;

  constructor({ api, session, onDone, onRefused }) {
    Object.assign(this, { api, session, onDone, onRefused });
    this.body = make("div");
    this.kept = new Kept(this.body);
    this.model = make("p", { class: "quiet" });
    const box = make("input", { type: "checkbox", id: "each-column", onchange: () => this.#choose(box.checked) });
    this.element = panel(words.title, { wide: true }, make("p", { class: "quiet" }, words.intro), this.body,
      make("p", { class: "choice" }, box, make("label", { for: "each-column" }, words.each)), this.model);
  }

  show(found) {
    this.#found = found;
    this.model.textContent = words.model(found.model_id, found.model_version);
    const shown = found.buckets.filter((one) => this.#single || one.column === null || one.standing === "closed");
    this.kept.show([shown, this.#single], ([rows]) => [rows.length
      ? table(words.title, COLUMNS, rows.map((one) => this.#row(one))) : make("p", {}, words.none)]);
  }

  #choose(single) {
    this.#single = single;
    if (this.#found) this.show(this.#found);
  }

  #row(one) {
    const closed = one.standing === "closed";
    const back = one.paid_back === null ? "" : one.paid_back.toFixed(2);
    return [
      one.bucket, one.bets.toLocaleString("en-US"), money(one.staked_cents),
      one.paid_back > 1 ? state(back, "warn") : back, eText(one.e_value), meter(one),
      closed ? make("span", { class: "closed" }, state(words.closed, "bad"), words.by(one.who, one.why),
        make("button", { type: "button", onclick: () => this.#ask(one) }, words.open)) : state(words.isOpen, "good"),
    ];
  }

  #ask(one) {
    ask({
      title: words.openTitle(one.bucket), action: words.open, who: this.session.wallet_address, fields: [whyField],
      facts: [[words.back, one.paid_back?.toFixed(2) ?? ""], [words.eValue, eText(one.e_value)],
        [words.closedBecause, one.why ?? ""], [words.means, words.meaning]],
      send: ({ why }) => this.api.post("/api/operate/buckets/open", { bucket: one.bucket, why }),
      onDone: this.onDone, onRefused: this.onRefused,
    });
  }
}

const eText = (value) => (value >= 1000 || value < 0.01 ? value.toExponential(1) : value.toPrecision(3));

/** How far the evidence is on its way from nothing (1) to where the bucket closes, by its logarithm. */
function meter({ e_value: value, closes_at: limit, bucket }) {
  const share = Math.min(1, Math.max(0, Math.log(Math.max(1, value)) / Math.log(limit)));
  const look = share >= 1 ? "bad" : share >= 0.5 ? "warn" : "good";
  return drawing("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, class: "meter", role: "img",
    "aria-label": words.meter(bucket, Math.round(share * 100), limit) },
    drawing("rect", { class: "ground", width: WIDTH, height: HEIGHT, rx: 3 }),
    drawing("rect", { class: look, width: Math.max(1, share * WIDTH), height: HEIGHT, rx: 3 }));
}
