// A bot that survives refusals, disconnects and lost answers, as examples/bot.py does. docs/clients.md leads through it.
//
//   node examples/bot.mjs http://127.0.0.1:8000 [--bets 5] [--at-once 2] [--key FILE | --wallet viem|ethers] [--domain HOST]
import { readFile, writeFile } from "node:fs/promises";
import { parseArgs } from "node:util";
import { Account, keyOf, newKey, newNonce, offersOf, ofEthers, ofViem } from "../page/client/index.js";

/** @typedef {import("../page/client/types.js").BetView} BetView */

const GRID_OLD_MS = 1_000;
const TOP_UP_CENTS = 10_000;
const SETTLED = ["won", "lost", "void"];
const HOPELESS = ["LIMIT_REACHED", "FORBIDDEN", "INVALID_SIGNATURE", "PLAYER_FORGOTTEN"];

/** Taps cells of the grid, and keeps what became of each bet. */
class Bot {
  /** @type {Set<string>} */
  placed = new Set();
  /** @type {Map<string, BetView>} */
  results = new Map();
  /** @type {Set<string>} */
  tapped = new Set();

  /** @param {Account} account @param {number} bets @param {number} atOnce how many cells to tap under one signature */
  constructor(account, bets, atOnce) {
    this.account = account;
    this.bets = bets;
    this.atOnce = atOnce;
  }

  /** Follow the stream until every bet has its result. */
  async play() {
    for await (const { type, data } of this.account.events()) {
      if (type === "grid" && this.placed.size < this.bets) await this.tap(data);
      else if (type === "bet") this.hear(data);
      else if (type === "snapshot" || type === "reset") await this.catchUp(data);
      if (this.placed.size === this.bets && [...this.placed].every((id) => this.results.has(id))) return;
    }
  }

  /**
   * Bet on one cell that the grid offers; a refusal costs nothing, and the next grid brings another cell.
   * @param {import("../page/client/types.js").GridView} grid
   */
  async tap(grid) {
    const nowMs = this.account.serverMs();
    const free = offersOf(grid, nowMs).slice(0, 30).filter(({ cellId }) => !this.tapped.has(cellId));
    if (free.length === 0 || nowMs - grid.server_time_ms > GRID_OLD_MS) return;
    if (this.atOnce > 1) {
      await this.tapMany(grid, free);
      return;
    }
    const { cellId, rateBp } = free[Math.floor(Math.random() * free.length)];
    this.tapped.add(cellId);
    const fate = await this.account.place({ cellId, rateBp, stakeCents: grid.presets_cents[0] });
    if (fate.bet) {
      this.placed.add(fate.bet.id);
      return;
    }
    say({ refused: fate.code, cell: cellId });
    if (fate.code === "INSUFFICIENT_FUNDS") await this.account.deposit(TOP_UP_CENTS, newNonce());
    else if (HOPELESS.includes(fate.code ?? "")) throw new Error(`${fate.code}: ${fate.problem?.detail}`);
  }

  /**
   * Bet on several cells under one signature; each has its own answer.
   * @param {import("../page/client/types.js").GridView} grid @param {import("../page/client/types.js").Offered[]} free
   */
  async tapMany(grid, free) {
    const chosen = free.slice(0, Math.min(this.atOnce, this.bets - this.placed.size));
    const stakeCents = grid.presets_cents[0];
    const fates = await this.account.placeMany(chosen.map(({ cellId, rateBp }) => ({ cellId, rateBp, stakeCents })));
    for (const [at, { cellId }] of chosen.entries()) {
      this.tapped.add(cellId);
      const { bet, code } = fates[at];
      if (bet) this.placed.add(bet.id);
      else say({ refused: code, cell: cellId });
    }
  }

  /** Keep a result, whichever way it came. @param {BetView} bet */
  hear(bet) {
    if (!SETTLED.includes(bet.status) || this.results.has(bet.id)) return;
    this.results.set(bet.id, bet);
    say({ bet: bet.id, status: bet.status, payout: bet.payout_amount });
  }

