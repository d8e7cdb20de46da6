// The browser's own keys: P-256, made by WebCrypto, never exported, kept in IndexedDB.

const CURVE = { name: "ECDSA", namedCurve: "P-256" };
const HASH = { name: "ECDSA", hash: "SHA-256" };
/** The order of P-256: of s and n - s only the lower counts. */
const ORDER = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n;
const STORE = "keys";

/** Whether this page may use WebCrypto at all: browsers allow it over https and on this computer only. */
export const canSign = () => Boolean(globalThis.crypto?.subtle);

export class BrowserKey {
  constructor(pair, text) {
    this.pair = pair;
    /** The public key as the server names it. */
    this.text = text;
  }

  /** Sign a text; s in the low half, which WebCrypto does not see to. */
  async sign(text) {
    const bytes = await crypto.subtle.sign(HASH, this.pair.privateKey, new TextEncoder().encode(text));
    return `0x${lowS(hex(new Uint8Array(bytes)))}`;
  }
}

/** Replace a high s by n - s; takes and gives 128 hex digits, r and s. */
export function lowS(digits) {
  const s = BigInt(`0x${digits.slice(64)}`);
  const low = s > ORDER / 2n ? ORDER - s : s;
  return digits.slice(0, 64) + low.toString(16).padStart(64, "0");
}

/** Write a public key: the compressed point in hex, 02 for an even y. */
export function publicText(point) {
  const sign = point[64] % 2 === 0 ? "02" : "03";
  return `p256:${sign}${hex(point.subarray(1, 33))}`;
}

export async function newKey() {
  const pair = await crypto.subtle.generateKey(CURVE, false, ["sign", "verify"]);
  const point = new Uint8Array(await crypto.subtle.exportKey("raw", pair.publicKey));
  return new BrowserKey(pair, publicText(point));
}

/** 32 hex digits that no one can guess or meet again. */
export const newNonce = () => hex(crypto.getRandomValues(new Uint8Array(16)));

function hex(bytes) {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** The keys of this browser by name ("guest", "wallet"); in memory only where there is no IndexedDB. */
export class KeyStore {
  /** Whether keys outlive the tab. */
  kept = true;
  #memory = new Map();
  #database = null;

  async get(name) {
    const found = await this.#ask("readonly", (store) => store.get(name));
    if (found?.pair && found.text) return { key: new BrowserKey(found.pair, found.text), away: found.away === true };
    return this.#memory.get(name) ?? null;
  }

  /** Keep a key; `away`: its player has signed out and is not to be signed in silently. */
  async put(name, key, away = false) {
    this.#memory.set(name, { key, away });
    await this.#ask("readwrite", (store) => store.put({ pair: key.pair, text: key.text, away }, name));
  }

  /** Keep a key under another name. */
  async move(from, to) {
    const found = await this.get(from);
    if (!found) return;
    await this.put(to, found.key);
    this.#memory.delete(from);
    await this.#ask("readwrite", (store) => store.delete(from));
  }

  async #ask(mode, request) {
    try {
      this.#database ??= await open();
      return await done(request(this.#database.transaction(STORE, mode).objectStore(STORE)));
    } catch {
      this.kept = false;
      return null;
    }
  }
}

function open() {
  const opening = indexedDB.open("taptrade", 1);
  opening.onupgradeneeded = () => opening.result.createObjectStore(STORE);
  return done(opening);
}

function done(request) {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
    request.onblocked = () => reject(new Error("blocked"));
  });
}
