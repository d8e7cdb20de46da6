// What lies under line and taps: price lattice with its labels, ranges that windows touched, the closed columns.

import { texts } from "../texts.js";

const prices = new Intl.NumberFormat("en-US", { maximumFractionDigits: 0 });
const exact = new Intl.NumberFormat("en-US", { minimumFractionDigits: 2, maximumFractionDigits: 2 });
const LABEL_EVERY_PX = 56;

/** Faint lines at whole bands. */
export function drawLattice(context, geometry, colors) {
  context.globalAlpha = 0.55;
  context.fillStyle = colors.edge;
  for (const { y } of lattice(geometry)) context.fillRect(0, y, geometry.width, 1);
  context.globalAlpha = 1;
}

/** The lattice's prices at the left edge, in sight wherever the line runs. */
export function drawPrices(context, geometry, colors) {
  context.font = colors.font(11);
  context.textAlign = "left";
  context.textBaseline = "middle";
  context.lineWidth = 4;
  context.lineJoin = "round";
  context.strokeStyle = colors.ground;
  context.fillStyle = colors.muted;
  for (const { cents, y } of lattice(geometry)) {
    const text = prices.format(cents / 100);
    context.strokeText(text, 8, y - 8);
    context.fillText(text, 8, y - 8);
  }
}

function lattice(geometry) {
  const every = Math.max(1, Math.ceil(LABEL_EVERY_PX / geometry.rowPx)) * geometry.stepCents;
  const lines = [];
  let cents = Math.floor(geometry.cents(geometry.height) / every) * every;
  for (; geometry.y(cents) > -20; cents += every) lines.push({ cents, y: Math.round(geometry.y(cents)) });
  return lines;
}

/** The range that each window in view has touched; in the running one, its cells stand out as well. */
export function drawRanges(context, geometry, ranges, colors) {
  const { columnMs, columnPx, stepCents, nowMs, rowPx } = geometry;
  context.fillStyle = colors.price;
  for (const [startS, { low, high }] of ranges) {
    const x = geometry.x(startS * 1000);
    if (x + columnPx < 0 || x > geometry.width) continue;
    const running = startS * 1000 <= nowMs && nowMs < startS * 1000 + columnMs;
    const y = geometry.y(high) - 2;
    context.globalAlpha = running ? 0.34 : 0.13;
    context.beginPath();
    context.roundRect(x + 1, y, columnPx - 2, geometry.y(low) + 2 - y, 2);
    context.fill();
    if (!running) continue;
    context.globalAlpha = 0.12;
    for (let cents = Math.ceil(low / stepCents - 1) * stepCents; cents <= high; cents += stepCents) {
      context.beginPath();
      context.roundRect(x + 1, geometry.y(cents) - rowPx + 1, columnPx - 2, rowPx - 2, 5);
      context.fill();
    }
  }
  context.globalAlpha = 1;
}

/** The running column and the next: no more bets there; a line where the open ones begin. */
export function drawClosed(context, geometry, openMs, colors) {
  const { nowX, height } = geometry;
  const endX = geometry.x(openMs);
  context.fillStyle = colors.edge;
  context.globalAlpha = 0.22;
  context.fillRect(nowX, 0, endX - nowX, height);
  context.globalAlpha = 0.9;
  context.strokeStyle = colors.edge;
  context.lineWidth = 1;
  for (let ms = geometry.originMs + geometry.columnMs; ms < openMs; ms += geometry.columnMs) {
    line(context, geometry.x(ms), height, [2, 5]);
  }
  context.strokeStyle = colors.muted;
  line(context, endX, height, []);
  context.globalAlpha = 1;
  if (endX - nowX < 44) return;
  context.fillStyle = colors.muted;
  context.font = colors.font(11);
  context.textAlign = "center";
  context.textBaseline = "top";
  context.fillText(texts.board.closed, (nowX + endX) / 2, 8);
}

/** The line of now, and the price on it. */
export function drawNow(context, geometry, headCents, beforeCents, colors) {
  const { nowX, height } = geometry;
  context.strokeStyle = colors.price;
  context.globalAlpha = 0.55;
  context.lineWidth = 1;
  line(context, nowX, height, [3, 4]);
  context.globalAlpha = 1;
  const text = exact.format(Math.round(headCents) / 100);
  context.font = colors.font(12, 700);
  const w = context.measureText(text).width + 14;
  const x = Math.max(4, nowX - w / 2);
  // On the side that the price does not come from, so that the line stays in sight.
  const awayPx = headCents < beforeCents ? 30 : -30;
  const y = Math.min(height - 14, Math.max(14, geometry.y(headCents) + awayPx));
  context.fillStyle = colors.price;
  context.beginPath();
  context.roundRect(x, y - 11, w, 22, 6);
  context.fill();
  context.fillStyle = colors.ground;
  context.textAlign = "center";
  context.textBaseline = "middle";
  context.fillText(text, x + w / 2, y + 0.5);
}

function line(context, x, height, dash) {
  context.setLineDash(dash);
  context.beginPath();
  context.moveTo(Math.round(x) + 0.5, 0);
  context.lineTo(Math.round(x) + 0.5, height);
  context.stroke();
  context.setLineDash([]);
}
