// The player's own limits as the server has them: loaded with the session, changed here or in another tab.

import { insist } from "../client/api.js";

const LOOK_EVERY_MS = 5_000;
const PAUSES = ["excluded_until_ms", "cool_off_until_ms"];

/** The break that lasts now, the longest: {name, untilMs}; null without one. */
export function pauseOf(own, nowMs) {
  const running = PAUSES.map((name) => ({ name, untilMs: own?.limits[name] ?? 0 }));
  const [longest] = running.sort((one, other) => other.untilMs - one.untilMs);
  return longest.untilMs > nowMs ? longest : null;
}

/** What each limit will become, by name: {amount, effectiveMs}. */
export function waitingOf(own) {
  const found = new Map();
  let before = own.limits;
  for (const { limits, effective_ms: effectiveMs } of own.steps) {
    for (const [name, amount] of Object.entries(limits)) {
      if (amount !== before[name]) found.set(name, { amount, effectiveMs });
    }
    before = limits;
  }
  return found;
}

/** What counts against a limit so far, in cents; null where it cannot be told, and for one that nothing adds up to. */
export const usedOf = (own, name) => own[name.replace("_max_", "_used_")] ?? null;

export class OwnLimits {
  #paused = false;

  /** `tabs` speaks to the other tabs of this browser. */
  constructor({ state, api, clock, tabs }) {
    Object.assign(this, { state, api, clock, tabs });
    state.set({ limits: null });
    state.on(["user"], () => this.#follow());
    tabs.on("limits", () => this.load());
    document.addEventListener("visibilitychange", () => !document.hidden && this.load());
    setInterval(() => this.#look(), LOOK_EVERY_MS);
  }

  /** Ask the server what counts. */
  async load() {
    const id = this.state.user?.id;
    if (!id) return;
    try {
      const own = await insist(() => this.api.get("/api/me/limits"));
      if (this.state.user?.id === id) this.state.set({ limits: own });
    } catch (error) {
      // A session that has ended is noticed by what needs it.
      console.error(error);
    }
  }

  /** Ask for other limits: by name, null for none. Gives what counts and what waits. */
  async change(asked) {
    const own = await this.api.put("/api/me/limits", asked);
    this.state.set({ limits: own });
    this.tabs.tell("limits");
    return own;
  }

  /** Hear what became of a tap: a refusal by a limit that this tab does not know was set elsewhere. */
  hear(tap) {
    if (tap?.state === "refused" && tap.refusal?.code === "LIMIT_REACHED" && !tap.quiet) this.load();
  }

  #follow() {
    if (this.player === this.state.user?.id) return;
    this.player = this.state.user?.id;
    this.state.set({ limits: null });
    this.load();
  }

  /** What waits begins to count, and breaks end, without any event. */
  #look() {
    const { limits: own } = this.state;
    if (!own) return;
    const nowMs = this.clock.nowMs();
    const paused = pauseOf(own, nowMs) !== null;
    if (paused !== this.#paused) this.state.touch("limits");
    this.#paused = paused;
    if (own.steps[0]?.effective_ms <= nowMs) this.load();
  }
}
