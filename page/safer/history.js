// "History": own bets and the statement, each page by page and as a spreadsheet.

import { make } from "../dom.js";
import { band, rate } from "../format.js";
import { texts as game } from "../texts.js";
import { Field, button, select, timeOf } from "./fields.js";
import { Pages } from "./pages.js";
import { SheetButton } from "./sheet.js";
import { texts } from "./texts.js";

const KINDS = ["bets", "entries"];
const OF_BETS = new Set(["BET", "PAYOUT", "REFUND"]);

export const historyPanel = {
  id: "history",
  title: texts.history.title,
  label: texts.history.title,
  when: (state) => Boolean(state.user),
  mount(body, { api }) {
    this.views = { bets: betsView(api), entries: entriesView(api) };
    this.switches = KINDS.map((kind) => button(texts.history[kind], () => this.choose(kind)));
    body.append(make("div", { class: "switch", role: "group", "aria-label": texts.history.kind }, ...this.switches),
      ...Object.values(this.views).map((view) => view.element));
    this.kind = "bets";
  },
  shown() {
    this.choose(this.kind);
  },
  choose(kind) {
    this.kind = kind;
    KINDS.forEach((one, at) => {
      this.switches[at].setAttribute("aria-pressed", String(one === kind));
      this.views[one].element.hidden = one !== kind;
    });
    this.views[kind].pages.renew();
  },
};

function betsView(api) {
  const filter = select(Object.entries(texts.history.filters));
  const path = () => (filter.value === "all" ? "/api/bets?" : `/api/bets?status=${filter.value}&`);
  const pages = new Pages({ api, path, field: "bets", item: betItem, empty: texts.history.noBets });
  filter.addEventListener("change", () => pages.renew());
  const sheet = new SheetButton(texts.sheet.save, "taptrade-bets", path);
  const tools = make("div", { class: "tools" }, new Field(texts.history.filter, filter).element, sheet.element);
  return { pages, element: make("section", { "aria-label": texts.history.bets }, tools, pages.element) };
}

function entriesView(api) {
  const path = () => "/api/ledger?";
  const pages = new Pages({ api, path, field: "entries", item: entryItem, empty: texts.history.noEntries });
  const sheet = new SheetButton(texts.sheet.save, "taptrade-statement", path);
  const tools = make("div", { class: "tools" }, sheet.element);
  return { pages, element: make("section", { "aria-label": texts.history.entries }, tools, pages.element) };
}

function betItem(bet) {
  const refused = bet.refusal_code !== null || bet.status === "refused" || bet.status === "insufficient_funds";
  const shown = refused ? "refused" : bet.status;
  const name = shown === "confirmed" ? texts.history.open : (game.states[shown] ?? shown);
  const cell = bet.low_cents > 0 ? band(bet.low_cents, bet.high_cents) : "";
  const rateText = refused ? null : rate(bet.reward_rate);
  const tapped = game.sentences.tap(bet.amount, rateText, cell);
  const detail = refused ? (bet.refusal_detail ?? "") : texts.history.window(bet.column_start_s * 1000);
  return make("li", { "data-state": shown },
    make("div", { class: "head" }, make("strong", { class: "state" }, name),
      make("span", { class: "sum" }, sumOf(bet, refused))),
    make("p", {}, `${tapped}. ${detail}`),
    make("div", { class: "foot" }, timeOf(bet.placed_ms),
      refused ? null : make("a", { href: `/bets/${bet.id}` }, texts.history.proof)));
}

function sumOf(bet, refused) {
  if (refused) return texts.history.nothing;
  if (bet.status === "won") return texts.signed(bet.payout_amount - bet.amount);
  return bet.status === "void" ? texts.history.back(bet.amount) : texts.signed(-bet.amount);
}

function entryItem(entry) {
  const proof = OF_BETS.has(entry.ref_type) ? make("a", { href: `/bets/${entry.ref_id}` }, texts.history.proof) : null;
  return make("li", {},
    make("div", { class: "head" }, make("strong", {}, texts.history.types[entry.ref_type] ?? entry.ref_type),
      make("span", { class: "sum" }, texts.signed(entry.amount))),
    make("div", { class: "foot" }, timeOf(entry.created_ms),
      make("span", {}, texts.history.balance(entry.balance_after)), proof));
}
