// Parts of forms and lists: fields with their label and what is said of them, times, and a line that tells.

import { make, write } from "../dom.js";
import { dateTime, utc } from "../format.js";

let made = 0;

/** A field with a label, a note and its problem; `control` gets the ids that join them. */
export class Field {
  constructor(label, control, { before = null, note = "" } = {}) {
    const id = `field-${(made += 1)}`;
    this.control = control;
    this.note = make("p", { class: "note", id: `${id}-note` }, note);
    this.problem = make("p", { class: "problem", id: `${id}-problem` });
    control.id = id;
    control.setAttribute("aria-describedby", `${this.note.id} ${this.problem.id}`);
    const box = make("div", { class: "control" }, before && make("span", { "aria-hidden": "true" }, before), control);
    this.element = make("div", { class: "field" }, make("label", { for: id }, label), box, this.note, this.problem);
    control.addEventListener("input", () => this.complain(""));
  }

  get value() {
    return this.control.value;
  }

  /** Say what is wrong with the value; an empty text takes it back. */
  complain(text) {
    write(this.problem, text);
    if (text) this.control.setAttribute("aria-invalid", "true");
    else this.control.removeAttribute("aria-invalid");
  }
}

export const dollarsInput = () =>
  make("input", { type: "text", inputmode: "decimal", autocomplete: "off", maxlength: 18 });

/** Choose one of [value, text]. */
export function select(options) {
  return make("select", {}, ...options.map(([value, text]) => make("option", { value }, text)));
}

export const timeOf = (ms) => make("time", { datetime: new Date(ms).toISOString(), title: utc(ms) }, dateTime(ms));

export const button = (text, onclick, attributes = {}) =>
  make("button", { type: "button", onclick, ...attributes }, text);

/** A line that is read out when it is written. */
export const said = () => make("p", { class: "said", role: "status" });
