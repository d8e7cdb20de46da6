// The board: one canvas, drawn once a frame from what the state holds.

import { payoutCents, shortMoney } from "../format.js";
import { readColors, watchColors } from "./colors.js";
import { Geometry } from "./geometry.js";
import { GridLayer } from "./layers.js";
import { drawAim, drawLabel, drawMark, marksOf } from "./marks.js";
import { Offer } from "../client/offer.js";
import { PricePath } from "./path.js";
import { lineLost, takesBets } from "./stopped.js";
import { pauseOf } from "../safer/own_limits.js";
import { drawClosed, drawLattice, drawNow, drawPrices, drawRanges } from "./scenery.js";

const FRAMES_KEPT = 600;
/** With reduced motion the board moves in steps of so long. */
const CALM_STEP_MS = 1_000;
/** And is drawn so often: what has changed is seen soon enough, and nothing moves in between. */
const CALM_FRAME_MS = 100;
/** Drawing cells takes at most so long of one frame, of the few calm ones more. */
const CELLS_MS = 4;
const CALM_CELLS_MS = 40;
const RATIO_MAX = 2;
const STOPPED_ALPHA = 0.35;

export class Board {
  /** The cell under the pointer or the keyboard's focus, if it can be bet on or told about. */
  aim = null;
  geometry = new Geometry();
  offer = null;
  #layer = new GridLayer();
  #path = new PricePath();
  #colors = readColors();
  #motion = matchMedia("(prefers-reduced-motion: reduce)");
  #fitted = "";
  #lastMs = 0;
  #firstPrice = true;
  #gridTaken = null;

  constructor(canvas, { state, clock, market, taps }) {
    Object.assign(this, { canvas, state, clock, market, taps });
    this.context = canvas.getContext("2d", { alpha: false });
    this.frames = window.taptradeFrames = [];
    this.work = window.taptradeFrameWork = [];
    watchColors(() => {
      this.#colors = readColors();
      this.#gridTaken = null;
    });
    state.on(["grid"], () => this.#takeGrid());
    new ResizeObserver(() => (this.#fitted = "")).observe(canvas);
    this.#awaitFrame();
  }

  /** The start of the first column that still takes bets, in ms. */
  get openMs() {
    return this.geometry.columnStart(this.clock.nowMs()) + 2 * this.geometry.columnMs;
  }

  /** What a tap on a cell would do now: its rate, or null where none is offered, and whether its column is open. */
  look(cell) {
    const arrivesMs = this.clock.nowMs() + (this.clock.delayMs ?? 0) / 2;
    return {
      rateBp: this.offer?.rateBp(cell.startS, cell.lowCents) ?? null,
      open: this.offer?.isOpen(cell.startS, arrivesMs) ?? false,
    };
  }

  #takeGrid() {
    this.offer = new Offer(this.state.grid);
  }

  #awaitFrame() {
    const ask = () => requestAnimationFrame((ms) => this.#frame(ms));
    if (this.#motion.matches) setTimeout(ask, CALM_FRAME_MS);
    else ask();
  }

  #frame(ms) {
    this.#awaitFrame();
    const passedMs = ms - this.#lastMs;
    this.#lastMs = ms;
    const begunMs = performance.now();
    try {
      this.#draw(passedMs, ms);
    } catch (error) {
      // One frame that cannot be drawn must not end the animation.
      if (this.failure !== error.message) console.error(error);
      this.failure = error.message;
    }
    keep(this.frames, passedMs);
    keep(this.work, performance.now() - begunMs);
  }

  #draw(passedMs, ms) {
    const { state, geometry, context } = this;
    const { price } = state;
    if (!this.#fit() || !price) return;
    const calm = this.#motion.matches;
    const serverMs = this.clock.nowMs();
    const nowMs = calm ? Math.floor(serverMs / CALM_STEP_MS) * CALM_STEP_MS : serverMs;
    const headCents = this.#path.headCents(price, ms, calm);
    geometry.follow(price.close, passedMs, calm);
    geometry.look(nowMs, this.ratio);
    this.#layerWork(serverMs);
    const colors = this.#colors;
    context.setTransform(this.ratio, 0, 0, this.ratio, 0, 0);
    context.fillStyle = colors.ground;
    context.fillRect(0, 0, geometry.width, geometry.height);
    drawLattice(context, geometry, colors);
    drawRanges(context, geometry, this.market.ranges, colors);
    const openMs = geometry.columnStart(serverMs) + 2 * geometry.columnMs;
    // While bets are stopped, the line is lost or the player takes a break, the cells stand back; the banner says why.
    const taken = takesBets(state.breaker, serverMs) && !lineLost(state) && !pauseOf(state.limits, serverMs);
    context.globalAlpha = taken ? 1 : STOPPED_ALPHA;
    this.#layer.blit(context, geometry, openMs);
    context.globalAlpha = 1;
    drawClosed(context, geometry, openMs, colors);
    this.#drawAim(colors);
    const look = { nowMs: serverMs, fillDelayMs: state.rules?.fill_delay_ms ?? 0, colors, calm };
    const marks = marksOf(this.taps.byCell.values(), geometry, look);
    for (const mark of marks) drawMark(context, mark, look);
    this.#path.draw(context, geometry, this.market.ticks, headCents, colors);
    for (const mark of marks) drawLabel(context, mark, colors);
    drawPrices(context, geometry, colors);
    drawNow(context, geometry, headCents, this.market.ticks.at(-2)?.close ?? headCents, colors);
    this.#markFirstPrice();
  }

  #layerWork(nowMs) {
    const column = this.geometry.columnStart(nowMs);
    if (this.offer && (this.#gridTaken !== this.offer || this.layerColumn !== column)) {
      this.#gridTaken = this.offer;
      this.layerColumn = column;
      this.#layer.take(this.offer, this.geometry, this.#colors, this.ratio, nowMs);
    }
    this.#layer.work(this.#colors, this.#motion.matches ? CALM_CELLS_MS : CELLS_MS);
  }

  #drawAim(colors) {
    const { aim } = this;
    if (!aim || this.taps.standing(aim.cellId)) return;
    const { rateBp, open } = this.look(aim);
    if (rateBp === null || !open) return;
    const text = shortMoney(payoutCents(this.state.stakeCents, rateBp));
    drawAim(this.context, this.geometry, aim, text, colors);
  }

  /** Fit canvas and geometry to the element; false while it has no size or no grid is known. */
  #fit() {
    const { canvas, state, geometry } = this;
    const { grid } = state;
    if (!grid) return false;
    const ratio = Math.min(RATIO_MAX, window.devicePixelRatio || 1);
    const fitting = [ratio, grid.column_seconds, grid.row_step_cents, grid.columns.length].join();
    if (this.#fitted === fitting) return true;
    const { clientWidth: width, clientHeight: height } = canvas;
    if (width < 1 || height < 1) return false;
    this.#fitted = fitting;
    this.ratio = ratio;
    canvas.width = Math.round(width * ratio);
    canvas.height = Math.round(height * ratio);
    geometry.fit(width, height, {
      columnMs: grid.column_seconds * 1000, stepCents: grid.row_step_cents, columns: grid.columns.length + 1,
    });
    this.#gridTaken = null;
    return true;
  }

  #markFirstPrice() {
    if (!this.#firstPrice || !this.state.live) return;
    this.#firstPrice = false;
    performance.mark("first-price");
  }
}

function keep(times, ms) {
  times.push(ms);
  if (times.length > FRAMES_KEPT) times.shift();
}
