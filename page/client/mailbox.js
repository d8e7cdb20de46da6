// Events that wait for a reader: each once, but of prices and grids the newest alone.

const NEWEST_ONLY = new Set(["price", "grid"]);

/** @typedef {import("./types.js").StreamEvent} StreamEvent */

export class Mailbox {
  /** @type {StreamEvent[]} */
  #waiting = [];
  /** @type {unknown} */
  #failure = null;
  #wake = () => {};

  /** @param {StreamEvent} event */
  put(event) {
    if (NEWEST_ONLY.has(event.type)) this.#waiting = this.#waiting.filter((one) => one.type !== event.type);
    this.#waiting.push(event);
    this.#wake();
  }

  /** Let the reader fail once it has read what is here. @param {unknown} error */
  fail(error) {
    this.#failure = error;
    this.#wake();
  }

  /** Wait for the next event. @returns {Promise<StreamEvent>} */
  async take() {
    for (;;) {
      const event = this.#waiting.shift();
      if (event) return event;
      if (this.#failure) throw this.#failure;
      await new Promise((resolve) => (this.#wake = () => resolve(null)));
    }
  }
}
