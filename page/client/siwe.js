// The sign-in message of a wallet (EIP-4361), with what it allows as its resource.

export const SESSION_KEY_URN = "urn:taptrade:session-key:";
export const GUEST_URN = "urn:taptrade:guest:";

/**
 * `statement` is what the wallet shows, `resource` what its signature allows.
 * @param {{domain: string, origin: string, address: string, chainId: number, nonce: string, nowMs: number,
 *   statement: string, resource: string}} message
 */
export function siweMessage({ domain, origin, address, chainId, nonce, nowMs, statement, resource }) {
  return [
    `${domain} wants you to sign in with your Ethereum account:`,
    address,
    "",
    statement,
    "",
    `URI: ${origin}`,
    "Version: 1",
    `Chain ID: ${chainId}`,
    `Nonce: ${nonce}`,
    `Issued At: ${new Date(nowMs).toISOString()}`,
    "Resources:",
    `- ${resource}`,
  ].join("\n");
}

/** Text as wallets take it for personal_sign: hex of its UTF-8 bytes. @param {string} text */
export function hexOfText(text) {
  return `0x${Array.from(new TextEncoder().encode(text), (byte) => byte.toString(16).padStart(2, "0")).join("")}`;
}
