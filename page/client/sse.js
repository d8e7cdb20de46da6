// Cut a text stream into server-sent events, by the rules of WHATWG, and see its comments as well.

export class SseParser {
  /** The id of the last event: where to resume. */
  lastId;
  /** How long to wait before the next connection; null until the server says it. */
  /** @type {number | null} */
  retryMs = null;
  #rest = "";
  #type = "";
  /** @type {string[]} */
  #data = [];

  constructor(lastId = "") {
    this.lastId = lastId;
  }

  /** Take text as it comes; give the events that it completes. @param {string} chunk */
  feed(chunk) {
    let text = this.#rest + chunk;
    // A CR at the end may be half of a CRLF: it waits for what follows.
    const held = text.endsWith("\r") ? "\r" : "";
    text = text.slice(0, text.length - held.length).replaceAll("\r\n", "\n").replaceAll("\r", "\n");
    const lines = text.split("\n");
    this.#rest = lines.pop() + held;
    const events = /** @type {{type: string, id: string, data: string}[]} */ ([]);
    for (const line of lines) {
      const event = this.#line(line);
      if (event) events.push(event);
    }
    return events;
  }

  /** @param {string} line */
  #line(line) {
    if (line === "") return this.#dispatch();
    const colon = line.indexOf(":");
    if (colon === 0) return null; // a comment: the bytes themselves are the sign of life
    const field = colon < 0 ? line : line.slice(0, colon);
    let value = colon < 0 ? "" : line.slice(colon + 1);
    if (value.startsWith(" ")) value = value.slice(1);
    if (field === "data") this.#data.push(value);
    else if (field === "event") this.#type = value;
    else if (field === "id" && !value.includes("\0")) this.lastId = value;
    else if (field === "retry" && /^\d+$/.test(value)) this.retryMs = Number(value);
    return null;
  }

  #dispatch() {
    const event = { type: this.#type || "message", id: this.lastId, data: this.#data.join("\n") };
    const empty = this.#data.length === 0;
    this.#type = "";
    this.#data = [];
    return empty ? null : event;
  }
}
