// The stakes one may choose from: one is always chosen, and the browser remembers which.

import { find, make, write } from "../dom.js";
import { settings } from "../settings.js";
import { texts } from "../texts.js";

const SECOND = 1;

export class Stakes {
  #shown = "";

  constructor({ state }) {
    this.state = state;
    this.holder = find("stakes");
    this.note = find("stakes-note");
    state.on(["rules", "grid"], () => this.#show());
    state.on(["limits"], () => this.#showLimit());
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
    this.#showLimit();
  }

  /** Let the stakes stand back that the player's own limit refuses, and say so. */
  #showLimit() {
    const limitCents = this.state.limits?.limits.stake_max_cents ?? Infinity;
    let any = false;
    for (const input of this.holder.querySelectorAll("input")) {
      const above = Number(input.value) > limitCents;
      input.parentElement.classList.toggle("above", above);
      any ||= above;
    }
    this.note.hidden = !any;
    write(this.note, any ? texts.stakesAbove(limitCents) : "");
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
