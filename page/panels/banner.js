// Lines above the board: the demo, a stopped breaker, a lost connection, and what else a player must know.

import { find, make, write } from "../dom.js";
import { texts } from "../texts.js";
import { canSign } from "../client/key.js";
import { breakerText, lineLost } from "../game/stopped.js";

const NOTICE_MS = 8_000;

export class Banner {
  #lines = new Map();
  #noticeTimer = null;

  constructor({ state, clock, session }) {
    Object.assign(this, { state, clock, session });
    this.holder = find("banners");
    state.on(["rules", "breaker", "connection", "user", "sessionKnown", "reachable"], () => this.show());
    state.on(["notice"], () => this.#notice());
    for (const name of ["online", "offline"]) window.addEventListener(name, () => this.show());
    setInterval(() => this.show(), 1_000);
  }

  show() {
    const { state } = this;
    this.#line("demo", "notice", state.rules?.mode === "demo" ? texts.banner.demo(state.rules.source ?? "") : "");
    this.#line("line", "alarm", this.#connectionText());
    const stopped = state.breaker && breakerText(state.breaker, this.#priceAgeMs(), this.clock.nowMs());
    this.#line("breaker", "alarm", stopped ?? "");
    const late = state.breaker?.state === "DEGRADED" && state.breaker.override !== "open";
    this.#line("late", "notice", late ? texts.banner.late : "");
    this.#line("key", "alarm", this.#keyText());
  }

  #priceAgeMs() {
    return this.state.price ? this.clock.nowMs() - this.state.price.id : null;
  }

  #connectionText() {
    if (!navigator.onLine) return texts.banner.offline;
    if (this.state.reachable === false) return texts.banner.unreachable;
    return lineLost(this.state) ? texts.banner.offline : "";
  }

  #keyText() {
    const { user } = this.state;
    if (!canSign()) return texts.banner.insecure;
    if (user && !this.session.key && this.state.rules?.bet_signatures !== "off") return texts.banner.keyless;
    return user && !this.session.kept ? texts.banner.memoryOnly : "";
  }

  #notice() {
    clearTimeout(this.#noticeTimer);
    this.#line("notice", "notice", this.state.notice ?? "");
    if (this.state.notice) this.#noticeTimer = setTimeout(() => this.state.set({ notice: null }), NOTICE_MS);
  }

  #line(name, kind, text) {
    let line = this.#lines.get(name);
    if (!line && !text) return;
    if (!line) {
      line = make("p", { class: `banner ${kind}` });
      this.#lines.set(name, line);
      this.holder.append(line);
    }
    write(line, text);
    line.hidden = !text;
  }
}
