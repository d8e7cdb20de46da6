// The price around a bet's window, drawn over its band, with what it reached at the lowest and the highest.

import { drawing } from "../dom.js";
import { money, time } from "../format.js";
import { extremes } from "./recount.js";
import { texts } from "./texts.js";

const HEIGHT = 300;
const TOP = 26;
const BOTTOM = 268;
const SIDE = 4;
const WIDTH_MIN = 280;

/** Return the chart: `window` has startMs and endMs, `ticks` may begin before it and end behind it. */
export function chart(bet, window, ticks, width) {
  const scale = scaleOf(bet, window, ticks, Math.max(WIDTH_MIN, width));
  const svg = drawing("svg", {
    viewBox: `0 0 ${scale.width} ${HEIGHT}`, width: scale.width, height: HEIGHT,
    class: "chart", role: "img", "aria-label": texts.chart.label,
  });
  svg.append(...scenery(bet, window, scale));
  if (ticks.length > 0) svg.append(drawing("path", { class: "price", d: steps(ticks, scale) }));
  svg.append(...marks(window, ticks, scale));
  return svg;
}

function scaleOf(bet, window, ticks, width) {
  const cents = ticks.flatMap((tick) => [tick.low, tick.high]);
  const lowest = cents.reduce((least, one) => Math.min(least, one), bet.low_cents);
  const highest = cents.reduce((most, one) => Math.max(most, one), bet.high_cents);
  const spare = Math.max(50, (highest - lowest) * 0.1);
  const spareMs = (window.endMs - window.startMs) / 2;
  const fromMs = window.startMs - spareMs;
  const spanMs = window.endMs + spareMs / 2 - fromMs;
  return {
    width, fromMs, toMs: fromMs + spanMs,
    x: (ms) => Math.min(width - SIDE, Math.max(SIDE, SIDE + ((ms - fromMs) / spanMs) * (width - 2 * SIDE))),
    y: (one) => BOTTOM - ((one - lowest + spare) / (highest - lowest + 2 * spare)) * (BOTTOM - TOP),
  };
}

function scenery(bet, window, { width, x, y }) {
  const [left, right] = [x(window.startMs), x(window.endMs)];
  const [top, bottom] = [y(bet.high_cents), y(bet.low_cents)];
  return [
    drawing("rect", { class: "window", x: left, y: TOP, width: right - left, height: BOTTOM - TOP }),
    drawing("rect", { class: `band ${bet.status}`, x: left, y: top, width: right - left, height: bottom - top }),
    drawing("line", { class: "edge", x1: SIDE, x2: width - SIDE, y1: top, y2: top }),
    drawing("line", { class: "edge", x1: SIDE, x2: width - SIDE, y1: bottom, y2: bottom }),
    label(SIDE, top - 5, money(bet.high_cents)),
    label(SIDE, bottom + 15, money(bet.low_cents)),
    label((left + right) / 2, TOP - 9, texts.chart.window, "middle"),
    label(left, HEIGHT - 12, time(window.startMs), "middle"),
    label(right, HEIGHT - 12, time(window.endMs), "middle"),
  ];
}

/** The lowest and the highest point of the window, each with its price. */
function marks(window, ticks, { width, x, y }) {
  const path = inside(window, ticks);
  const { low, high } = extremes(path, window.startMs);
  if (low === null) return [];
  const found = [[low, "low", 20, texts.chart.lowest], [high, "high", -11, texts.chart.highest]];
  return found.flatMap(([cents, field, below, say]) => {
    const tick = path.find((one) => (one.id < window.startMs ? one.close : one[field]) === cents);
    const at = x(Math.max(tick.id, window.startMs));
    const anchor = at > width / 2 ? "end" : "start";
    return [
      drawing("circle", { class: "extreme", cx: at, cy: y(cents), r: 4.5 }),
      drawing("text", { class: "extreme-text", x: at, y: y(cents) + below, "text-anchor": anchor }, say(cents)),
    ];
  });
}

/** The ticks that count: those within, and the one carried in. */
export function inside(window, ticks) {
  const within = ticks.filter(({ id }) => id >= window.startMs && id < window.endMs);
  const carried = within[0]?.id === window.startMs ? null : ticks.findLast(({ id }) => id <= window.startMs);
  return carried ? [carried, ...within] : within;
}

/** Each price holds until the next. */
function steps(ticks, { x, y, toMs }) {
  const path = [`M${x(ticks[0].id)} ${y(ticks[0].close)}`];
  for (const tick of ticks.slice(1)) {
    path.push(`H${x(tick.id)}`);
    for (const cents of [tick.low, tick.high, tick.close]) path.push(`V${y(cents)}`);
  }
  const last = ticks.at(-1);
  return `${path.join("")}H${x(Math.min(toMs, Math.max(last.id, Date.now() < toMs ? last.id : toMs)))}`;
}

function label(x, y, text, anchor = "start") {
  return drawing("text", { x, y, "text-anchor": anchor }, text);
}
