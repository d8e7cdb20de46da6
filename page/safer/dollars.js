// Sums of dollars as people write them.

const FORM = /^\$?\s*(\d+|\d{1,3}(?:,\d{3})+)(?:\.(\d{1,2}))?$/;
const COMMA = /^\$?\s*\d+,\d{1,2}$/;
const CENTS_MAX = 10 ** 12;

/** Read a sum: {cents}, null for an empty field, or {problem: "form" | "comma" | "most"}. */
export function readDollars(text) {
  const written = text.trim();
  if (!written) return { cents: null };
  if (COMMA.test(written)) return { problem: "comma" };
  const [, whole, hundredths = ""] = FORM.exec(written) ?? [];
  if (whole === undefined) return { problem: "form" };
  const cents = Number(whole.replaceAll(",", "")) * 100 + Number(hundredths.padEnd(2, "0"));
  return cents > CENTS_MAX ? { problem: "most" } : { cents };
}

/** A sum as it stands in a field: 25 or 25.50; empty for none. */
export function writeDollars(cents) {
  if (cents === null || cents === undefined) return "";
  return cents % 100 === 0 ? String(cents / 100) : (cents / 100).toFixed(2);
}
