// A player's account over a line that breaks: each call is answered, refused for good, or given up on after a minute.

import { Api, ApiError, insist, noAnswerFor, passes, sleep } from "./api.js";
import { ServerClock } from "./clock.js";
import { Delivery, renewing } from "./delivery.js";
import { GestureDelivery } from "./gestures.js";
import { keyOf, newKey, newNonce } from "./key.js";
import { Mailbox } from "./mailbox.js";
import { StreamReader } from "./reader.js";
import { signedBet, signedGesture, signedGuest, withdrawText } from "./sign.js";
import { SESSION_KEY_URN, siweMessage } from "./siwe.js";

/** @typedef {import("./types.js").Fate} Fate */

const OUTAGE_MS = 60_000;
const DECIDED_MS = 12_000;
const ROWS = 500;
const OPTIONS = ["wallet", "key", "domain", "onWait"];
/** So many go under one signature. */
const TAPS_MAX = 20;
const STATEMENT = "Sign in to Tap Trading. The session key below may place bets for me, and nothing else.";

export class Account {
  /** @type {Set<string>} */
  #known = new Set();
  /** @type {Promise<void> | null} */
  #renewal = null;
  /** @type {import("./types.js").RulesView | null} */
  #rules = null;
  /** @type {import("./types.js").AccountView | null} */
  #user = null;

  /**
   * Use `Account.open`.
   * @param {string} url @param {import("./key.js").BrowserKey} key
   * @param {{wallet?: import("./types.js").WalletSigner | null, domain?: string, onWait?: (error: Error) => void}} options
   */
  constructor(url, key, { wallet = null, domain, onWait = () => {} }) {
    this.key = key;
    this.wallet = wallet;
    this.onWait = onWait;
    this.api = new Api({ url });
    this.domain = domain ?? new URL(url).host;
    this.clock = new ServerClock(this.api);
    this.renew = () => this.#renew();
    const patience = { renew: this.renew, onWait, outageMs: OUTAGE_MS };
    this.delivery = new Delivery(this.api, patience);
    this.gestures = new GestureDelivery(this.api, patience);
  }

  /**
   * Sign in at the house at `url`: with `wallet`, which lets a new key sign taps, or without one as a guest, whose `key`
   * is the account (keep it to come back; what IndexedDB or `save` made of it will do). `domain` is what logins are
   * signed for, by default the address's host; `onWait` hears why a call takes longer.
   * @param {string} url
   * @param {{wallet?: import("./types.js").WalletSigner | null, domain?: string,
   *   key?: import("./key.js").BrowserKey | import("./types.js").KeptKey, onWait?: (error: Error) => void}} [options]
   */
  static async open(url, { key, ...options } = {}) {
    for (const name in options) {
      if (!OPTIONS.includes(name)) throw new TypeError(`there is no option "${name}"; there are: ${OPTIONS.join(", ")}`);
    }
    if (!url) throw new TypeError("give the address of a house, such as https://house.example");
    // What IndexedDB gives back has lost its methods, and JSON never had any.
    const own = key && "sign" in key ? key : await (key ? keyOf(key) : newKey());
    const account = new Account(url, own, options);
    await account.signIn();
    return account;
  }

