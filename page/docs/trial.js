// The form to try one endpoint: parameters and body, what comes back, and the same for a shell.

import { make, write } from "../dom.js";
import { answerView } from "./answer.js";
import { address, call, curl, json } from "./calls.js";
import { bodyOf, lockOf, streamOf } from "./interface.js";
import { listening } from "./listening.js";
import { signing } from "./signing.js";
import { texts } from "./texts.js";

const words = texts.trial;

/** The form of an endpoint, with its answer below. */
export function trial(operation, shown, visitor) {
  const inputs = operation.parameters.map((one) => ({ ...one, element: input(operation, one, shown, visitor) }));
  const body = bodyOf(operation) ? textarea(operation, shown) : null;
  const said = make("p", { role: "status", class: "said" });
  const signed = body ? signing(operation, body, visitor, said) : null;
  const isStream = Boolean(streamOf(operation));
  const send = make("button", { type: "submit", class: "primary" }, isStream ? words.start : words.send);
  const answer = isStream ? listening(send, said) : answerView(said);
  const line = shellLine();
  const form = make("form", {},
    lockOf(operation) === "operator" ? make("p", { class: "quiet" }, words.operator) : null,
    ...inputs.map(({ name, element }) => labelled(name, element)), body ? labelled(words.body, body) : null,
    signed?.element, make("p", { class: "buttons" }, send, answer.stop), said);
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    attempt();
  });
  form.addEventListener("input", showLine);
  visitor.addEventListener("change", showLine);
  showLine();
  return make("div", {}, form, answer.element, line.element);

  function request() {
    const of = (where) => Object.fromEntries(inputs.filter((one) => one.in === where && one.element.value !== "")
      .map(({ name, element }) => [name, element.value]));
    return {
      method: operation.method, path: address(operation.route, of("path"), of("query")),
      headers: { ...visitor.headers, ...of("header"), ...(body ? { "Content-Type": "application/json" } : {}) },
      body: body?.value ?? "", withCookies: lockOf(operation) === "operator",
    };
  }

  function showLine() {
    const made = request();
    if (visitor.isGiven) made.headers.Authorization = `Bearer ${words.tokenOfYours}`;
    line.show(curl(made, location.origin, isStream));
  }

  async function attempt() {
    send.disabled = true;
    write(said, words.sending);
    try {
      if (body) JSON.parse(body.value);
    } catch (error) {
      send.disabled = false;
      write(said, words.notJson(error.message));
      return;
    }
    try {
      await signed?.sign();
      showLine();
      if (isStream) {
        send.disabled = false;
        await answer.listen(request());
        return;
      }
      const got = await call(request());
      visitor.remember(json(got));
      answer.show(got);
    } catch (error) {
      write(said, words.noAnswer(error.message));
    } finally {
      send.disabled = false;
    }
  }
}

const labelled = (text, element) =>
  make("p", { class: "field" }, make("label", { for: element.id }, text), element);

function input(operation, { name, in: where, required, schema }, shown, visitor) {
  const id = `${operation.operationId}-${name}`;
  const choices = shown.alternatives(schema)
    .flatMap((one) => one.enum ?? (one.type === "boolean" ? ["true", "false"] : []));
  if (choices.length) {
    return make("select", { id }, ...(required ? [] : [make("option", { value: "" }, "")]),
      ...choices.map((choice) => make("option", {}, String(choice))));
  }
  const example = shown.example(schema);
  const element = make("input", { id, type: "text", required, autocomplete: "off", spellcheck: "false",
    placeholder: where === "path" || schema.examples ? String(example ?? "") : "" });
  if (where === "path") {
    element.value = visitor.recall(name) ?? String(example ?? "");
    // What another call has brought meanwhile is more of use than an example.
    const given = element.value;
    element.addEventListener("focus", () => {
      if (element.value === given) element.value = visitor.recall(name) ?? given;
    });
  }
  return element;
}

function textarea(operation, shown) {
  const text = JSON.stringify(shown.example(bodyOf(operation)), null, 2);
  const element = make("textarea", { id: `${operation.operationId}-body`, spellcheck: "false", autocapitalize: "off",
    rows: Math.min(14, text.split("\n").length + 1) });
  element.value = text;
  return element;
}

function shellLine() {
  const shown = make("pre", { tabindex: "0", "aria-label": words.curl });
  const button = make("button", { type: "button" }, words.copy);
  button.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(shown.textContent);
      write(button, words.copied);
    } catch {
      getSelection().selectAllChildren(shown);
      write(button, words.copyFailed);
    }
  });
  const show = (text) => {
    write(shown, text);
    write(button, words.copy);
  };
  return { element: make("div", { class: "shell" }, make("h3", {}, words.curl), shown, button), show };
}
