// Ask again and again, two seconds after the last answer, and only while somebody can see the page.

export const EVERY_MS = 2_000;

export class Poll {
  #timer = null;
  #running = false;
  #stopped = false;

  constructor(look, onAnswer, onError) {
    Object.assign(this, { look, onAnswer, onError });
    this.seen = () => {
      if (!document.hidden) this.#once();
    };
  }

  start() {
    document.addEventListener("visibilitychange", this.seen);
    window.addEventListener("pageshow", this.seen);
    this.#once();
  }

  stop() {
    this.#stopped = true;
    clearTimeout(this.#timer);
    document.removeEventListener("visibilitychange", this.seen);
    window.removeEventListener("pageshow", this.seen);
  }

  async #once() {
    if (this.#running || this.#stopped) return;
    clearTimeout(this.#timer);
    this.#running = true;
    try {
      await this.look();
      if (!this.#stopped) this.onAnswer();
    } catch (error) {
      if (!this.#stopped) this.onError(error);
    } finally {
      this.#running = false;
    }
    if (!this.#stopped && !document.hidden) this.#timer = setTimeout(() => this.#once(), EVERY_MS);
  }
}
