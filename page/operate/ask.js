// Before anything is decided: what will happen, who decides it, and the words that are kept with it.

import { find, make, write } from "../dom.js";
import { ApiError, LineError } from "../client/api.js";
import { texts } from "./texts.js";

const words = texts.ask;

/**
 * Open the dialog: `facts` are [name, text] pairs, `fields` are {name, label, kind, ...} of the form, `send` takes the
 * values and returns a promise. It stays open with a sentence when it is refused; nothing is lost then.
 */
export function ask({ title, facts, fields, action, danger = false, who, send, onDone, onRefused }) {
  const dialog = find("asked");
  const said = make("p", { class: "said", role: "alert" });
  said.hidden = true;
  const submit = make("button", { type: "submit", class: danger ? "danger" : "primary" }, action);
  const form = make("form", { method: "dialog" }, ...fields.map(field), said,
    make("div", { class: "buttons" }, submit,
      make("button", { type: "button", onclick: () => dialog.close() }, words.cancel)));
  const lines = [...facts, [words.who, who]].map(([name, text]) =>
    make("div", {}, make("dt", {}, name), make("dd", {}, text)));
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    submit.disabled = true;
    try {
      await send(valuesOf(form, fields));
      dialog.close();
      onDone();
    } catch (error) {
      if (error instanceof ApiError && (error.status === 401 || error.status === 403)) {
        dialog.close();
        onRefused(error);
        return;
      }
      write(said, error instanceof LineError ? words.noAnswer : error.message);
      said.hidden = false;
    } finally {
      submit.disabled = false;
    }
  });
  dialog.replaceChildren(make("h2", { id: "asked-title" }, title), make("dl", { class: "facts" }, ...lines), form);
  dialog.setAttribute("aria-labelledby", "asked-title");
  dialog.addEventListener("close", () => dialog.replaceChildren(), { once: true });
  dialog.showModal();
  form.querySelector("input, select, textarea")?.focus();
}

/** The field of why: each decision has one. */
export const whyField = { name: "why", label: words.why, note: words.whyNote, minlength: 3, maxlength: 200 };

export const referenceField = {
  name: "reference", label: words.reference, note: words.referenceNote, minlength: 1, maxlength: 200,
};

function field({ name, label, note, options, ...limits }) {
  const id = `ask-${name}`;
  const noteId = `${id}-note`;
  const described = note ? { "aria-describedby": noteId } : {};
  const input = options
    ? make("select", { id, name, ...described }, ...options.map(([value, text]) => make("option", { value }, text)))
    : make("input", { id, name, type: "text", required: true, autocomplete: "off", ...described, ...limits });
  return make("p", { class: "field" }, make("label", { for: id }, label), input,
    note ? make("span", { id: noteId, class: "quiet" }, note) : null);
}

function valuesOf(form, fields) {
  return Object.fromEntries(fields.map(({ name }) => [name, form.elements[name].value.trim()]));
}
