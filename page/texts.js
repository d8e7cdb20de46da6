// Every text that a person reads, in one object, ready to be translated; functions take what is named in them.

import { band, duration, money, rate, seconds, shortBand, shortMoney } from "./format.js";

export const texts = {
  brand: "Tap Trading",
  loading: "Loading prices",
  noScript: "This game needs JavaScript.",
  skip: "Skip to the cells as a table",
  balance: "Balance",
  price: "BTC/USD",
  stake: "Stake",
  stakeOption: (cents) => shortMoney(cents),
  stakesAbove: (cents) => `Your limit for one bet is ${money(cents)}: the larger stakes are refused.`,
  open: "Open",
  couldPay: "Could pay",
  clock: "Server time",
  clockTitle: (offMs) => `Server time. Your own clock is off by ${seconds(Math.abs(offMs))}; bets go by the server's.`,
  delay: (ms) => (ms === null ? "" : `${Math.round(ms)} ms`),
  delayTitle: "Your delay: how long a request takes to the server and back",
  connection: { live: "Live", connecting: "Connecting", lost: "No connection, trying again" },
  menu: "Menu",
  close: "Close",
  sound: (on) => (on ? "Sound is on" : "Sound is off"),
  theme: { system: "Colours: as the system", dark: "Colours: dark", light: "Colours: light" },
  board: {
    label: "Price and grid. Use the table of cells below with a keyboard or screen reader.",
    now: "now",
    closed: "closed",
    showTable: "Cells as a table",
    hideTable: "Hide the table",
  },
  table: {
    caption: "Cells that can be tapped: a row is a price band, a column is a window of time",
    price: "Price",
    column: (start, end) => `${start} to ${end}`,
    cell: (window, rateBp, stakeCents, payoutCents, bandText) =>
      `${bandText}, ${window}: ${rate(rateBp)}, ${money(stakeCents)} pays ${money(payoutCents)}`,
    notOffered: (window, bandText) => `${bandText}, ${window}: not offered`,
    tapped: (label, sentence) => `${label}. Your bet: ${sentence}`,
    none: "–",
  },
  hint: {
    idle: (stakeCents) => `Tap a cell to bet ${shortMoney(stakeCents)}. It wins if the price touches it.`,
    signedOut: "Choose how to play, then tap a cell.",
    cell: (stakeCents, rateBp, payoutCents, bandText, window) =>
      `${money(stakeCents)} × ${rate(rateBp)} pays ${money(payoutCents)} if the price touches ${bandText}, ${window}`,
    notOffered: "This cell is not offered now.",
    closed: "This column takes no more bets.",
    stopped: "Bets are stopped just now; the line above the board says why.",
    lost: "No connection: a tap waits until there is one again.",
    paused: "You are taking a break: no bets are taken.",
    window: (start, end) => `${start} to ${end}`,
  },
  banner: {
    demo: (source) => `Demo with play money. ${source}`,
    offline: "No connection. Prices stand still and taps wait; trying again.",
    unreachable: "The server does not answer; trying again.",
    insecure: "This address is neither https nor this computer, so the browser lends no keys: you can watch, not bet.",
    memoryOnly: "This browser keeps no keys (private mode?): this account is lost when the tab is closed.",
    keyless: "This session's key is not in this browser. Sign out and in again to bet.",
    starting: "Bets start once prices have come without a break for 30 s.",
    recovering: (leftMs) => `Bets are stopped: prices were interrupted. They must flow for 30 s first, ${
      duration(leftMs)} to go.`,
    stale: (sinceMs) => `Bets are stopped: no fresh price for ${duration(sinceMs)}. Results wait as well.`,
    operator: "Bets are stopped by the operator.",
    late: "Prices are late. Bets are still taken.",
    walletChanged: "Your wallet switched to another account, so you were signed out.",
    signedOut: "You are signed out.",
    moved: "A wallet has this account now. Connect that wallet to go on.",
    sessionEnded: "Your session has ended. Sign in again to go on.",
  },
  welcome: {
    title: "Tap where the price will be",
    body: "Each cell shows what it pays if the price touches it. Try it with play money.",
    liveBody: "Each cell shows what it pays if the price touches it. Connect your wallet to play.",
    guest: "Play as guest",
    guestBusy: "One moment",
    wallet: "Connect wallet",
    help: "How it works",
    failed: (detail) => `Signing in failed: ${detail}`,
  },
  wallet: {
    statement: "Sign in to Tap Trading. The session key below may place bets for me, and nothing else.",
    title: "Connect a wallet",
    intro: "The wallet signs once. From then on a key of this browser, which nobody can copy, signs your taps. "
      + "It can place bets and nothing else.",
    searching: "Looking for wallets",
    none: "There is no wallet in this browser. Install one, or play as a guest.",
    waiting: (name) => `Waiting for ${name}`,
    rejected: "You refused in the wallet. Nothing has changed.",
    chain: (ids) => `The wallet is on another chain. Accepted: ${ids.join(", ")}. Switch there and try again.`,
    failed: (detail) => `The wallet could not do it: ${detail}`,
    refused: (detail) => `The server refused: ${detail}`,
    noAnswer: "The server did not answer. Try again: it does no harm.",
    refusals: {
      WALLET_TAKEN: "This wallet has an account of its own, and two accounts are never made one. Choose another wallet, "
        + "or sign out and connect this one.",
      GUEST_ADOPTED: "Another wallet has this account already. Sign in with that one.",
      CONTRACT_WALLET: "This is a contract wallet (a smart account), and these cannot sign in here. Choose an account "
        + "with a key of its own.",
      UNAUTHENTICATED: "Your session had ended and has begun anew. Try again.",
    },
  },
  move: {
    statement: "Give my guest account to this wallet. From now on this wallet signs in to it, and the key of this "
      + "browser may place bets for me while the session lasts.",
    title: "Move this account to a wallet",
    intro: "The wallet signs once. From then on the account is the wallet's, with its balance, bets and limits: only the "
      + "wallet signs in, from any browser, and withdrawals go to it. There is no way back. A wallet that has an account "
      + "here already cannot take this one.",
    none: "There is no wallet in this browser. Install one, then come back.",
    doubt: "No answer came; asking what became of it.",
    done: (address) => `Done. This account belongs to ${address} now. Play on here, or sign in with that wallet `
      + "anywhere.",
  },
  account: {
    title: "Account",
    guest: "Guest of this browser",
    wallet: "Wallet",
    move: "Move this account to a wallet",
    money: "Money",
    signOut: "Sign out",
    signOutFailed: "Signing out did not reach the server. Try again.",
    guestNote: "This account belongs to a key in this browser. Clearing the browser's data ends it.",
  },
  help: {
    title: "How it works",
    sentences: (edge, source, columnSeconds) => [
      `Columns are windows of ${columnSeconds} seconds that move towards the line of now, rows are price bands.`,
      "Tap a cell: it wins if the price touches its band at any moment of its window, the band's bounds included.",
      "A cell shows its rate; an empty one is not offered. A win pays stake times the rate at which the bet was "
        + "confirmed, never less than 3 % below what you saw.",
      edge,
      source,
    ],
    edge: (least, most) => (least === most
      ? `The house keeps ${least} on average: that is in the rates.`
      : `The house keeps ${least} to ${most} on average, by the rate: that is in the rates.`),
    edgeUnknown: "The house's edge is in the rates.",
    proof: "Every bet has a proof: open its link and check it yourself.",
    states: "What the marks mean",
  },
  bets: {
    title: "Your bets",
    empty: "No bets yet. Tap a cell.",
    why: "Why?",
    hideWhy: "Hide",
    limits: "Your limits",
    proof: "Proof",
    pathLabel: "The price in this window, and your band",
    noPath: "The prices of this window could not be loaded.",
    loading: "Loading prices",
  },
  states: {
    signing: "Signing",
    pending: "Pending",
    waiting: (leftMs) => `Filled in ${seconds(leftMs)}`,
    confirmed: "Confirmed",
    touched: "Touched",
    won: "Won",
    lost: "Lost",
    void: "Void",
    refused: "Refused",
    unknown: "Unknown",
  },
  waiting: "Waiting",
  legend: {
    pending: "Sent, not yet confirmed",
    waiting: "Waits for a price newer than what you saw",
    confirmed: "Taken by the house at the rate shown",
    touched: "The price has touched it; provisional until the window is settled",
    won: "Paid out",
    lost: "The price did not touch it",
    void: "Not settled for want of prices; the stake came back",
    refused: "Not taken; no money was moved",
    unknown: "The connection broke; the page finds out what became of it",
  },
  sentences: {
    pending: "Sent; nothing is certain before the server answers.",
    waiting: "The bet waits for a price that is newer than what you saw.",
    confirmed: (payoutCents) => `Pays ${money(payoutCents)} if the price touches it.`,
    touched: (payoutCents) => `The price touched it: ${money(payoutCents)}, once the window is settled.`,
    settling: "The window is over; the result comes with its evidence.",
    won: (payoutCents) => `Won ${money(payoutCents)}: the price touched the band.`,
    lost: "Lost: the price did not touch the band.",
    wonBy: (payoutCents, low, high) =>
      `Won ${money(payoutCents)}: the price was between ${money(low)} and ${money(high)}, and so touched the band.`,
    lostBy: (low, high, missCents, above) =>
      `Lost: the price stayed between ${money(low)} and ${money(high)}; the band is ${money(missCents)} ${
        above ? "above" : "below"} that.`,
    void: "Void: the prices of this window are not complete. Your stake came back.",
    unknown: "No answer came. The page asks again; the bet counts once or not at all.",
    tap: (stakeCents, rateText, bandText) =>
      `${shortMoney(stakeCents)}${rateText === null ? "" : ` × ${rateText}`}, ${bandText}`,
  },
  refusals: {
    RATE_MOVED: ({ shownBp, rateBp }) => (rateBp && shownBp
      ? `The rate fell from ${rate(shownBp)} to ${rate(rateBp)}, more than 3 %. Not taken.`
      : "The rate fell by more than 3 % while the tap was on its way. Not taken."),
    CELL_CLOSED: () => "The column had closed when the tap arrived. Not taken.",
    CELL_NOT_OFFERED: () => "The cell is not offered at this price. Not taken.",
    CELL_UNKNOWN: () => "There is no such cell any more. Not taken.",
    INSUFFICIENT_FUNDS: () => "Your balance does not cover this stake.",
    LIMIT_REACHED: ({ detail, limit, untilText }) =>
      `${LIMITS[limit] ?? detail ?? "A limit that you set refuses this."}${untilText ? ` Until ${untilText}.` : ""}`,
    DUPLICATE_BET: () => "You have a bet on this cell already.",
    BET_EXPIRED: () => "The bet came too late to be filled. No money was taken.",
    BET_NEVER_PLACED: () => "The bet was lost on its way. No money was taken.",
    PRICE_FEED_STALE: () => "Not taken: bets are stopped, or there is no fresh price.",
    EXPOSURE_LIMIT: ({ maxStakeCents }) => (maxStakeCents
      ? `The house takes at most ${shortMoney(maxStakeCents)} more on this cell.`
      : "The house takes no more on this cell."),
    STAKE_NOT_ALLOWED: () => "This stake is not allowed any more. Choose another.",
    RATE_LIMITED: () => "Too many taps in a short time. Wait a moment.",
    OVERLOADED: () => "Too many bets are waiting. Try again in a moment.",
    UNAVAILABLE: () => "A part of the service is away. Try again in a moment.",
    UNAUTHENTICATED: () => "Your session has ended. Sign in again.",
    INVALID_SIGNATURE: () => "The signature was not accepted. Sign out and in again.",
    CONTRACT_WALLET: () => "Contract wallets cannot sign taps. Sign out and in again with another.",
    SIGNATURE_EXPIRED: () => "The tap was signed too long ago, or your clock leapt. Tap again.",
    FORBIDDEN: () => "This is not allowed here.",
    INVALID_REQUEST: () => "The server could not read the tap. Load the page again, then tap.",
    BODY_TOO_LARGE: () => "The tap reached the server too long; something in between changed it. Not taken.",
    UNSUPPORTED_MEDIA_TYPE: () => "The tap reached the server as something else; something in between changed it. "
      + "Not taken.",
    other: ({ detail }) => `Not taken: ${detail || "the server refused."}`,
  },
  live: {
    confirmed: (tap) => `Bet confirmed: ${tap}`,
    refused: (sentence) => `Bet refused: ${sentence}`,
    result: (sentence) => sentence,
  },
  units: { percent: (bp) => `${(bp / 100).toFixed(1)} %`, band: shortBand },
};

const LIMITS = {
  excluded_until_ms: "You have excluded yourself from betting.",
  cool_off_until_ms: "You are in a cool-off period.",
  stake_day_max_cents: "Your limit of stakes for the day is reached.",
  loss_day_max_cents: "Your limit of losses for the day is reached.",
  stake_max_cents: "This stake is above your limit for one bet.",
};
