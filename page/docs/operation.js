// One endpoint: what it takes, what it answers, why it refuses, and the form to try it.

import { make } from "../dom.js";
import { field, fieldsOf, prose, unfolding } from "./fields.js";
import { bodyOf, lockOf } from "./interface.js";
import { texts } from "./texts.js";
import { trial } from "./trial.js";

/** The fold of an endpoint; its content is made when it is opened. */
export function operationCard(operation, shown, visitor) {
  const { route, method, summary } = operation;
  const lock = texts.session[lockOf(operation)];
  const title = make("span", { class: "title" },
    make("span", { class: `method ${method}` }, method), " ", make("code", {}, route), " ",
    make("span", {}, summary), lock ? make("span", { class: "quiet lock" }, ` ${lock}`) : null);
  const codes = Object.values(operation.responses).flatMap((response) => response["x-codes"] ?? []);
  const id = operation.operationId;
  const card = unfolding(title, () => content(operation, shown, visitor), {
    id, class: "operation", "data-words": [method, route, summary, id, ...codes].join(" ").toLowerCase(),
  });
  // Whoever passes the address on passes on the endpoint.
  card.addEventListener("toggle", () => card.open && history.replaceState(null, "", `#${id}`));
  return card;
}

function content(operation, shown, visitor) {
  const { parameters, responses } = operation;
  const body = bodyOf(operation);
  const good = Object.entries(responses).filter(([, response]) => !response["x-codes"]);
  const refusals = Object.entries(responses).filter(([, response]) => response["x-codes"]);
  return [make("div", { class: "content" },
    ...operation.description.split("\n\n").map((paragraph) => make("p", {}, ...prose(paragraph))),
    unfolding(texts.trial.title, () => [trial(operation, shown, visitor)], { class: "trial" }),
    ...(parameters.length ? part(texts.parameters, parameterList(parameters, shown)) : []),
    ...(body ? part(texts.body, ...fieldsOf(body, shown)) : []),
    ...good.flatMap(([status, response]) => part(`${texts.answers}: ${status}`, ...answer(response, shown))),
    ...part(texts.refusals, ...refusals.flatMap(([status, response]) => refusal(status, response, shown))))];
}

const part = (title, ...children) => [make("h3", {}, title), ...children];

function parameterList(parameters, shown) {
  return make("dl", { class: "fields" }, ...parameters.map((one) => field(one.name, one.schema, shown,
    { isRequired: one.required, said: one.description, where: texts.where[one.in] })));
}

function answer({ content = {}, headers = {} }, shown) {
  const bodies = Object.entries(content).flatMap(([media, told]) => (told["x-events"]
    ? stream(media, told, shown)
    : [make("p", { class: "quiet" }, `${media}: ${shown.words(told.schema)}`), ...fieldsOf(told.schema, shown)]));
  return [
    ...(bodies.length ? bodies : [make("p", {}, texts.noBody)]),
    unfolding(texts.headers, () => [make("dl", { class: "fields" }, ...Object.keys(headers).map((name) => {
      const { description, schema } = shown.headers[name];
      return field(name, schema, shown, { said: description });
    }))]),
  ];
}

function stream(media, { "x-events": events, examples }, shown) {
  return [make("p", {}, texts.stream(media)), ...Object.entries(events).map(([kind, schema]) =>
    unfolding(make("code", {}, kind), () => [
      ...fieldsOf(schema, shown),
      make("pre", { tabindex: "0", "aria-label": `${texts.example} ${kind}` }, examples[kind].value.trim()),
    ]))];
}

/** The codes of a status with their sentences, and what such a refusal carries. */
function refusal(status, { description, content, "x-codes": codes }, shown) {
  const { schema } = content["application/problem+json"];
  const lines = codes.map((code) => make("div", {},
    make("dt", {}, `${status} `, make("code", {}, code)), make("dd", {}, ...prose(sentence(description, code)))));
  return [make("dl", { class: "codes" }, ...lines), ...shown.alternatives(schema).map((type) =>
    unfolding(texts.carries(type.title), () => fieldsOf(type, shown)))];
}

/** A description says one sentence a code: `CODE`: Sentence. */
function sentence(description, code) {
  const [, rest = ""] = description.split(`\`${code}\`: `);
  return rest.split(/ `[A-Z_]+`: /)[0];
}
