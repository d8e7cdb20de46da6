// Keys of one's own for taps, where no wallet is at hand: P-256, made by WebCrypto, never exported.

const CURVE = { name: "ECDSA", namedCurve: "P-256" };
const HASH = { name: "ECDSA", hash: "SHA-256" };
/** The order of P-256: of s and n - s only the lower counts. */
const ORDER = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n;

/** Whether this page may use WebCrypto at all: browsers allow it over https and on this computer only. */
export const canSign = () => Boolean(globalThis.crypto?.subtle);

export class BrowserKey {
  /** @param {CryptoKeyPair} pair @param {string} text */
  constructor(pair, text) {
    this.pair = pair;
    /** The public key as the server names it. */
    this.text = text;
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

export async function newKey() {
  const pair = await crypto.subtle.generateKey(CURVE, false, ["sign", "verify"]);
  const point = new Uint8Array(await crypto.subtle.exportKey("raw", pair.publicKey));
  return new BrowserKey(pair, publicText(point));
}

/** 32 hex digits that no one can guess or meet again. */
export const newNonce = () => hex(crypto.getRandomValues(new Uint8Array(16)));

/** @param {Uint8Array} bytes */
function hex(bytes) {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
