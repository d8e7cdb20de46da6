// What became of a tap, in one sentence.

import { dateTime, rate } from "../format.js";
import { texts } from "../texts.js";

/** The sentence of a tap in the state that is shown. */
export function sentenceOf(tap, shown, nowMs, widthMs) {
  const { sentences } = texts;
  switch (shown) {
    case "confirmed":
      if (nowMs >= tap.startS * 1000 + widthMs) return sentences.settling;
      return sentences.confirmed(tap.payoutCents);
    case "touched": return sentences.touched(tap.payoutCents);
    case "won": return wonSentence(tap);
    case "lost": return lostSentence(tap);
    case "refused": return refusalSentence(tap);
    default: return sentences[shown] ?? "";
  }
}

/** A tap in a few words: stake, rate and band. */
export function summaryOf(tap) {
  const rateBp = tap.rateBp ?? tap.shownBp;
  const rateText = rateBp ? rate(rateBp) : null;
  return texts.sentences.tap(tap.stakeCents, rateText, texts.units.band(tap.lowCents, tap.highCents));
}

function wonSentence({ evidence, payoutCents }) {
  if (!evidence || evidence.low === null) return texts.sentences.won(payoutCents);
  return texts.sentences.wonBy(payoutCents, evidence.low, evidence.high);
}

function lostSentence({ evidence, lowCents, highCents }) {
  if (!evidence || evidence.low === null) return texts.sentences.lost;
  const above = lowCents > evidence.high;
  const missCents = above ? lowCents - evidence.high : evidence.low - highCents;
  return texts.sentences.lostBy(evidence.low, evidence.high, missCents, above);
}

function refusalSentence({ refusal, shownBp }) {
  const sentence = texts.refusals[refusal.code] ?? texts.refusals.other;
  return sentence({
    shownBp,
    rateBp: refusal.rate_bp,
    detail: refusal.detail,
    limit: refusal.limit,
    untilText: refusal.until_ms ? dateTime(refusal.until_ms) : "",
    maxStakeCents: refusal.max_stake_cents,
  });
}
