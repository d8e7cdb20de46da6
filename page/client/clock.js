// The server's time in the browser: what is signed and drawn goes by it, whatever the own clock says.

const MEASURE_EVERY_MS = 20_000;
const KEEP = 6;
const STALE_MS = 180_000;

export class ServerClock {
  /** Round trip of late, in ms; null before the first measurement. */
  /** @type {number | null} */
  delayMs = null;
  #aheadMs = Date.now() - performance.now();
  /** @type {{delayMs: number, heardMs: number, aheadMs: number}[]} */
  #measured = [];
  /** @type {any} */
  #timer = null;

  /** @param {import("./api.js").Api} api */
  constructor(api, onChange = () => {}) {
    this.api = api;
    this.onChange = onChange;
    this.heard = false;
  }

  /** Whether the server has ever told its time. */
  get known() {
    return this.#measured.length > 0 || this.heard;
  }

  nowMs() {
    return performance.now() + this.#aheadMs;
  }

  /** How far the own clock is off, in ms: positive when it is slow. */
  get offMs() {
    return this.#aheadMs - (Date.now() - performance.now());
  }

  /** Take a time that the server has just sent: it cannot lie ahead, so it only moves the clock forward. @param {number} serverMs */
  hear(serverMs) {
    const aheadMs = serverMs - performance.now();
    const first = !this.known;
    this.heard = true;
    if (first || aheadMs > this.#aheadMs) {
      // A leap forward means that this computer slept, and that the measurements are of before.
      if (aheadMs - this.#aheadMs > 1_000) this.#measured = [];
      this.#aheadMs = aheadMs;
      this.onChange();
    }
  }

  /** Measure now, and again every 20 s. */
  start() {
    this.measure();
    this.#timer ??= setInterval(() => {
      if (!globalThis.document?.hidden) this.measure();
    }, MEASURE_EVERY_MS);
  }

  /** Ask for the time; half of the round trip lies between its reading and its arrival. */
  async measure() {
    const sentMs = performance.now();
    let answer;
    try {
      answer = await this.api.get("/api/time");
    } catch {
      return;
    }
    const heardMs = performance.now();
    const delayMs = heardMs - sentMs;
    const sample = { delayMs, heardMs, aheadMs: answer.server_time_ms + delayMs / 2 - heardMs };
    this.#measured = this.#measured.filter((one) => heardMs - one.heardMs < STALE_MS).slice(1 - KEEP);
    this.#measured.push(sample);
    // The one that was the shortest under way is off by the least.
    const best = this.#measured.reduce((least, one) => (one.delayMs < least.delayMs ? one : least));
    this.#aheadMs = best.aheadMs;
    this.delayMs = delayMs;
    this.onChange();
  }
}
