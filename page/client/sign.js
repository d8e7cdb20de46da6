// The texts that are signed, letter by letter as the server writes them.

import { newNonce } from "./key.js";

const TOLERANCE_PERCENT = 3;
const EVEN_MONEY_BP = 10_000;

/** The least rate to accept: what was shown less 3 %, never below even money. @param {number} rateBp */
export const floorBp = (rateBp) => Math.max(EVEN_MONEY_BP, Math.floor((rateBp * (100 - TOLERANCE_PERCENT)) / 100));

/** @param {Omit<import("./types.js").SignedBet, "signature">} bet @param {number} chainId */
export function betText({ cell_id, amount, min_rate_bp, nonce, timestamp }, chainId) {
  return [
    "Tap Trading Bet", "Action: place_bet", `Cell: ${cell_id}`, `Amount: ${amount}`, `MinRate: ${min_rate_bp}`,
    `Nonce: ${nonce}`, `Timestamp: ${timestamp}`, `Chain: ${chainId}`, "Version: 1",
  ].join("\n");
}

/** @param {Omit<import("./types.js").SignedGesture, "signature">} gesture @param {number} chainId */
export function gestureText({ taps, nonce, timestamp }, chainId) {
  return [
    "Tap Trading Bet", "Action: place_bets",
    ...taps.map(({ cell_id, amount, min_rate_bp }) => `Tap: ${cell_id} ${amount} ${min_rate_bp}`),
    `Nonce: ${nonce}`, `Timestamp: ${timestamp}`, `Chain: ${chainId}`, "Version: 1",
  ].join("\n");
}

/** @param {{amount: number, nonce: string, timestamp: number}} withdrawal @param {number} chainId */
export function withdrawText({ amount, nonce, timestamp }, chainId) {
  return [
    "Tap Trading Bet", "Action: withdraw", `Amount: ${amount}`, `Nonce: ${nonce}`, `Timestamp: ${timestamp}`,
    `Chain: ${chainId}`, "Version: 1",
  ].join("\n");
}

/**
 * The body of POST /api/bets.
 * @param {import("./types.js").Signer | null} key
 * @param {{cellId: string, stakeCents: number, rateBp: number, minRateBp?: number}} wanted
 *   `rateBp` is the rate that was seen, `minRateBp` the least to accept
 * @param {number} chainId @param {number} nowMs the server's time
 * @returns {Promise<import("./types.js").SignedBet>}
 */
export async function signedBet(key, { cellId, stakeCents, rateBp, minRateBp = floorBp(rateBp) }, chainId, nowMs) {
  const bet = {
    cell_id: cellId,
    amount: stakeCents,
    min_rate_bp: minRateBp,
    nonce: newNonce(),
    timestamp: Math.floor(nowMs / 1000),
  };
  return { ...bet, signature: key ? await key.sign(betText(bet, chainId)) : "" };
}

/**
 * The other body of POST /api/bets: up to twenty taps under one signature.
 * @param {import("./types.js").Signer | null} key @param {import("./types.js").WantedTap[]} wanted
 * @param {number} chainId @param {number} nowMs the server's time
 * @returns {Promise<import("./types.js").SignedGesture>}
 */
export async function signedGesture(key, wanted, chainId, nowMs) {
  const taps = wanted.map(({ cellId, stakeCents, rateBp, minRateBp = floorBp(rateBp) }) => (
    { cell_id: cellId, amount: stakeCents, min_rate_bp: minRateBp }));
  const gesture = { taps, nonce: newNonce(), timestamp: Math.floor(nowMs / 1000) };
  return { ...gesture, signature: key ? await key.sign(gestureText(gesture, chainId)) : "" };
}

/** @param {{public_key: string, domain: string, nonce: string, timestamp: number}} guest */
export function guestText({ public_key, domain, nonce, timestamp }) {
  return [
    "Tap Trading Guest", "Action: sign_in", `Domain: ${domain}`, `Key: ${public_key}`, `Nonce: ${nonce}`,
    `Timestamp: ${timestamp}`, "Version: 1",
  ].join("\n");
}

/**
 * The body of POST /api/auth/guest.
 * @param {import("./types.js").Signer & {text: string}} key @param {string} domain @param {number} nowMs
 */
export async function signedGuest(key, domain, nowMs) {
  const guest = { public_key: key.text, domain, nonce: newNonce(), timestamp: Math.floor(nowMs / 1000) };
  return { ...guest, signature: await key.sign(guestText(guest)) };
}
