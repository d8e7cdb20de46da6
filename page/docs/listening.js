// A stream that is tried: its events as they come, until it is stopped.

import { make, write } from "../dom.js";
import { time } from "../format.js";
import { SseParser } from "../client/sse.js";
import { open } from "./calls.js";
import { texts } from "./texts.js";

const words = texts.trial;
const KEPT_EVENTS_MAX = 100;

/** A place for events; `start` begins, `said` is where the sentence goes. */
export function listening(start, said) {
  const stop = make("button", { type: "button", onclick: () => connection?.abort() }, words.stop);
  stop.hidden = true;
  const count = make("p", { class: "quiet" });
  const list = make("ol", { class: "events", "aria-label": words.events });
  let connection = null;
  let seen = 0;
  return { element: make("div", { class: "answer" }, count, list), stop, listen };

  async function listen(request) {
    connection = new AbortController();
    list.replaceChildren();
    seen = 0;
    try {
      await read(request);
    } catch (error) {
      write(said, connection.signal.aborted ? words.stopped : words.noAnswer(error.message));
    } finally {
      const hadFocus = document.activeElement === stop;
      toggle(false);
      if (hadFocus) start.focus();
    }
  }

  async function read(request) {
    const response = await open({ ...request, signal: connection.signal });
    if (!response.ok) {
      write(said, `${response.status} ${await response.text()}`);
      return;
    }
    toggle(true);
    write(said, words.listening);
    const parser = new SseParser();
    const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
    for (;;) {
      const { done, value } = await reader.read();
      if (done) break;
      parser.feed(value).forEach(show);
    }
    write(said, words.ended);
  }

  function toggle(isOpen) {
    stop.hidden = !isOpen;
    start.hidden = isOpen;
    if (isOpen && (document.activeElement === start || document.activeElement === document.body)) stop.focus();
  }

  function show({ type, id, data }) {
    seen += 1;
    write(count, words.counted(seen));
    const body = make("pre", { tabindex: "0", "aria-label": type });
    const place = make("span", { class: "quiet" }, `${time(Date.now())} id ${id}`);
    const fold = make("details", {}, make("summary", {}, make("code", {}, type), " ", place), body);
    fold.addEventListener("toggle", () => write(body, pretty(data)));
    list.prepend(make("li", { "data-type": type }, fold));
    while (list.children.length > KEPT_EVENTS_MAX) list.lastElementChild.remove();
  }
}

function pretty(data) {
  try {
    return JSON.stringify(JSON.parse(data), null, 2);
  } catch {
    return data;
  }
}
