// The house as its operator sees it: panels side by side, each filled from what was asked last.

import { make, write } from "../dom.js";
import { duration, utc } from "../format.js";
import { Breaker } from "./breaker.js";
import { Buckets } from "./buckets.js";
import { Exposure } from "./exposure.js";
import { Feed } from "./feed.js";
import { Health } from "./health.js";
import { Queues } from "./queues.js";
import { texts } from "./texts.js";
import { Withdrawals } from "./withdrawals.js";

/** Buckets and withdrawals change seldom: they are asked for at every so manieth look, and after each decision. */
const SELDOM = 5;

export class House {
  #looks = 0;

  constructor({ api, session, onRefused, onSignOut }) {
    this.api = api;
    this.session = session;
    const decide = { api, session, onRefused, onDone: () => this.look(true).catch(onRefused) };
    this.health = new Health();
    this.queues = new Queues();
    this.feed = new Feed();
    this.breaker = new Breaker(decide);
    this.exposure = new Exposure();
    this.buckets = new Buckets(decide);
    this.withdrawals = new Withdrawals(decide);
    this.element = make("div", { class: "panels" },
      this.health.element, make("div", { class: "stack" }, this.breaker.element, this.queues.element),
      ...[this.exposure, this.withdrawals, this.buckets, this.feed].map((panel) => panel.element));
    this.badge = make("span", { class: "badge", role: "status" }, texts.top.looking);
    this.facts = make("span", { class: "quiet" });
    this.ends = make("span", { class: "quiet" });
    this.top = make("div", { class: "top" }, make("h1", {}, texts.title), this.badge, this.facts,
      make("span", { class: "who" }, make("span", { class: "address", title: session.wallet_address },
        short(session.wallet_address)), this.ends,
      make("button", { type: "button", onclick: onSignOut }, texts.top.signOut)));
  }

  /** Ask for everything that is due, and show it. */
  async look(all = false) {
    const seldom = all || this.#looks % SELDOM === 0;
    const [overview, exposure, buckets, withdrawals] = await Promise.all([
      this.api.get("/api/operate/overview"),
      this.api.get("/api/operate/exposure"),
      seldom ? this.api.get("/api/operate/buckets") : null,
      seldom ? this.api.get("/api/operate/withdrawals") : null,
    ]);
    this.#looks += 1;
    this.#showTop(overview);
    for (const panel of [this.health, this.queues, this.feed, this.breaker]) panel.show(overview);
    this.exposure.show(exposure);
    if (buckets) this.buckets.show(buckets);
    if (withdrawals) this.withdrawals.show(withdrawals);
  }

  #showTop({ ok, checks, mode, version, server_time_ms: nowMs }) {
    const ill = Object.keys(checks).filter((name) => !checks[name].ok).map((name) => texts.health.parts[name] ?? name);
    write(this.badge, ok ? texts.top.well : texts.top.ill(ill));
    this.badge.classList.toggle("good", ok);
    this.badge.classList.toggle("bad", !ok);
    write(this.facts, texts.top.facts(mode, version, utc(nowMs)));
    write(this.ends, texts.top.ends(duration(this.session.expires_ms - nowMs)));
    document.title = ok ? texts.pageTitle : texts.pageTitleIll;
  }
}

/** A wallet's first and last digits; the whole of it is in the title. */
export const short = (address) => `${address.slice(0, 6)}…${address.slice(-4)}`;
