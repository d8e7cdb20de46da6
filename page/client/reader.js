// Read GET /api/stream by fetch and go on after every break: with the last id, at once when somebody looks again.

import { Api, answerOf, retryAfterMs } from "./api.js";
import { ASKED, GridChanges } from "./grid_changes.js";
import { SseParser } from "./sse.js";

const RETRY_MS = 1_000;
const RETRY_MS_MAX = 10_000;
const LOOK_EVERY_MS = 1_000;
const HEARTBEAT_MS = 15_000;
/** While prices come something arrives four times a second: so long a silence means a dead line. */
const PRICE_SILENCE_MS = 5_000;
/** Who looks again after a while wants to know at once. */
const CHECK_SILENCE_MS = 1_500;
/** Refusals of the request that a later one may be spared: it took too long, came too early, or was one of too many. */
const MAY_PASS = [408, 425, 429];

/** For who needs no more of a price than its numbers: not what it was made from. */
export const SHORT = "/api/stream?price=brief";

export class StreamReader {
  #lastId = "";
  #retryMs = RETRY_MS;
  #waitMs = RETRY_MS;
  #heartbeatMs = HEARTBEAT_MS;
  #heardMs = 0;
  #pricesExpected = true;
  #grids = new GridChanges();
  /** @type {AbortController | null} */
  #connection = null;
  /** @type {any} */
  #waiting = null;
  /** @type {any} */
  #watch = null;

  /**
   * `onEvent({type, id, data})` with parsed data; `onState("connecting" | "live" | "lost")`. `renew` signs in anew
   * when the session has ended. `onRefused` hears a refusal that the same request will meet again, and the reader stops;
   * without it the reader goes on asking, for a page that outlives a wrong answer in between.
   * @param {(event: import("./types.js").StreamEvent) => void} onEvent
   * @param {(state: string) => void} onState
   * @param {{api?: Api, path?: string, renew?: (() => Promise<void>) | null,
   *   onRefused?: ((error: unknown) => void) | null}} [options]
   */
  constructor(onEvent, onState, { api = new Api(), path = "/api/stream", renew = null, onRefused = null } = {}) {
    this.onEvent = onEvent;
    this.onState = onState;
    this.api = api;
    this.path = `${path}${path.includes("?") ? "&" : "?"}${ASKED}`;
    this.renew = renew;
    this.onRefused = onRefused;
  }

  get running() {
    return this.#watch !== null;
  }

  start() {
    if (this.running) return;
    this.#watch = setInterval(() => this.#look(), LOOK_EVERY_MS);
    this.#connect();
  }

  stop() {
    clearInterval(this.#watch);
    this.#watch = null;
    this.#hangUp();
  }

  /** Begin anew without a cursor: another session reads now. */
  restart() {
    this.#lastId = "";
    this.stop();
    this.start();
  }

  /** Make sure that the line lives: after a freeze, a sleep or a time offline. */
  check() {
    if (!this.running) this.start();
    else if (performance.now() - this.#heardMs > CHECK_SILENCE_MS) this.#reconnect();
  }

  #look() {
    const silentMs = performance.now() - this.#heardMs;
    const patienceMs = this.#pricesExpected ? PRICE_SILENCE_MS : 2.5 * this.#heartbeatMs;
    if (this.#connection && silentMs > patienceMs) this.#reconnect();
  }

  #reconnect() {
    this.#hangUp();
    this.#connect();
  }

  #hangUp() {
    clearTimeout(this.#waiting);
    this.#waiting = null;
    this.#connection?.abort();
    this.#connection = null;
  }

  async #connect() {
    const connection = new AbortController();
    this.#connection = connection;
    this.#heardMs = performance.now();
    this.onState("connecting");
    let waitMs = null;
    try {
      waitMs = await this.#read(connection);
    } catch {
      // A broken line and an unreadable answer alike: the next connection follows.
    }
    if (connection.signal.aborted) return;
    this.#connection = null;
    this.onState("lost");
    this.#waiting = setTimeout(() => this.#connect(), waitMs ?? this.#waitMs);
    this.#waitMs = Math.min(2 * this.#waitMs, RETRY_MS_MAX);
  }

  /** Read until the end; tell how long to wait after it. @param {AbortController} connection */
  async #read(connection) {
    const request = this.api.asked();
    request.headers.Accept = "text/event-stream";
    if (this.#lastId) request.headers["Last-Event-ID"] = this.#lastId;
    const response = await fetch(this.api.url + this.path, { ...request, signal: connection.signal });
    if (!response.ok || !response.body) {
      if (this.onRefused && this.#isFinal(response.status)) await this.#end(response);
      else response.body?.cancel();
      if (response.status === 400) this.#lastId = "";
      if (response.status === 401) await this.renew?.();
      return retryAfterMs(response);
    }
    const parser = new SseParser(this.#lastId);
    const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
    for (;;) {
      const { done, value } = await reader.read();
      if (done || connection.signal.aborted) return this.#retryMs;
      this.#heardMs = performance.now();
      const events = parser.feed(value);
      this.#retryMs = parser.retryMs ?? this.#retryMs;
      events.forEach((event) => this.#take(event));
    }
  }

  /** Whether the next request would be refused alike. @param {number} status */
  #isFinal(status) {
    if (status === 401) return !this.renew;
    // Refused with a cursor, the next request goes without one.
    if (status === 400) return !this.#lastId;
    return status >= 400 && status < 500 && !MAY_PASS.includes(status);
  }

  /** Tell why nothing more will come. @param {Response} response */
  async #end(response) {
    const text = await response.text();
    this.stop();
    try {
      answerOf(response, text);
    } catch (error) {
      this.onRefused?.(error);
    }
  }

  /** @param {{type: string, id: string, data: string}} event */
  #take(event) {
    this.#lastId = event.id;
    this.#waitMs = this.#retryMs;
    let data;
    try {
      data = JSON.parse(event.data);
    } catch {
      return; // an event that cannot be read is passed over; the next one may be fine
    }
    if (event.type === "hello") {
      this.#heartbeatMs = data.heartbeat_ms || HEARTBEAT_MS;
      this.onState("live");
    }
    const breaker = event.type === "status" ? data : data?.breaker;
    if (breaker?.state) this.#pricesExpected = breaker.state !== "CRITICAL";
    const type = event.type === "brief_price" ? "price" : event.type;
    const whole = this.#grids.whole({ type, id: event.id, data });
    if (whole) this.onEvent(whole);
  }
}
