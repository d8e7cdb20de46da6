// What anybody can count again from the public ticks: their hash, their extremes, the result.

const PAGE_ROWS = 500;
const KEPT_MS = 7 * 86_400_000;

/** Fetch the ticks of a stretch, all pages of it. */
export async function fetchTicks(api, fromMs, toMs) {
  const ticks = [];
  let cursor = null;
  do {
    const query = new URLSearchParams({ from: fromMs, to: toMs, resolution: "tick", limit: PAGE_ROWS });
    if (cursor !== null) query.set("cursor", cursor);
    const page = await api.get(`/api/prices?${query}`);
    ticks.push(...page.ticks);
    cursor = page.next_cursor;
  } while (cursor !== null);
  return ticks;
}

/** Whether ticks of that time are still kept. */
export const areKept = (ms) => Date.now() - ms < KEPT_MS;

/** The ticks that the evidence is made of: from the one carried in to the last of the window. */
export const pathOf = (evidence, ticks) =>
  ticks.filter(({ id }) => id >= evidence.first_tick_id && id <= evidence.last_tick_id);

/** Count again; each finding is true or false, the hash null where the browser cannot. */
export async function recount(bet, evidence, ticks) {
  const path = pathOf(evidence, ticks);
  const { low, high } = extremes(path, evidence.start_s * 1000);
  const status = resultOf(bet, evidence.covered, low, high);
  const payout = status === "won" ? Math.floor((bet.amount * bet.reward_rate) / 10_000) : null;
  const sha256 = await hash(path);
  return {
    count: path.length, low, high, status, payout,
    hashHolds: sha256 === null ? null : sha256 === evidence.ticks_sha256,
    extremesHold: low === evidence.low && high === evidence.high,
    resultHolds: status === bet.status && payout === (status === "won" ? bet.payout_amount : null),
  };
}

/** The lowest and the highest price of a path; of the tick that was carried in only its close counts. */
export function extremes(path, startMs) {
  const reached = path.flatMap((tick) => (tick.id < startMs ? [tick.close] : [tick.low, tick.high]));
  if (reached.length === 0) return { low: null, high: null };
  return {
    low: reached.reduce((least, cents) => Math.min(least, cents)),
    high: reached.reduce((most, cents) => Math.max(most, cents)),
  };
}

function resultOf(bet, covered, low, high) {
  if (!covered || low === null) return "void";
  return bet.low_cents <= high && bet.high_cents >= low ? "won" : "lost";
}

async function hash(path) {
  if (!globalThis.crypto?.subtle) return null;
  const text = path.map(({ id, close, low, high }) => `${id},${close},${low},${high}\n`).join("");
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text));
  return Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, "0")).join("");
}
