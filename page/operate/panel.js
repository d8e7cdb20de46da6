// What all panels are made of: a heading, a body, tables, and a figure with its name.

import { make } from "../dom.js";

let count = 0;

/** A section of the page under a heading; `wide` ones take the whole width. */
export function panel(title, { wide = false } = {}, ...children) {
  count += 1;
  const id = `panel-${count}`;
  return make("section", { class: wide ? "panel wide" : "panel", "aria-labelledby": id },
    make("h2", { id }, title), ...children);
}

/** A table: `columns` are {name, number?}, `rows` lists of texts or elements; too wide a one scrolls by itself.
 *  As `cards` each row stands for itself where the screen is narrow. */
export function table(caption, columns, rows, { cards = false } = {}) {
  const head = columns.map(({ name, number }) => make("th", { scope: "col", class: number ? "number" : null }, name));
  const cell = (content, at) => make(at === 0 ? "th" : "td", {
    scope: at === 0 ? "row" : null, class: columns[at].number ? "number" : null, "data-name": columns[at].name,
  }, content);
  return make("div", { class: "scroll", tabindex: 0, role: "group", "aria-label": caption },
    make("table", { class: cards ? "cards" : null }, make("caption", { class: "unseen" }, caption),
      make("thead", {}, make("tr", {}, ...head)),
      make("tbody", {}, ...rows.map((row) => make("tr", {}, ...row.map(cell))))));
}

/** A figure under its name. */
export const figure = (name, value, note = "") =>
  make("div", { class: "figure" }, make("dt", {}, name), make("dd", {}, value),
    note ? make("dd", { class: "quiet note" }, note) : null);

/** A state in words, coloured besides: good, bad, warn or quiet. */
export const state = (text, look) => make("span", { class: `state ${look}` }, text);

/** Fill an element again only where what it shows has changed: what has the focus keeps it. */
export class Kept {
  #shown = "";

  constructor(element) {
    this.element = element;
  }

  show(content, fill) {
    const text = JSON.stringify(content);
    if (text === this.#shown) return;
    this.#shown = text;
    this.element.replaceChildren(...fill(content));
  }
}