  /** What the house plays by, as it was at the last sign-in. */
  get rules() {
    if (!this.#rules) throw new Error("sign in first: then the house says what it plays by");
    return this.#rules;
  }

  /** The account, as it was at the last sign-in. */
  get user() {
    if (!this.#user) throw new Error("sign in first");
    return this.#user;
  }

  /** The server's time in Unix milliseconds: what is signed goes by it. */
  serverMs() {
    return this.clock.nowMs();
  }

  /** Sign in; calls do it by themselves when the session has ended. Each attempt is signed anew: a nonce counts once. */
  async signIn() {
    this.#rules = await this.#insist(() => this.api.get("/api/rules"));
    await this.clock.measure();
    const giveUpMs = performance.now() + OUTAGE_MS;
    for (;;) {
      try {
        const answer = await this.#logIn();
        this.api.token = answer.token;
        this.#user = answer.user;
        return answer;
      } catch (error) {
        const expired = error instanceof ApiError && error.code === "SIGNATURE_EXPIRED";
        if (!(expired || passes(error))) throw error;
        if (performance.now() > giveUpMs) throw expired ? error : noAnswerFor(OUTAGE_MS, error);
        this.onWait(/** @type {Error} */ (error));
        await sleep((error instanceof ApiError && error.retryAfterMs) || 1_000);
        if (expired) await this.clock.measure();
      }
    }
  }

  /**
   * Ask until there is an answer, in a session. Only for what may be asked twice.
   * @template T @param {() => Promise<T>} ask @returns {Promise<T>}
   */
  ask(ask) {
    return this.#insist(() => renewing(ask, this.renew));
  }

  /**
   * Bet, once, whatever becomes of the line: the committed bet, or `code` of why there is none; never pending. `rateBp`
   * is the rate that was seen: up to 3 % less is accepted, or what `minRateBp` says.
   * @param {{cellId: string, stakeCents: number, rateBp: number, minRateBp?: number}} wanted @returns {Promise<Fate>}
   */
  async place(wanted) {
    let fate = await this.#place(wanted);
    if (fate.code === "SIGNATURE_EXPIRED") {
      // Refused before its nonce was looked at: it cannot count any more, and is signed anew by the server's time.
      await this.clock.measure();
      fate = await this.#place(wanted);
    }
    return fate;
  }

  /**
   * Bet on many cells, twenty under one signature, each once or not at all: what became of each, in their order.
   * @param {import("./types.js").WantedTap[]} wanted @returns {Promise<Fate[]>}
   */
  async placeMany(wanted) {
    /** @type {Fate[]} */
    const fates = [];
    for (let start = 0; start < wanted.length; start += TAPS_MAX) {
      const some = wanted.slice(start, start + TAPS_MAX);
      let found = await this.#placeGesture(some);
      if (found[0].code === "SIGNATURE_EXPIRED") {
        await this.clock.measure();
        found = await this.#placeGesture(some);
      }
      fates.push(...found);
    }
    return fates;
  }

  /** One own bet, with its evidence once it is settled. @param {string} id @returns {Promise<import("./types.js").BetDetailView>} */
  bet(id) {
    return this.ask(() => this.api.get(`/api/bets/${id}`));
  }

  /** All own bets, newest first; refused ones too, which took no money. @returns {Promise<import("./types.js").BetView[]>} */
  allBets() {
    return this.#pages("/api/bets", "bets");
  }

  /** The whole own statement, newest first. @returns {Promise<import("./types.js").EntryView[]>} */
  statement() {
    return this.#pages("/api/ledger", "entries");
  }

  /** Top up play money, once for each key. @param {number} amount in cents @param {string} key @returns {Promise<import("./types.js").DepositedView>} */
  async deposit(amount, key) {
    needIdempotencyKey(key);
    return this.ask(() => this.api.post("/api/deposits", { amount }, { "Idempotency-Key": key }));
  }

  /**
   * Take money out to the own wallet, once for each key: the very same body is sent until it is answered.
   * REPLAYED_NONCE says that it is under way; thrown, that it has come to nothing.
   * @param {number} amount in cents @param {string} key @returns {Promise<import("./types.js").WithdrawnView>}
   */
  async withdraw(amount, key) {
    if (!this.wallet) throw new Error("a guest cannot withdraw: there is no wallet to pay to");
    needIdempotencyKey(key);
    const body = { amount, nonce: newNonce(), timestamp: Math.floor(this.serverMs() / 1000) };
    const signature = await this.wallet.sign(withdrawText(body, this.rules.chain_ids[0]));
    const decidedMs = performance.now() + DECIDED_MS;
    for (;;) {
      try {
        return await this.ask(() => this.api.post("/api/withdrawals", { ...body, signature }, { "Idempotency-Key": key }));
      } catch (error) {
        const underWay = error instanceof ApiError && error.code === "REPLAYED_NONCE";
        if (!underWay || performance.now() > decidedMs) throw error;
        await sleep(1_000);
      }
    }
  }

  /** The own limits, and what counts against them. @returns {Promise<import("./types.js").OwnLimitsView>} */
  limits() {
    return this.ask(() => this.api.get("/api/me/limits"));
  }

  /**
   * Set own limits, tighter ones at once and looser ones after a day; null lifts one, what is left out stays.
   * @param {import("./types.js").LimitsView} wanted @returns {Promise<import("./types.js").OwnLimitsView>}
   */
  setLimits(wanted) {
    return this.ask(() => this.api.put("/api/me/limits", wanted));
  }

  /**
   * The stream's events, over any number of connections and sessions, until the loop is left. What no repeat mends,
   * such as the name of an event that there is none of, is thrown as ApiError.
   * @param {string[]} [only] names of events @returns {AsyncGenerator<import("./types.js").StreamEvent>}
   */
  async *events(only = []) {
    if (!Array.isArray(only)) throw new TypeError(`events takes a list of names, such as ["price"], not ${only}`);
    const mailbox = new Mailbox();
    const path = only.length > 0 ? `/api/stream?events=${only.join()}` : "/api/stream";
    const renew = async () => {
      try {
        await this.renew();
      } catch (error) {
        if (!passes(error)) mailbox.fail(error);
      }
    };
    const reader = new StreamReader((event) => mailbox.put(event), () => {}, {
      api: this.api, path, renew, onRefused: (error) => mailbox.fail(error),
    });
    reader.start();
    try {
      for (;;) yield await mailbox.take();
    } finally {
      reader.stop();
    }
  }

  /** @param {{cellId: string, stakeCents: number, rateBp: number, minRateBp?: number}} wanted @returns {Promise<Fate>} */
  async #place(wanted) {
    const body = await signedBet(this.key, wanted, this.rules.chain_ids[0], this.serverMs());
    const fate = await this.delivery.send(body, { onUnknown: () => {}, isKnown: (id) => this.#known.has(id) });
    if (fate.bet) this.#known.add(fate.bet.id);
    return this.#decided(fate);
  }

  /** @param {import("./types.js").WantedTap[]} wanted @returns {Promise<Fate[]>} */
  async #placeGesture(wanted) {
    const fates = await this.gestures.send(
      await signedGesture(this.key, wanted, this.rules.chain_ids[0], this.serverMs()),
    );
    for (const { bet } of fates) if (bet) this.#known.add(bet.id);
    return Promise.all(fates.map((fate) => this.#decided(fate)));
  }

  /** Wait for a pending bet; one that is stored as refused took no money. @param {Fate} fate @returns {Promise<Fate>} */
  async #decided(fate) {
    const decided = fate.bet?.status === "pending" ? await this.delivery.follow(fate.bet.id) : fate;
    const { bet } = decided;
    if (!bet || !(bet.refusal_code || bet.status === "refused" || bet.status === "insufficient_funds")) return decided;
    const code = bet.refusal_code ?? "INSUFFICIENT_FUNDS";
    // The answer that told why was lost; the stored bet tells it as well.
    return { code, problem: { code, detail: bet.refusal_detail ?? decided.explanation ?? "" } };
  }

  /** @returns {Promise<import("./types.js").LoginView>} */
  async #logIn() {
    const nowMs = this.serverMs();
    if (!this.wallet) return this.api.post("/api/auth/guest", await signedGuest(this.key, this.domain, nowMs));
    const message = siweMessage({
      domain: this.domain, origin: `${new URL(this.api.url).protocol}//${this.domain}`, address: this.wallet.address,
      chainId: this.rules.chain_ids[0], nonce: newNonce(), nowMs, statement: STATEMENT,
      resource: SESSION_KEY_URN + this.key.text,
    });
    return this.api.post("/api/auth/login", { message, signature: await this.wallet.sign(message) });
  }

  /** Sign in anew, once for all calls that were refused side by side. */
  #renew() {
    this.#renewal ??= this.signIn().then(() => {}).finally(() => (this.#renewal = null));
    return this.#renewal;
  }

  /** @param {string} path @param {string} name @returns {Promise<any[]>} */
  async #pages(path, name) {
    const rows = [];
    for (let cursor = ""; cursor !== null;) {
      const page = await this.ask(() => this.api.get(`${path}?limit=${ROWS}&cursor=${encodeURIComponent(cursor)}`));
      rows.push(...page[name]);
      cursor = page.next_cursor;
    }
    return rows;
  }

  /** @template T @param {() => Promise<T>} ask @returns {Promise<T>} */
  #insist(ask) {
    return insist(ask, { onFailure: this.onWait, outageMs: OUTAGE_MS });
  }
}


/** Without a key each repeat would move money once more. @param {unknown} key */
function needIdempotencyKey(key) {
  if (typeof key !== "string" || !key) {
    throw new TypeError("give a key as well, which makes it count once: newNonce(), kept where a crash does not lose it");
  }
}
