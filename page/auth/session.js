// Who plays: signs guests and wallets in and out, and holds the key that signs their taps.

import { ApiError, insist } from "../net/api.js";
import { KeyStore, canSign, newKey, newNonce } from "./key.js";
import { signedGuest } from "./sign.js";
import { siweMessage } from "./siwe.js";
import * as wallets from "./wallets.js";

const KEYS = ["guest", "wallet"];

export class Session {
  /** The key that signs taps; null while nobody can bet. */
  key = null;
  #keys = new KeyStore();
  #unwatch = () => {};

  constructor({ state, api, clock, onChange, onWalletChange }) {
    Object.assign(this, { state, api, clock, onChange, onWalletChange });
  }

  /** Whether the key outlives the tab. */
  get kept() {
    return this.#keys.kept;
  }

  /** Take up the session of the cookie, if there can be one, or sign a returning guest in silently. */
  async resume(mayHaveCookie = true) {
    const me = mayHaveCookie ? await this.#me() : null;
    if (me && (await this.#takeKey(me))) return this.#enter(me.user);
    const guest = canSign() && this.state.rules.guests ? await this.#keys.get("guest") : null;
    if (guest && !guest.away && !me) return this.#signInGuest(guest.key);
    if (me) return this.#enter(me.user);
    return this.#enter(null);
  }

  /** Play without a wallet: with this browser's key, made now if there is none. */
  async playAsGuest() {
    const found = await this.#keys.get("guest");
    const key = found?.key ?? (await newKey());
    await this.#signInGuest(key);
    await this.#keys.put("guest", key);
  }

  /** Sign in with a wallet, which lets a new key of this browser sign taps. */
  async connect(wallet) {
    const address = await wallets.account(wallet.provider);
    const chainId = await wallets.chain(wallet.provider, this.state.rules.chain_ids);
    const key = await newKey();
    const message = siweMessage({
      domain: location.host, origin: location.origin, address, chainId, nonce: newNonce(),
      nowMs: this.clock.nowMs(), keyText: key.text,
    });
    const signature = await wallets.personalSign(wallet.provider, message, address);
    const { user } = await this.api.post("/api/auth/login", { message, signature });
    await this.#keys.put("wallet", key);
    this.key = key;
    this.#unwatch();
    this.#unwatch = wallets.watchAccount(wallet.provider, address, () => this.#walletChanged());
    this.#enter(user);
  }

  /** End the session, here and on the server. */
  async signOut() {
    this.#unwatch();
    const guest = await this.#keys.get("guest");
    if (guest) await this.#keys.put("guest", guest.key, true);
    try {
      await this.api.post("/api/auth/logout");
    } catch (error) {
      // An ended session cannot be ended again; anything else must be said.
      if (!(error instanceof ApiError && error.status === 401)) throw error;
    }
    this.end();
  }

  /** Forget the session: it has ended on the server. */
  end() {
    this.key = null;
    this.#enter(null);
  }

  async #walletChanged() {
    try {
      await this.signOut();
    } finally {
      this.onWalletChange();
    }
  }

  async #me() {
    try {
      return await insist(() => this.api.get("/api/me"));
    } catch (error) {
      if (error instanceof ApiError && error.status === 401) return null;
      throw error;
    }
  }

  /** Find the key that this session lets sign; false if it is not in this browser. */
  async #takeKey(me) {
    for (const name of KEYS) {
      const found = await this.#keys.get(name);
      const named = me.session?.session_key;
      if (found && (named === found.key.text || (name === "guest" && me.user.kind === "guest" && !named))) {
        this.key = found.key;
        return true;
      }
    }
    return false;
  }

  async #signInGuest(key) {
    const body = await signedGuest(key, location.host, this.clock.nowMs());
    const { user } = await insist(() => this.api.post("/api/auth/guest", body));
    this.key = key;
    this.#enter(user);
  }

  #enter(user) {
    this.state.set({ user, balanceCents: user?.balance ?? null, sessionKnown: true });
    this.onChange(user);
  }
}
