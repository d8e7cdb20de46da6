// Add play money: each wish has a key, which it keeps until it is answered, so that nothing is booked twice.

import { newNonce } from "../client/key.js";
import { make, write } from "../dom.js";
import { readDollars } from "./dollars.js";
import { errorSentence, repeat } from "./errors.js";
import { Field, dollarsInput, said } from "./fields.js";
import { texts } from "./texts.js";

const FIRST_DOLLARS = "100";

/** The cents of a field that must hold a sum; says what is wrong and gives null if it does not. */
export function demandCents(field) {
  const { cents, problem } = readDollars(field.value);
  const wrong = problem ?? (cents === null ? "empty" : cents === 0 ? "least" : null);
  field.complain(wrong ? texts.limits.problems[wrong] : "");
  if (wrong) field.control.focus();
  return wrong ? null : cents;
}

export class DepositForm {
  constructor({ state, api, onMoved }) {
    Object.assign(this, { state, api, onMoved });
    const { rules } = state;
    this.field = new Field(texts.money.amount, dollarsInput(),
      { before: "$", note: texts.money.depositNote(rules.deposit_max_cents) });
    this.field.control.value = FIRST_DOLLARS;
    this.send = make("button", { type: "submit" }, texts.money.add);
    this.said = said();
    const parts = rules.mode === "demo"
      ? [this.field.element, this.send, this.said] : [make("p", { class: "muted" }, texts.money.depositLive)];
    this.element = make("form", { novalidate: true }, make("h3", {}, texts.money.deposit), ...parts);
    this.element.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#add();
    });
  }

  async #add() {
    const amount = demandCents(this.field);
    if (amount === null || this.send.disabled) return;
    const key = newNonce();
    this.send.disabled = true;
    write(this.said, texts.money.adding);
    try {
      const ask = () => this.api.post("/api/deposits", { amount }, { "Idempotency-Key": key });
      const { balance } = await repeat(ask, () => write(this.said, texts.money.again));
      this.state.set({ balanceCents: balance });
      write(this.said, texts.money.added(amount, balance));
      this.onMoved();
    } catch (error) {
      write(this.said, errorSentence(error));
    } finally {
      this.send.disabled = false;
    }
  }
}
