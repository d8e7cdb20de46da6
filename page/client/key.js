// Keys of one's own for taps, where no wallet is at hand: P-256, made by WebCrypto, not to be read unless asked for so.

const CURVE = { name: "ECDSA", namedCurve: "P-256" };
/** The private parts of a JWK of the curve. */
const PARTS = /** @type {const} */ (["x", "y", "d"]);
const HASH = { name: "ECDSA", hash: "SHA-256" };
/** The order of P-256: of s and n - s only the lower counts. */
const ORDER = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n;

/** Whether this page may use WebCrypto at all: browsers allow it over https and on this computer only. */
export const canSign = () => Boolean(globalThis.crypto?.subtle);

const NOT_EXTRACTABLE = "this key was not made to be saved: make one by newKey({ extractable: true })";
const NO_KEY = "this is no key: give what `save` gave, or what IndexedDB gives back of a key";

export class BrowserKey {
  /** @param {CryptoKeyPair} pair @param {string} text */
  constructor(pair, text) {
    this.pair = pair;
    /** The public key as the server names it. */
    this.text = text;
  }

  /**
   * The whole key, private part and all, as an object for JSON: whoever has it has the account. Only of a key that was
   * made to be extractable; `keyOf` reads it.
   * @returns {Promise<import("./types.js").SavedKey>}
   */
  async save() {
    if (!this.pair.privateKey.extractable) throw new Error(NOT_EXTRACTABLE);
    const { x = "", y = "", d = "" } = await crypto.subtle.exportKey("jwk", this.pair.privateKey);
    return { x, y, d };
  }

  /** JSON would silently leave the private key out, and the account with it. @returns {never} */
  toJSON() {
    throw new TypeError("a key is not JSON: write what `await key.save()` gives, or put the key itself into IndexedDB");
  }

  /** Sign a text; s in the low half, which WebCrypto does not see to. @param {string} text */
  async sign(text) {
    const bytes = await crypto.subtle.sign(HASH, this.pair.privateKey, new TextEncoder().encode(text));
    return `0x${lowS(hex(new Uint8Array(bytes)))}`;
  }
}

/** Replace a high s by n - s; takes and gives 128 hex digits, r and s. @param {string} digits */
export function lowS(digits) {
  const s = BigInt(`0x${digits.slice(64)}`);
  const low = s > ORDER / 2n ? ORDER - s : s;
  return digits.slice(0, 64) + low.toString(16).padStart(64, "0");
}

/** Write a public key: the compressed point in hex, 02 for an even y. @param {Uint8Array} point */
export function publicText(point) {
  const sign = point[64] % 2 === 0 ? "02" : "03";
  return `p256:${sign}${hex(point.subarray(1, 33))}`;
}

/**
 * Make a key. An extractable one can be saved to a file; where IndexedDB is at hand, the other is safer.
 * @param {{extractable?: boolean}} [options]
 */
export async function newKey({ extractable = false } = {}) {
  needCrypto();
  return ofPair(await crypto.subtle.generateKey(CURVE, extractable, ["sign", "verify"]));
}

/**
 * The key that was kept: what `save` gave, or what IndexedDB gives back of a key, which has lost its methods.
 * @param {import("./types.js").SavedKey | import("./types.js").StoredKey} kept
 */
export async function keyOf(kept) {
  needCrypto();
  if (kept && "pair" in kept && kept.pair?.privateKey instanceof CryptoKey) return ofPair(/** @type {CryptoKeyPair} */ (kept.pair));
  const isSaved = kept && PARTS.every((part) => typeof (/** @type {any} */ (kept)[part]) === "string");
  if (!isSaved) throw new TypeError(NO_KEY);
  const { x, y, d } = /** @type {import("./types.js").SavedKey} */ (kept);
  const jwk = { kty: "EC", crv: CURVE.namedCurve, x, y };
  const [privateKey, publicKey] = await Promise.all([
    crypto.subtle.importKey("jwk", { ...jwk, d }, CURVE, true, ["sign"]),
    crypto.subtle.importKey("jwk", jwk, CURVE, true, ["verify"]),
  ]);
  return ofPair({ privateKey, publicKey });
}

/** @param {CryptoKeyPair} pair */
async function ofPair(pair) {
  const point = new Uint8Array(await crypto.subtle.exportKey("raw", pair.publicKey));
  return new BrowserKey(pair, publicText(point));
}

/** Say what is missing: a name that is not defined tells nobody which node to take. */
function needCrypto() {
  if (canSign()) return;
  throw new Error("there is no WebCrypto here: node 20 or later has it, and browsers over https or on this computer");
}

/** 32 hex digits that no one can guess or meet again. */
export const newNonce = () => hex(crypto.getRandomValues(new Uint8Array(16)));

/** @param {Uint8Array} bytes */
function hex(bytes) {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
