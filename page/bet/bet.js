// The proof of a bet, for its owner: asks until the bet is decided, shows what is known meanwhile.

import { find, make, write } from "../dom.js";
import { money, time, utc } from "../format.js";
import { Api, insist, sleep } from "../client/api.js";
import { settings } from "../settings.js";
import { chart, inside } from "./chart.js";
import { finding, findingsOf } from "./findings.js";
import { areKept, extremes, fetchTicks, recount } from "./recount.js";
import { texts } from "./texts.js";

const ASK_EVERY_MS = 1_500;
const OPEN = ["pending", "confirmed"];
const api = new Api();
const betId = decodeURIComponent(location.pathname.split("/").at(-1));
let drawn = null;

async function main() {
  if (settings.theme !== "system") document.documentElement.dataset.theme = settings.theme;
  write(find("home"), texts.home);
  say({ headline: texts.loading, body: "" });
  write(find("id"), texts.id(betId));
  new ResizeObserver(() => drawn?.()).observe(find("chart"));
  const rules = await insist(() => api.get("/api/rules"), { onFailure: away });
  for (let isOpen = true; isOpen;) {
    isOpen = await show(rules);
    if (isOpen) await sleep(ASK_EVERY_MS);
    while (document.hidden) await sleep(ASK_EVERY_MS);
  }
}

/** Ask for the bet once and show it; tell whether more is to come. */
async function show(rules) {
  const path = `/api/bets/${encodeURIComponent(betId)}?verify=true`;
  let answer;
  try {
    answer = await insist(() => api.get(path), { onFailure: away });
  } catch (error) {
    refuse(error);
    return false;
  }
  const { bet, evidence, explanation, proof } = answer;
  say({ headline: texts.headline(bet), body: explanation }, bet.status);
  if (!proof) return true;
  const window = { startMs: bet.column_start_s * 1000, endMs: (bet.column_start_s + rules.column_seconds) * 1000 };
  if (evidence) window.endMs = evidence.end_s * 1000;
  const ticks = await ticksAround(window, evidence);
  showFigures(bet, window);
  showPath(bet, window, ticks);
  replace("findings", findingsOf(proof, Boolean(bet.refusal_code)));
  await showOwn(bet, evidence, ticks);
  find("proof").hidden = false;
  return OPEN.includes(bet.status);
}

function say({ headline, body }, state = "") {
  write(find("headline"), headline);
  write(find("explanation"), body);
  find("headline").dataset.state = state;
  document.title = texts.title(headline);
}

const away = () => write(find("explanation"), texts.away);

function refuse(error) {
  find("proof").hidden = true;
  if (error.status === 401) {
    say(texts.signedOut);
    find("way-on").hidden = false;
    write(find("way-on").firstElementChild, texts.toGame);
  } else if (error.code === "BET_NEVER_PLACED" || error.status === 404) {
    say(error.code === "BET_NEVER_PLACED" ? texts.neverPlaced : texts.missing);
    find("way-on").hidden = false;
    write(find("way-on").firstElementChild, texts.back);
  }
  else say(texts.broken(error.message));
}

/** The ticks from before the window to after it; null where they are no longer kept. */
async function ticksAround(window, evidence) {
  if (!areKept(window.startMs)) return null;
  const spareMs = (window.endMs - window.startMs) / 2;
  const fromMs = Math.min(window.startMs - spareMs, evidence?.first_tick_id ?? window.startMs);
  return insist(() => fetchTicks(api, Math.floor(fromMs), Math.ceil(window.endMs + spareMs / 2)), { onFailure: away });
}

