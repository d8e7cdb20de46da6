// Words between the tabs of this browser; without the browser's help each tab finds out by itself, later.

export class Tabs {
  #listeners = new Map();
  #channel = null;

  constructor() {
    try {
      this.#channel = new BroadcastChannel("taptrade");
      this.#channel.addEventListener("message", ({ data }) => this.#listeners.get(data?.kind)?.(data));
    } catch {
      // Some private modes forbid it.
    }
  }

  on(kind, listener) {
    this.#listeners.set(kind, listener);
  }

  tell(kind) {
    this.#channel?.postMessage({ kind });
  }
}
