// Every text of the proof of a bet; functions take what is named in them.

import { band, money, time } from "../format.js";

const HEADLINES = {
  pending: "On its way", confirmed: "Open", won: "Won", lost: "Lost", void: "Void", refused: "Refused",
};

export const texts = {
  home: "Tap Trading",
  title: (headline) => `${headline} – Tap Trading`,
  loading: "Loading the bet",
  id: (id) => `Bet ${id}`,
  headline: (bet) => {
    const word = HEADLINES[bet.status] ?? bet.status;
    if (bet.status === "won") return `${word} ${money(bet.payout_amount)}`;
    if (bet.status === "void") return `${word}, ${money(bet.amount)} returned`;
    return word;
  },
  signedOut: {
    headline: "Whose bet is this?",
    body: "A bet is shown to its owner. Sign in, then open this page again.",
  },
  toGame: "Go to the game and sign in",
  missing: {
    headline: "No such bet",
    body: "You have no bet of this name. If it is another account's, sign in with that.",
  },
  neverPlaced: {
    headline: "No such bet",
    body: "There is no bet of this name. If you tapped it a moment ago, it was never placed and no money was taken.",
  },
  back: "Go to the game",
  broken: (detail) => ({ headline: "The bet cannot be shown", body: detail }),
  away: "No connection; trying again.",
  figures: {
    stake: "Stake",
    rate: "Rate",
    floor: "Least rate signed",
    payout: { won: "Paid", open: "Pays if it wins", none: "Paid" },
    placed: "Placed",
    window: "Window",
    band: "Band",
    settled: "Decided",
  },
  bandOf: (bet) => band(bet.low_cents, bet.high_cents),
  windowOf: (startMs, endMs) => `${time(startMs)} to ${time(endMs)}`,
  chart: {
    title: "The price in the window",
    label: "Chart of the price over the band. The sentence below says the same.",
    window: "window",
    band: "band",
    lowest: (cents) => `lowest ${money(cents)}`,
    highest: (cents) => `highest ${money(cents)}`,
    waiting: (startMs) => `The window opens at ${time(startMs)}.`,
    running: "The window is running; what it touches counts once it is settled.",
    gone: "The ticks of this window are older than seven days and no longer kept; the evidence made of them is below.",
    path: (seen, bet) =>
      `In the window the price was at ${money(seen.low)} at the lowest and ${money(seen.high)} at the highest. `
      + `The bet's band is ${band(bet.low_cents, bet.high_cents)}: ${
        seen.low <= bet.high_cents && seen.high >= bet.low_cents ? "touched." : "not touched."}`,
  },
  findings: {
    title: "What the house has checked again",
    lead: "Computed anew from what is stored, each time this page is opened.",
    names: {
      signed: "Who signed it",
      rate: "The rate",
      window: "The price in the window",
      decision: "The result",
      money: "The money",
      chain: "The hash chain",
    },
    ok: { true: "Holds", false: "Wrong", null: "Open", none: "Not needed" },
    details: "All of it",
    yes: "yes",
    no: "no",
    none: "–",
    signers: {
      wallet: "the wallet",
      session_key: "a session key of the wallet",
      guest: "the guest's own key",
      nobody: "nobody",
    },
    rows: {
      signer: "Signed by",
      key: "Key",
      wallet: "Account",
      text: "Signed text",
      signature: "Signature",
      login: "Login that allowed the key, signed by the wallet",
      guestLogin: "The key's sign-in",
      loginSignature: "Signature of the login",
      adoption: "Message by which the wallet took the account over",
      adoptionSignature: "Signature of it",
      rate: "Rate of the bet",
      recomputed: "Rate recomputed",
      model: "Model",
      tick: "Tick",
      price: "Price",
      volatility: "Volatility, cents",
      tickStored: "Tick among the recorded ones",
      extremes: "Lowest to highest",
      ticks: "Ticks",
      hash: "SHA-256 of the ticks",
      again: "The same from the recorded ticks",
      result: "Result",
      resultAgain: "Result recomputed",
      payout: "Paid",
      payoutAgain: "Payout recomputed",
    },
    entry: ({ ref_type: kind, amount, balance_before: before, balance_after: after }) =>
      `${kind}: ${money(amount)}, ${money(before)} to ${money(after)}`,
    position: (one) => `${one.what}: row ${one.place} of commit ${one.commit_number}`,
    commitHash: "Hash of the commit",
    previousHash: "Hash before it",
  },
  own: {
    title: "Check it yourself",
    lead: "The recorded ticks are public. This browser has fetched them and counted for itself:",
    insecure: "Only on https or this computer can a browser hash; use the commands.",
    unsettled: "Once the window is settled, this browser fetches its ticks and counts for itself.",
    refused: "A refused bet has no result, so there is nothing to count.",
    hash: (count) => `The SHA-256 of ${count} ticks is the one that the bet was settled by.`,
    extremes: (low, high) => `Between ${money(low)} at the lowest and ${money(high)} at the highest, as the evidence says.`,
    result: (status, payout) => `So the bet has ${status}${payout === null ? "" : `, and pays ${money(payout)}`}.`,
    resultVoid: "The window is not covered by prices, so the bet is void.",
    explain: "On the computer of the house, everything at once:",
    hashCommand: "On any computer with curl and jq, the hash of the ticks:",
    copy: "Copy",
    copied: "Copied",
    copyFailed: "Select it and copy",
  },
};
