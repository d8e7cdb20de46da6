// Who calls: nobody, a guest by a key that is kept nowhere, or the owner of a token.

import { canSign, newKey, newNonce } from "../client/key.js";
import { betText, signedGuest } from "../client/sign.js";
import { call, json } from "./calls.js";
import { texts } from "./texts.js";

const EVEN_MONEY_BP = 10_000;
const JSON_TYPE = { "Content-Type": "application/json" };

export class Visitor extends EventTarget {
  /** The key that signs; null without one. */
  key = null;
  token = "";
  /** Whether the token was given by hand: then it is shown nowhere again. */
  isGiven = false;
  user = null;
  #seen = new Map();

  constructor(rules) {
    super();
    this.rules = rules;
  }

  /** Whether a throw-away key may sign in here, and the browser can make one. */
  get canBeGuest() {
    return this.rules.guests && canSign();
  }

  get headers() {
    return this.token ? { Authorization: `Bearer ${this.token}` } : {};
  }

  /** Make a key, and an account of play money with it. */
  async signIn() {
    const key = await newKey();
    const body = JSON.stringify(await signedGuest(key, location.host, await this.#nowMs()));
    const { token, user } = await ask({ method: "POST", path: "/api/auth/guest", headers: JSON_TYPE, body });
    this.#become({ key, token, user, isGiven: false });
  }

  /** Call with a token from elsewhere. */
  async use(token) {
    const { user } = await ask({ method: "GET", path: "/api/me", headers: { Authorization: `Bearer ${token}` } });
    this.#become({ key: null, token, user, isGiven: true });
  }

  /** Stop calling as anybody. The guest's session is ended; that of a token that was given goes on. */
  async signOut() {
    const { headers, isGiven } = this;
    this.#become({ key: null, token: "", user: null, isGiven: false });
    if (!isGiven) await call({ method: "POST", path: "/api/auth/logout", headers });
  }

  /** A tap on a cell that is offered now, not signed yet; null where none is. */
  async tap() {
    const grid = await ask({ method: "GET", path: "/api/grid" });
    const [cell] = offered(grid);
    if (!cell) return null;
    return { ...cell, amount: grid.presets_cents[0], nonce: "", timestamp: 0, signature: "" };
  }

  /** The same tap, signed now. */
  async signTap(tap) {
    const fresh = { ...tap, nonce: newNonce(), timestamp: Math.floor(await this.#nowMs() / 1000) };
    return { ...fresh, signature: await this.key.sign(betText(fresh, this.rules.chain_ids[0])) };
  }

  /** The sign-in of a guest, signed now. */
  async signGuest() {
    return signedGuest(this.key ?? await newKey(), location.host, await this.#nowMs());
  }

  /** Keep the ids that answers name, so that other calls can be about them. */
  remember(data) {
    for (const name of ["bet", "withdrawal"]) {
      const id = data?.[name]?.id;
      if (id) this.#seen.set(`${name}_id`, id);
    }
    if (data?.evidence?.start_s) this.#seen.set("start", String(data.evidence.start_s));
  }

  /** The last value that was met of a route's field. */
  recall(name) {
    return this.#seen.get(name);
  }

  /** The server's clock: what is signed counts for half a minute by it, whatever the own one says. */
  async #nowMs() {
    return (await ask({ method: "GET", path: "/api/time" })).server_time_ms;
  }

  #become(other) {
    Object.assign(this, other);
    this.dispatchEvent(new Event("change"));
  }
}

/** A floor below any rate that comes while somebody reads the form: half of what is shown, never below even money. */
const generous = (rateBp) => Math.max(EVEN_MONEY_BP, Math.floor(rateBp / 2));

/** The cells that a grid offers, those first that stay open longest and lie nearest to the price. */
function offered(grid) {
  const middle = grid.price?.cents ?? 0;
  const far = ({ low_cents: low, high_cents: high }) => Math.abs((low + high) / 2 - middle);
  const order = [...grid.rows.keys()].sort((one, other) => far(grid.rows[one]) - far(grid.rows[other]));
  const cells = grid.columns.flatMap((column, at) =>
    order.map((row) => ({ column, row: grid.rows[row], rate: grid.rates_bp[at][row] })));
  return cells.filter(({ rate }) => rate !== null)
    .sort((one, other) => other.column.start_s - one.column.start_s)
    .map(({ column, row, rate }) => ({
      cell_id: `${column.start_s}_${row.low_cents}_${row.high_cents}`, min_rate_bp: generous(rate),
    }));
}

async function ask(request) {
  const answer = await call(request);
  const data = json(answer);
  if (answer.status >= 400) throw new Error(data?.detail ?? texts.answered(request.path, answer.status));
  return data;
}
