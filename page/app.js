// The page's beginning: makes the parts, joins them, and starts the stream and the session.

import { Session } from "./auth/session.js";
import { find, write } from "./dom.js";
import { Board } from "./game/board.js";
import { Market } from "./game/market.js";
import { Pointer } from "./game/pointer.js";
import { Results } from "./game/results.js";
import { CellTable } from "./game/table.js";
import { Tapping } from "./game/tapping.js";
import { Taps } from "./game/taps.js";
import { Api, insist, sleep } from "./client/api.js";
import { ServerClock } from "./client/clock.js";
import { Stream } from "./net/stream.js";
import { accountPanel } from "./panels/account.js";
import { Banner } from "./panels/banner.js";
import { Dialogs } from "./panels/dialogs.js";
import { Header } from "./panels/header.js";
import { helpPanel } from "./panels/help.js";
import { Stakes } from "./panels/stakes.js";
import { movePanel, walletPanel } from "./panels/wallet.js";
import { Welcome } from "./panels/welcome.js";
import { joinSafer, saferPanels } from "./safer/join.js";
import { Sound } from "./sound.js";
import { State } from "./state.js";
import { texts } from "./texts.js";

/** What opens over the game, in the menu's order; see panels/dialogs.js for what a panel is. */
const PANELS = [helpPanel, ...saferPanels, accountPanel, walletPanel, movePanel];

const state = new State({
  rules: null, user: null, sessionKnown: false, balanceCents: null, stakeCents: null, price: null, grid: null,
  breaker: null, connection: "connecting", lostMs: null, live: false, reachable: true, notice: null,
});
const api = new Api();
const clock = new ServerClock(api);
const app = { state, api, clock, texts, sound: new Sound() };

const HELLO_MS = 2_000;
const REJOIN_EVERY_MS = 10_000;
let rejoinMs = 0;
let sayHello;
const firstHello = new Promise((resolve) => (sayHello = resolve));
/** The player of the stream's session, as its last hello said; undefined before that. */
let streamUser;

app.market = new Market({
  state, clock, api,
  onBet: (bet) => app.taps.takeBet(bet),
  onColumn: (column) => app.taps.takeColumn(column),
  onTouched: (startS, low, high) => app.taps.takeTouched(startS, low, high),
  onOpenBets: (bets) => app.taps.takeOpenBets(bets),
  onSession: hearSession,
});
app.session = new Session({
  state, api, clock,
  onChange: changePlayer,
  onMove: () => {
    stream.restart();
    app.tabs.tell("player");
  },
  onWalletChange: () => state.set({ notice: texts.banner.walletChanged }),
});
app.taps = new Taps({
  ...app,
  onChange: (tap, before) => {
    app.results.refresh();
    app.table.refresh(tap);
    app.header.showOpen();
    app.tapping.tell(tap, before);
    hearTap(tap);
  },
});
writeTexts();
app.board = new Board(find("board"), app);
app.header = new Header(app);
app.banner = new Banner(app);
app.stakes = new Stakes(app);
app.results = new Results(app);
app.dialogs = new Dialogs(app);
app.welcome = new Welcome(app);
app.tapping = new Tapping(app);
PANELS.forEach((panel) => app.dialogs.add(panel));
const hearTap = joinSafer(app);
app.tabs.on("player", () => {
  state.set({ notice: null });
  app.session.resume().catch(console.error);
});
const hands = { onAim: (cell) => app.tapping.aim(cell), onTap: (cell) => app.tapping.tap(cell) };
new Pointer(find("board"), app.board, hands);
app.table = new CellTable({ ...app, ...hands });
state.on(["price"], () => (find("board-wait").hidden = Boolean(state.grid)));
state.on(["grid"], () => (find("board-wait").hidden = Boolean(state.price)));

const stream = new Stream(hearEvent, hearConnection);
start().catch((error) => {
  console.error(error);
  state.set({ notice: texts.welcome.failed(error.message), sessionKnown: true });
});

async function start() {
  const onFailure = () => state.set({ reachable: false });
  const rules = insist(() => api.get("/api/rules"), { onFailure });
  state.set({ rules: await rules, reachable: true });
  clock.start();
  // The stream says at once whether it has a session: without one there is no account to ask for.
  const userId = await Promise.race([firstHello, sleep(HELLO_MS)]);
  await app.session.resume(userId !== null);
}

function hearEvent(event) {
  if (event.type === "price" || event.type === "snapshot" || event.type === "reset") state.live = true;
  app.market.take(event);
}

function hearConnection(connection) {
  const lostMs = connection === "live" ? null : (state.lostMs ?? performance.now());
  const wasLive = state.connection === "live";
  state.set({ connection, lostMs });
  if (connection !== "live") return;
  clock.measure();
  // The stream begins, and goes on, with the newest price: those before it are asked for, or the line would lie.
  if (!wasLive) insist(() => app.market.loadPast()).catch(console.error);
}

/** The stream reads as another player than the page plays: another tab signed in or out. */
function hearSession(userId) {
  streamUser = userId;
  sayHello(userId);
  if (!state.sessionKnown || app.session.moving || userId === (state.user?.id ?? null)) return;
  app.session.resume(userId !== null).then(tellOfEnd).catch(console.error);

  function tellOfEnd() {
    if (userId === null && !state.user && !state.notice) state.set({ notice: texts.banner.sessionEnded });
  }
}

function changePlayer(user) {
  if (user?.id === app.playerId) {
    // A session that had ended was followed by another of the same player: only the stream does not know it.
    if (user && streamUser === null) rejoin();
    return;
  }
  app.playerId = user?.id;
  app.taps.clear();
  if (streamUser !== (user?.id ?? null)) stream.restart();
  if (user) loadTaps().catch(console.error);
}

/** Let the stream read for the new session; seldom, in case it never learns of one. */
function rejoin() {
  const nowMs = performance.now();
  if (nowMs < rejoinMs) return;
  rejoinMs = nowMs + REJOIN_EVERY_MS;
  stream.restart();
}

async function loadTaps() {
  await insist(() => app.taps.load());
  await insist(() => app.taps.explain());
}

function writeTexts() {
  for (const element of document.querySelectorAll("[data-text]")) write(element, texts[element.dataset.text]);
  write(find("board-wait"), texts.loading);
  write(find("bets-title"), texts.bets.title);
  write(find("bets-empty"), texts.bets.empty);
  write(find("table-switch"), texts.board.showTable);
  find("board").setAttribute("aria-label", texts.board.label);
  find("delay").setAttribute("title", texts.delayTitle);
  find("menu-button").setAttribute("aria-label", texts.menu);
}
