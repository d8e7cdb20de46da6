// The form of the player's limits: what counts now, what waits, and what is wished instead.

import { make, write } from "../dom.js";
import { readDollars, writeDollars } from "./dollars.js";
import { errorSentence } from "./errors.js";
import { Field, button, dollarsInput, said, select } from "./fields.js";
import { usedOf, waitingOf } from "./own_limits.js";
import { texts } from "./texts.js";

const MONEY = [
  "stake_max_cents", "stake_day_max_cents", "loss_day_max_cents", "deposit_day_max_cents", "deposit_week_max_cents",
];
const MINUTES = "reality_check_minutes";
const INTERVALS = [5, 10, 15, 20, 30, 45, 60, 90, 120, 180, 240];

export class LimitForm {
  #fields = new Map();

  constructor({ state, ownLimits }) {
    Object.assign(this, { state, ownLimits });
    for (const name of MONEY) this.#add(name, dollarsInput(), "$");
    this.#add(MINUTES, select([["", this.#words(MINUTES, null)], ...INTERVALS.map(interval)]), null);
    this.save = make("button", { type: "submit", class: "primary" }, texts.limits.save);
    this.said = said();
    this.element = make("form", { class: "limits", novalidate: true },
      make("h3", {}, texts.limits.heading), make("p", { class: "muted" }, texts.limits.intro),
      ...[...this.#fields.values()].map(({ field }) => field.element), this.save, this.said);
    this.element.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#send();
    });
    state.on(["limits"], () => this.show());
  }

  /** Bring the form to what counts; a field that is being filled in keeps what is written. */
  show() {
    const { limits: own } = this.state;
    this.save.disabled = !own;
    if (!own) return;
    const waiting = waitingOf(own);
    for (const [name, entry] of this.#fields) {
      const later = waiting.get(name);
      const touched = entry.field.value !== entry.written;
      entry.written = inField(name, later ? later.amount : own.limits[name]);
      if (!touched) put(entry.field.control, entry.written);
      write(entry.now, texts.limits.now(this.#words(name, own.limits[name])));
      write(entry.used, usedText(usedOf(own, name), own.limits[name]));
      write(entry.later, later ? texts.limits.waits(this.#words(name, later.amount), later.effectiveMs) : "");
      entry.keep.hidden = !later;
    }
  }

  /** Begin anew, as when the panel opens. */
  reset() {
    write(this.said, "");
    for (const entry of this.#fields.values()) {
      put(entry.field.control, entry.written);
      entry.field.complain("");
    }
    this.show();
  }

  #add(name, control, before) {
    const field = new Field(texts.limits.names[name], control, { before, note: texts.limits.notes[name] });
    const entry = { field, written: "", now: make("span"), used: make("span", { class: "used" }), later: make("span") };
    entry.keep = button(texts.limits.keep, () => this.#keep(name),
      { class: "link", hidden: true, "aria-label": texts.limits.keepLabel(texts.limits.names[name]) });
    field.note.before(make("p", { class: "counts", id: `${control.id}-counts` }, entry.now, " ", entry.used, " ",
      entry.later, " ", entry.keep));
    control.setAttribute("aria-describedby", `${control.id}-counts ${control.getAttribute("aria-describedby")}`);
    this.#fields.set(name, entry);
  }

  #words(name, amount) {
    if (name === MINUTES) {
      const { reality_check_minutes: house } = this.state.rules;
      return amount === null ? texts.limits.house(house) : texts.limits.minutes(amount);
    }
    if (amount === null) return texts.limits.none;
    return amount === 0 ? texts.limits.nothing : texts.limits.amount(amount);
  }

  /** What is wished, by name; null if a field cannot be read. */
  #read() {
    const asked = {};
    let faulty = null;
    for (const [name, { field, written }] of this.#fields) {
      if (field.value === written) continue;
      const { cents, problem } = name === MINUTES ? { cents: Number(field.value) || null } : readDollars(field.value);
      field.complain(problem ? texts.limits.problems[problem] : "");
      if (problem) faulty ??= field;
      else if (inField(name, cents) !== written) asked[name] = cents;
    }
    faulty?.control.focus();
    return faulty ? null : asked;
  }

  async #send() {
    const asked = this.#read();
    if (asked === null) return write(this.said, texts.limits.check);
    if (Object.keys(asked).length === 0) return this.#tell(texts.limits.unchanged);
    return this.#ask(asked, (own) => told(asked, waitingOf(own)));
  }

  #keep(name) {
    return this.#ask({ [name]: this.state.limits.limits[name] }, () => texts.limits.kept);
  }

  #tell(text) {
    write(this.said, text);
    this.said.scrollIntoView({ block: "nearest" });
  }

  async #ask(asked, sentence) {
    this.save.disabled = true;
    write(this.said, texts.limits.saving);
    try {
      const own = await this.ownLimits.change(asked);
      for (const name of Object.keys(asked)) {
        const { field, written } = this.#fields.get(name);
        put(field.control, written);
      }
      this.#tell(sentence(own));
    } catch (error) {
      this.#tell(errorSentence(error));
    } finally {
      this.save.disabled = false;
    }
  }
}

const interval = (count) => [String(count), texts.limits.minutes(count)];
const inField = (name, amount) => (name === MINUTES ? String(amount ?? "") : writeDollars(amount));

/** What is used of a limit, which may be none; a gain of the day leaves more than the limit. */
function usedText(usedCents, mostCents) {
  if (usedCents === null) return "";
  if (mostCents === null) return usedCents < 0 ? texts.limits.gained(-usedCents) : texts.limits.soFar(usedCents);
  const leftCents = Math.max(0, mostCents - usedCents);
  return usedCents < 0 ? texts.limits.gainedOf(-usedCents, leftCents)
    : texts.limits.used(usedCents, mostCents, leftCents);
}

/** Fill a field; an interval that was set elsewhere may be none of those that are offered here. */
function put(control, written) {
  control.value = written;
  if (control.value === written) return;
  control.append(make("option", { value: written }, texts.limits.minutes(Number(written))));
  control.value = written;
}

/** Say of each wish when it counts. */
function told(asked, waiting) {
  const names = Object.keys(asked);
  const atOnce = names.filter((name) => !waiting.has(name)).map((name) => texts.limits.names[name]);
  const later = names.filter((name) => waiting.has(name));
  const sentences = atOnce.length > 0 ? [texts.limits.atOnce(atOnce)] : [];
  if (later.length > 0) {
    const lastMs = Math.max(...later.map((name) => waiting.get(name).effectiveMs));
    sentences.push(texts.limits.later(later.map((name) => texts.limits.names[name]), lastMs));
  }
  return sentences.join(" ");
}
