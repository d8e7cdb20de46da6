// The stakes one may choose from: one is always chosen, and the browser remembers which.

import { find, make } from "../dom.js";
import { settings } from "../settings.js";
import { texts } from "../texts.js";

const SECOND = 1;

export class Stakes {
  #shown = "";

  constructor({ state }) {
    this.state = state;
    this.holder = find("stakes");
    state.on(["rules", "grid"], () => this.#show());
  }

  #show() {
    const presets = this.state.grid?.presets_cents ?? this.state.rules?.presets_cents ?? [];
    if (presets.length === 0 || presets.join() === this.#shown) return;
    this.#shown = presets.join();
    const chosen = [this.state.stakeCents, settings.stakeCents].find((cents) => presets.includes(cents))
      ?? presets[Math.min(SECOND, presets.length - 1)];
    this.state.set({ stakeCents: chosen });
    const choices = presets.map((cents) => this.#choice(cents, cents === chosen));
    this.holder.replaceChildren(this.holder.firstElementChild, ...choices);
  }

  #choice(cents, checked) {
    const input = make("input", { type: "radio", name: "stake", value: cents, checked });
    input.addEventListener("change", () => {
      settings.stakeCents = cents;
      this.state.set({ stakeCents: cents });
    });
    return make("label", {}, input, make("span", {}, texts.stakeOption(cents)));
  }
}
