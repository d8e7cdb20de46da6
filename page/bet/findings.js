// The findings of a proof: for each question whether it holds, in a sentence, and everything that it was found by.

import { make } from "../dom.js";
import { money } from "../format.js";
import { texts } from "./texts.js";

const { rows, ok: words, none } = texts.findings;
const SIGNS = { true: "✓", false: "✗", null: "…", none: "–" };

/** One line: whether it holds (`none`: whether it does is no question), what was found, and its details if there are any. */
export function finding(ok, name, sentence, details = []) {
  const badge = make("span", { class: "badge", "data-ok": String(ok) },
    make("span", { "aria-hidden": "true" }, `${SIGNS[String(ok)]} `), words[String(ok)]);
  const head = make("div", { class: "head" }, name === null ? null : make("h3", {}, name), badge);
  const shown = details.filter(([, value]) => value !== null && value !== undefined && value !== "");
  return make("li", { "data-ok": String(ok) }, head, make("p", {}, sentence),
    shown.length > 0 ? fold(name, shown) : null);
}

/** The details, folded; texts that somebody signed keep their lines. */
function fold(name, details) {
  const list = details.flatMap(([term, value, isText]) => [
    make("dt", {}, term), make("dd", {}, isText ? make("pre", { tabindex: "0" }, value) : String(value)),
  ]);
  return make("details", {}, make("summary", { "aria-label": `${texts.findings.details}: ${name}` },
    texts.findings.details), make("dl", {}, ...list));
}

const yes = (value) => (value === null ? none : value ? texts.findings.yes : texts.findings.no);
const dollars = (cents) => (cents === null ? none : money(cents));
const factor = (bp) => (bp === null ? none : `${(bp / 10_000).toFixed(4)}x`);

const DETAILS = {
  signed: ({ by, signer, wallet, text, signature, delegation, adoption }) => [
    [rows.signer, texts.findings.signers[by] ?? by],
    [rows.key, signer],
    [rows.wallet, wallet],
    [rows.text, text, true],
    [rows.signature, signature],
    [by === "guest" ? rows.guestLogin : rows.login, delegation?.message, true],
    [rows.loginSignature, delegation?.signature],
    [rows.adoption, adoption?.message, true],
    [rows.adoptionSignature, adoption?.signature],
  ],
  rate: (part) => [
    [rows.rate, factor(part.reward_rate_bp)],
    [rows.recomputed, factor(part.recomputed_rate_bp)],
    [rows.model, part.model_id === null ? none : `${part.model_id} ${part.model_version}`],
    [rows.tick, part.tick_id],
    [rows.price, dollars(part.price_cents)],
    [rows.volatility, part.volatility],
    [rows.tickStored, yes(part.tick_is_stored)],
  ],
  window: ({ evidence, from_ticks: again }) => (evidence === null ? [] : [
    [rows.extremes, evidence.low === null ? none : `${money(evidence.low)} – ${money(evidence.high)}`],
    [rows.ticks, evidence.tick_count],
    [rows.hash, evidence.ticks_sha256],
    [rows.again, again === null ? none : again.ticks_sha256],
  ]),
  decision: (part) => [
    [rows.result, part.status],
    [rows.resultAgain, part.recomputed_status],
    [rows.payout, dollars(part.payout_cents)],
    [rows.payoutAgain, dollars(part.recomputed_payout_cents)],
  ],
  money: ({ entries }) => entries.map((step) => [step.id, texts.findings.entry(step)]),
  chain: ({ positions }) => positions.flatMap((one) => [
    [texts.findings.position(one), one.committed_at],
    [texts.findings.commitHash, one.hash],
    [texts.findings.previousHash, one.previous_hash],
  ]),
};

/** Every finding of a proof, in the order of a bet's life; of a refused bet nothing is left open. */
export const findingsOf = (proof, isRefused) =>
  Object.entries(DETAILS).map(([part, details]) =>
    finding(isRefused ? proof[part].ok ?? "none" : proof[part].ok, texts.findings.names[part], proof[part].finding, details(proof[part])));
