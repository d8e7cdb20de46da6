// The OpenAPI document, asked by people: its endpoints in groups, types in words, examples made of schemas.

import { groupOf, groupTitles } from "./texts.js";

/** Which session an endpoint asks for: session, optional, operator, or none. */
export function lockOf({ security = [] }) {
  if (security.some((one) => "operator" in one)) return "operator";
  if (security.some((one) => Object.keys(one).length === 0)) return "optional";
  return security.length ? "session" : "none";
}

/** What the body of a request is made of; undefined where there is none. */
export const bodyOf = (operation) => operation.requestBody?.content["application/json"].schema;

/** The media type of a stream's answer; undefined where the endpoint is none. */
export const streamOf = ({ responses }) =>
  Object.entries(responses["200"]?.content ?? {}).find(([, answer]) => answer["x-events"])?.[0];

export class Interface {
  #schemas;

  constructor(document) {
    this.#schemas = document.components.schemas;
    this.headers = document.components.headers;
    this.operations = Object.entries(document.paths).flatMap(([route, methods]) =>
      Object.entries(methods).map(([method, operation]) => ({ ...operation, route, method: method.toUpperCase() })));
  }

  /** The endpoints as [{title, operations}]; those of no known group come last. */
  groups() {
    const groups = groupTitles.map((title) => ({ title, operations: [] }));
    for (const operation of this.operations) {
      groups.find(({ title }) => title === groupOf(operation.route)).operations.push(operation);
    }
    return groups.filter(({ operations }) => operations.length);
  }

  /** Follow a reference; what stands beside it counts more. */
  resolve(schema) {
    if (!schema?.$ref) return schema ?? {};
    const { $ref, ...beside } = schema;
    return { ...this.#schemas[$ref.split("/").at(-1)], ...beside };
  }

  /** The alternatives of a schema, without null. */
  alternatives(schema) {
    const resolved = this.resolve(schema);
    const choices = resolved.anyOf ?? resolved.oneOf ?? [resolved];
    return choices.map((one) => this.resolve(one)).filter(({ type }) => type !== "null");
  }

  /** The types with fields that a value of the schema holds, itself or as items. */
  objectsIn(schema) {
    return this.alternatives(schema).flatMap((one) => {
      if (one.type === "array") return (one.prefixItems ?? [one.items]).flatMap((item) => this.objectsIn(item));
      if (one.type !== "object") return [];
      if (one.properties) return [one];
      return this.objectsIn(one.additionalProperties);
    });
  }

  /** A type in words. */
  words(schema) {
    const one = this.resolve(schema);
    if (one.enum) return one.enum.map((value) => JSON.stringify(value)).join(" | ");
    const choices = one.anyOf ?? one.oneOf;
    if (choices) return choices.map((inner) => this.words(inner)).join(" | ");
    if (one.type === "array") {
      if (one.prefixItems) return `[${one.prefixItems.map((item) => this.words(item)).join(", ")}]`;
      return one.items && Object.keys(one.items).length ? `list of ${this.words(one.items)}` : "list";
    }
    if (one.type === "object" && one.properties) return one.title ?? "object";
    if (one.type === "object" && one.additionalProperties) return `${this.words(one.additionalProperties)} by name`;
    return one.type ?? "any";
  }

  /** What a value is held to beside its type. */
  bounds(schema) {
    return this.alternatives(schema).flatMap((one) => [
      one.minimum !== undefined && `at least ${one.minimum}`,
      one.exclusiveMinimum !== undefined && `more than ${one.exclusiveMinimum}`,
      one.maximum !== undefined && `at most ${one.maximum}`,
      one.minLength !== undefined && `at least ${one.minLength} characters`,
      one.maxLength !== undefined && `at most ${one.maxLength} characters`,
      one.pattern !== undefined && `like ${one.pattern}`,
    ].filter(Boolean));
  }

  /** An example of a value; of a body the fields that it must have, or its first. */
  example(schema, seen = []) {
    const [given] = schema?.examples ?? [];
    if (given !== undefined) return given;
    const [one = {}] = this.alternatives(schema);
    if (one.examples) return one.examples[0];
    if (one.default !== undefined) return one.default;
    if (one.enum) return one.enum[0];
    if (one.type === "array") return one.items?.type || one.items?.$ref ? [this.example(one.items, seen)] : [];
    if (one.type === "object") return this.#object(one, seen);
    return { integer: 1, number: 1, boolean: true, string: "" }[one.type] ?? null;
  }

  #object({ title, properties = {}, required = [] }, seen) {
    if (seen.includes(title)) return {};
    const names = required.length ? required : Object.keys(properties).slice(0, 1);
    return Object.fromEntries(names.map((name) => [name, this.example(properties[name], [...seen, title])]));
  }
}
