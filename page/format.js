// Money, rates and times as people read them.

const dollars = new Intl.NumberFormat("en-US", { style: "currency", currency: "USD" });
const clock = new Intl.DateTimeFormat(undefined, {
  hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23",
});

export const money = (cents) => dollars.format(cents / 100);

/** A stake as short as can be: $5, not $5.00. */
export const shortMoney = (cents) => (cents % 100 === 0 ? money(cents).replace(".00", "") : money(cents));

/** A rate as in the cell: two decimals below ten, one below a hundred, rounded down so that it never promises more. */
export function rate(bp) {
  if (bp >= 1_000_000) return `${Math.floor(bp / 10_000)}x`;
  if (bp >= 100_000) return `${(Math.floor(bp / 1_000) / 10).toFixed(1)}x`;
  return `${(Math.floor(bp / 100) / 100).toFixed(2)}x`;
}

/** What a stake pays at a rate, rounded down to the cent as the house does. */
export const payoutCents = (stakeCents, rateBp) => Math.floor((stakeCents * rateBp) / 10_000);

export const time = (ms) => clock.format(ms);
export const utc = (ms) => `${new Date(ms).toISOString().replace("T", " ").slice(0, 19)} UTC`;
export const seconds = (ms) => `${(Math.max(0, ms) / 1000).toFixed(1)} s`;
const whole = new Intl.NumberFormat("en-US", { maximumFractionDigits: 2 });

/** A band as short as can be: 121,270–121,275. */
export const shortBand = (lowCents, highCents) => `${whole.format(lowCents / 100)}–${whole.format(highCents / 100)}`;

export const band = (lowCents, highCents) => `${money(lowCents)} to ${money(highCents)}`;

export function duration(ms) {
  const total = Math.max(0, Math.round(ms / 1000));
  if (total < 60) return `${total} s`;
  if (total < 3600) return `${Math.floor(total / 60)} min ${total % 60} s`;
  return `${Math.floor(total / 3600)} h ${Math.floor((total % 3600) / 60)} min`;
}
