// What one call brought: its status in a sentence, body and header fields.

import { make, write } from "../dom.js";
import { readable } from "./calls.js";
import { texts } from "./texts.js";

const words = texts.trial;

/** A place for answers; `said` is where the sentence goes. */
export function answerView(said) {
  const element = make("div", { class: "answer" });
  return { element, stop: null, show };

  function show(answer) {
    write(said, words.answer(answer.status, answer.words, answer.tookMs, answer.text.length));
    said.dataset.good = String(answer.status < 400);
    const body = answer.text
      ? make("pre", { tabindex: "0", "aria-label": words.answerBody }, readable(answer)) : make("p", {}, words.empty);
    const headers = answer.headers.map(([name, value]) =>
      make("div", {}, make("dt", {}, make("code", {}, name)), make("dd", {}, value)));
    element.replaceChildren(body, make("details", {}, make("summary", {}, words.answerHeaders),
      make("dl", { class: "codes" }, ...headers)));
  }
}