function showFigures(bet, window) {
  const names = texts.figures;
  const possible = Math.floor((bet.amount * (bet.reward_rate ?? 0)) / 10_000);
  const isOpen = OPEN.includes(bet.status);
  const rows = [
    [names.stake, money(bet.amount)],
    [names.rate, bet.reward_rate ? `${(bet.reward_rate / 10_000).toFixed(4)}x` : null],
    [isOpen ? names.payout.open : names.payout.won, money(isOpen ? possible : bet.payout_amount ?? 0)],
    [names.band, texts.bandOf(bet)],
    [names.window, texts.windowOf(window.startMs, window.endMs), window.startMs],
    [names.placed, time(bet.placed_ms), bet.placed_ms],
    [names.settled, bet.resolved_at ? time(Date.parse(bet.resolved_at)) : null, Date.parse(bet.resolved_at)],
  ];
  replace("figures", rows.filter(([, text]) => text !== null).map(([name, text, ms]) =>
    make("div", {}, make("dt", {}, name),
      make("dd", {}, ms ? make("time", { datetime: new Date(ms).toISOString(), title: utc(ms) }, text) : text))));
}

/** Draw the path, and say the same in words. */
function showPath(bet, window, ticks) {
  write(find("chart-title"), texts.chart.title);
  drawn = ticks && (() => find("chart").replaceChildren(chart(bet, window, ticks, find("chart").clientWidth)));
  drawn?.();
  const seen = extremes(ticks ? inside(window, ticks) : [], window.startMs);
  const nowMs = ticks?.at(-1)?.id ?? 0;
  let sentence = texts.chart.gone;
  if (ticks && nowMs < window.startMs) sentence = texts.chart.waiting(window.startMs);
  else if (seen.low !== null) sentence = texts.chart.path(seen, bet);
  if (nowMs >= window.startMs && OPEN.includes(bet.status)) sentence = `${sentence} ${texts.chart.running}`;
  write(find("path"), sentence);
}

/** What this browser counts for itself, and the commands for more. */
async function showOwn(bet, evidence, ticks) {
  const counted = evidence && ticks && bet.reward_rate ? await recount(bet, evidence, ticks) : null;
  write(find("findings-title"), texts.findings.title);
  write(find("findings-lead"), texts.findings.lead);
  write(find("own-title"), texts.own.title);
  write(find("own-lead"), ownLead(bet, evidence, counted));
  replace("own", counted ? ownFindings(counted) : []);
  if (find("commands").childElementCount === (evidence ? 2 : 1)) return;
  replace("commands", [
    command(texts.own.explain, `.venv/bin/taptrade explain ${bet.id}`),
    evidence?.first_tick_id ? command(texts.own.hashCommand, hashCommand(evidence)) : null,
  ].filter(Boolean));
}

function ownLead(bet, evidence, counted) {
  if (counted) return texts.own.lead;
  if (bet.refusal_code) return texts.own.refused;
  return evidence ? texts.chart.gone : texts.own.unsettled;
}

function ownFindings({ count, low, high, status, payout, hashHolds, extremesHold, resultHolds }) {
  const hash = hashHolds === null ? texts.own.insecure : texts.own.hash(count);
  const result = status === "void" ? texts.own.resultVoid : texts.own.result(status, payout);
  return [
    finding(hashHolds, null, hash),
    low === null ? null : finding(extremesHold, null, texts.own.extremes(low, high)),
    finding(resultHolds, null, result),
  ].filter(Boolean);
}

function hashCommand({ first_tick_id: first, last_tick_id: last }) {
  const query = `from=${first}&to=${last + 1}&resolution=tick&limit=500`;
  return `curl -s '${location.origin}/api/prices?${query}' |\n`
    + `  jq -r '.ticks[] | "\\(.id),\\(.close),\\(.low),\\(.high)"' | sha256sum`;
}

function command(name, text) {
  const code = make("code", {}, text);
  const button = make("button", { type: "button" }, texts.own.copy);
  button.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(text);
      write(button, texts.own.copied);
    } catch {
      getSelection().selectAllChildren(code);
      write(button, texts.own.copyFailed);
    }
  });
  const shown = make("pre", { tabindex: "0", "aria-label": name }, code);
  return make("div", {}, make("p", {}, name), make("div", { class: "command" }, shown, button));
}

/** Put children in place of those before; folds that a reader has opened stay open. */
function replace(id, children) {
  const box = find(id);
  const opened = [...box.children].map((child) => child.querySelector("details")?.open);
  box.replaceChildren(...children);
  [...box.children].forEach((child, index) => {
    const fold = child.querySelector("details");
    if (fold && opened[index]) fold.open = true;
  });
}

main();
