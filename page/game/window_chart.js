// Why a bet ended as it did: the price in its window, drawn over its band.

import { drawing } from "../dom.js";
import { money, time } from "../format.js";
import { texts } from "../texts.js";

const WIDTH = 288;
const HEIGHT = 132;
const LEFT = 8;
const RIGHT = 280;
const TOP = 14;
const BOTTOM = 112;

/** Draw the window of a tap with the ticks that decide it: the one carried in, and those in it. */
export function windowChart(tap, ticks, widthMs) {
  const startMs = tap.startS * 1000;
  const reached = ticks.flatMap((tick) => (tick.id <= startMs ? [tick.close] : [tick.low, tick.high]));
  // The two prices that decided it: the band's bound that was nearest, and how near the price came.
  const isAbove = tap.lowCents > Math.max(...reached);
  const isBelow = tap.highCents < Math.min(...reached);
  const boundCents = isAbove ? tap.lowCents : tap.highCents;
  const nearestCents = isAbove ? Math.max(...reached) : isBelow ? Math.min(...reached) : ticks.at(-1)?.close;
  const lowest = Math.min(tap.lowCents, ...reached);
  const highest = Math.max(tap.highCents, ...reached);
  const spare = Math.max(100, (highest - lowest) * 0.12);
  const y = (cents) => BOTTOM - ((cents - lowest + spare) / (highest - lowest + 2 * spare)) * (BOTTOM - TOP);
  const x = (ms) => LEFT + ((Math.max(ms, startMs) - startMs) / widthMs) * (RIGHT - LEFT);
  const svg = drawing("svg", {
    viewBox: `0 0 ${WIDTH} ${HEIGHT}`, class: "window-chart", role: "img", "aria-label": texts.bets.pathLabel,
  });
  svg.append(
    drawing("rect", { class: "frame", x: LEFT, y: TOP, width: RIGHT - LEFT, height: BOTTOM - TOP }),
    drawing("rect", {
      class: `band ${tap.state}`, x: LEFT, width: RIGHT - LEFT, y: y(tap.highCents),
      height: Math.max(3, y(tap.lowCents) - y(tap.highCents)),
    }),
    label(LEFT + 5, y(boundCents) + (isAbove ? 14 : -4), money(boundCents)),
    label(LEFT, HEIGHT - 6, time(startMs)),
    label(RIGHT, HEIGHT - 6, time(startMs + widthMs), "end"),
  );
  if (ticks.length > 0) {
    svg.append(drawing("path", { class: "price", d: steps(ticks, x, y, startMs + widthMs) }));
    const dots = ticks.map(({ id, close }) => drawing("circle", { class: "tick", cx: x(id), cy: y(close), r: 2.5 }));
    svg.append(...dots);
    const isHigh = isAbove ? false : isBelow || nearestCents > (lowest + highest) / 2;
    svg.append(label(RIGHT - 5, y(nearestCents) + (isHigh ? 14 : -6), money(nearestCents), "end"));
  }
  return svg;
}

/** Each price holds until the next. */
function steps(ticks, x, y, endMs) {
  const path = [`M${x(ticks[0].id)} ${y(ticks[0].close)}`];
  for (const tick of ticks.slice(1)) {
    path.push(`H${x(tick.id)}`);
    for (const cents of [tick.low, tick.high, tick.close]) path.push(`V${y(cents)}`);
  }
  return `${path.join("")}H${x(endMs)}`;
}

function label(x, y, text, anchor = "start") {
  return drawing("text", { x, y, "text-anchor": anchor }, text);
}
