// The fields of a type, each with what it is, what it means, its unit and an example; types inside it unfold.

import { make } from "../dom.js";
import { texts } from "./texts.js";

/** The fields of all types that a value of the schema holds; those of types in `around` are not unfolded again. */
export function fieldsOf(schema, shown, around = []) {
  return shown.objectsIn(schema).map((type) => {
    const required = new Set(type.required);
    const inside = [...around, type.title];
    const list = Object.entries(type.properties).map(([name, one]) =>
      field(name, one, shown, { isRequired: required.has(name), around: inside }));
    return make("div", { class: "type" },
      type.description ? make("p", {}, make("strong", {}, type.title ?? ""), " ", ...prose(type.description)) : null,
      make("dl", { class: "fields" }, ...list));
  });
}

/** One field or parameter: its name, and beside it everything that is known of it. */
export function field(name, schema, shown, { isRequired = false, said = "", where = "", around = [] }) {
  const facts = [
    shown.words(schema), schema["x-unit"], where, isRequired ? texts.required : null,
    schema.default !== undefined && schema.default !== "" ? texts.byDefault(JSON.stringify(schema.default)) : null,
    ...shown.bounds(schema),
  ].filter(Boolean);
  const meaning = said || schema.description || "";
  const [example] = schema.examples ?? [];
  const inner = shown.objectsIn(schema).filter(({ title }) => !around.includes(title));
  return make("div", {},
    make("dt", {}, make("code", {}, name)),
    make("dd", {},
      make("p", { class: "quiet" }, facts.join(", ")),
      meaning ? make("p", {}, ...prose(meaning)) : null,
      example === undefined ? null
        : make("p", { class: "quiet" }, `${texts.example} `, make("code", {}, JSON.stringify(example))),
      inner.length ? unfolding(texts.fieldsOf(inner.map(({ title }) => title).join(", ")),
        () => fieldsOf(schema, shown, around)) : null));
}

/** A sentence of the document: what stands in backticks is code. */
export const prose = (text) => text.split("`").map((part, at) => (at % 2 ? make("code", {}, part) : part));

/** A fold whose content is made when it is first opened. */
export function unfolding(title, content, attributes = {}) {
  const fold = make("details", attributes, make("summary", {}, title));
  fold.addEventListener("toggle", () => {
    if (fold.open && fold.children.length === 1) fold.append(...content());
  });
  return fold;
}
