// The sign-in message of a wallet (EIP-4361), with the browser's key among its resources.

import { texts } from "../texts.js";

export const SESSION_KEY_URN = "urn:taptrade:session-key:";

export function siweMessage({ domain, origin, address, chainId, nonce, nowMs, keyText }) {
  return [
    `${domain} wants you to sign in with your Ethereum account:`,
    address,
    "",
    texts.wallet.statement,
    "",
    `URI: ${origin}`,
    "Version: 1",
    `Chain ID: ${chainId}`,
    `Nonce: ${nonce}`,
    `Issued At: ${new Date(nowMs).toISOString()}`,
    "Resources:",
    `- ${SESSION_KEY_URN}${keyText}`,
  ].join("\n");
}

/** Text as wallets take it for personal_sign: hex of its UTF-8 bytes. */
export function hexOfText(text) {
  return `0x${Array.from(new TextEncoder().encode(text), (byte) => byte.toString(16).padStart(2, "0")).join("")}`;
}