  /**
   * Ask for the bets that have ended unheard: those that are no longer open.
   * @param {import("../page/client/types.js").SnapshotView} snapshot
   */
  async catchUp(snapshot) {
    const stillOpen = new Set(snapshot.open_bets?.map(({ id }) => id));
    const unheard = [...this.placed].filter((id) => !this.results.has(id) && !stillOpen.has(id));
    for (const id of unheard) this.hear((await this.account.bet(id)).bet);
  }

  /** Hold the bets against the statement: each has taken its stake once. */
  async recount() {
    const entries = await this.account.statement();
    const own = entries.filter(({ ref_type, ref_id }) => ref_type === "BET" && this.placed.has(ref_id));
    const stakes = own.map(({ ref_id }) => ref_id).sort();
    const placed = [...this.placed].sort();
    const balance = entries[0].balance_after;
    const sum = entries.reduce((cents, { amount }) => cents + amount, 0);
    say({ placed, balance, adds_up: stakes.join() === placed.join() && sum === balance });
  }
}

/**
 * The guest's key in a file, made if there is none. Who has the file has the account, so nobody else may read it.
 * @param {string} path
 */
async function keyAt(path) {
  try {
    return await keyOf(JSON.parse(await readFile(path, "utf8")));
  } catch (error) {
    if (/** @type {NodeJS.ErrnoException} */ (error).code !== "ENOENT") throw error;
  }
  const key = await newKey({ extractable: true });
  await writeFile(path, JSON.stringify(await key.save()), { mode: 0o600, flag: "wx" });
  return key;
}

/** Sign logins with a wallet of a library, or play as a guest with a key alone. @param {string | undefined} library */
async function walletOf(library) {
  if (library) {
    await import(library).catch((error) => {
      if (error.code === "ERR_MODULE_NOT_FOUND") refuse(`${library} is not installed: npm install ${library}`);
      throw error;
    });
  }
  if (library === "viem") {
    const { generatePrivateKey, privateKeyToAccount } = await import("viem/accounts");
    return ofViem(privateKeyToAccount(generatePrivateKey()));
  }
  if (library === "ethers") {
    const { Wallet } = await import("ethers");
    return ofEthers(Wallet.createRandom());
  }
  return null;
}

/** A number of an option: what is none would never be reached. @param {string} name @param {string} text */
function whole(name, text) {
  return /^[1-9]\d*$/.test(text) ? Number(text) : refuse(`--${name} takes a number from 1 on, not "${text}"`);
}

/** @param {string} why @returns {never} */
function refuse(why) {
  console.error(why);
  process.exit(2);
}

/** @param {object} fields */
const say = (fields) => console.log(JSON.stringify(fields));

const { values, positionals: [url] } = parseArgs({
  allowPositionals: true,
  options: {
    bets: { type: "string", default: "5" }, "at-once": { type: "string", default: "1" },
    wallet: { type: "string" }, key: { type: "string" }, domain: { type: "string" },
  },
});
if (!url) refuse("give the address of a house, such as http://127.0.0.1:8000");
if (values.wallet && !["viem", "ethers"].includes(values.wallet)) {
  refuse(`--wallet takes viem or ethers, not "${values.wallet}"`);
}
if (values.wallet && values.key) refuse("--key keeps a guest, and --wallet plays as none: give one of them");
const bets = whole("bets", values.bets);
const atOnce = whole("at-once", values["at-once"]);
const account = await Account.open(url, {
  wallet: await walletOf(values.wallet),
  key: values.key ? await keyAt(values.key) : undefined,
  domain: values.domain,
  onWait: (error) => console.error(error.message),
});
say({ wallet: account.user.wallet_address });
const bot = new Bot(account, bets, atOnce);
await bot.play();
await bot.recount();
