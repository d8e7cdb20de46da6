// Who plays: signs guests and wallets in and out, and holds the key that signs their taps.

import { ApiError, LineError, insist } from "../client/api.js";
import { canSign, newKey, newNonce } from "../client/key.js";
import { signedGuest } from "../client/sign.js";
import { GUEST_URN, SESSION_KEY_URN, siweMessage } from "../client/siwe.js";
import { texts } from "../texts.js";
import { KeyStore } from "./keys.js";
import * as wallets from "./wallets.js";

const KEYS = ["guest", "wallet"];
/** Refusals after which this browser may know less than the server: a wallet has the account, or the session ended. */
const OUTDATED = new Set(["UNAUTHENTICATED", "FORBIDDEN", "GUEST_ADOPTED"]);

export class Session {
  /** The key that signs taps; null while nobody can bet. */
  key = null;
  /** Whether a wallet is just taking the account over: the sessions from before end with that. */
  moving = false;
  #keys = new KeyStore();
  #unwatch = () => {};

  /** `onMove` hears that a wallet has the guest's account now. */
  constructor({ state, api, clock, onChange, onMove, onWalletChange }) {
    Object.assign(this, { state, api, clock, onChange, onMove, onWalletChange });
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
    if (guest && !guest.away && !me) return this.#signInReturning(guest.key);
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
    const key = await newKey();
    const signed = await this.#signedBy(wallet, texts.wallet.statement, SESSION_KEY_URN + key.text);
    const { user } = await this.api.post("/api/auth/login", signed.body);
    await this.#keys.put("wallet", key);
    this.key = key;
    this.#watch(wallet, signed.address);
    this.#enter(user);
  }

  /** Give the guest's account to a wallet, which signs once; the guest's key goes on signing taps. */
  async move(wallet, onDoubt) {
    const { id } = this.state.user;
    const signed = await this.#signedBy(wallet, texts.move.statement, GUEST_URN + id);
    this.moving = true;
    try {
      const { user } = await this.api.post("/api/me/wallet", signed.body);
      await this.#keys.move("guest", "wallet");
      this.#enter(user);
    } catch (error) {
      if (!(error instanceof LineError) && !OUTDATED.has(error.code)) throw error;
      // It may have been done, and the answer lost: who plays now tells.
      onDoubt();
      await this.resume();
      if (this.state.user?.wallet_address.toLowerCase() !== signed.address.toLowerCase()) throw error;
    } finally {
      this.moving = false;
    }
    this.#watch(wallet, signed.address);
    this.onMove();
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
        if (name === "guest" && me.user.kind === "wallet") await this.#keys.move("guest", "wallet");
        return true;
      }
    }
    return false;
  }

  /** Have a wallet sign a message of one resource: its address, and the body that carries the message. */
  async #signedBy({ provider }, statement, resource) {
    const address = await wallets.account(provider);
    const chainId = await wallets.chain(provider, this.state.rules.chain_ids);
    const message = siweMessage({
      domain: location.host, origin: location.origin, address, chainId, nonce: newNonce(), nowMs: this.clock.nowMs(),
      statement, resource,
    });
    return { address, body: { message, signature: await wallets.personalSign(provider, message, address) } };
  }

  #watch({ provider }, address) {
    this.#unwatch();
    this.#unwatch = wallets.watchAccount(provider, address, () => this.#walletChanged());
  }

  async #signInGuest(key) {
    const body = await signedGuest(key, location.host, this.clock.nowMs());
    try {
      const { user } = await insist(() => this.api.post("/api/auth/guest", body));
      this.key = key;
      this.#enter(user);
    } catch (error) {
      // The next guest of this browser needs another key.
      if (error.code === "GUEST_ADOPTED") await this.#keys.move("guest", "wallet");
      throw error;
    }
  }

  /** Sign a guest in silently; a wallet may have taken the account over since. */
  async #signInReturning(key) {
    try {
      await this.#signInGuest(key);
    } catch (error) {
      if (error.code !== "GUEST_ADOPTED") throw error;
      this.end();
      this.state.set({ notice: texts.banner.moved });
    }
  }

  #enter(user) {
    this.state.set({ user, balanceCents: user?.balance ?? null, sessionKnown: true });
    this.onChange(user);
  }
}
