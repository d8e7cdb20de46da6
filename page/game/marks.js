// How a tap looks in its cell: each state has its own shape, so that none depends on colour alone.

import { rate, shortMoney } from "../format.js";
import { shownState } from "./taps.js";

const RADIUS_PX = 5;
/** A longer text is written smaller, rather than squeezed into its cell. */
const LENGTH_AT_EASE = 5;
const REFUSED_SHOWN_MS = 4_000;
const DASHED = { pending: [4, 3], waiting: [4, 3], unknown: [1.5, 3.5] };
const SIGNS = { won: "✓", lost: "✕", void: "↺", refused: "!", unknown: "?", touched: "★" };
const FILLED = new Set(["confirmed", "touched", "won"]);

/** How taps look that are in view now. */
export function marksOf(taps, geometry, { nowMs, fillDelayMs, colors }) {
  const marks = [];
  for (const tap of taps) {
    const shown = shownState(tap, nowMs, fillDelayMs);
    if (shown === "refused" && nowMs - tap.refusedMs > REFUSED_SHOWN_MS) continue;
    const box = geometry.box(tap);
    if (box.x + box.w < 0 || box.x > geometry.width || box.y + box.h < 0 || box.y > geometry.height) continue;
    marks.push({ tap, shown, box, color: colorOf(shown, colors) });
  }
  return marks;
}

/** Draw a mark over its cell; its label is drawn apart. */
export function drawMark(context, { tap, shown, box, color }, { nowMs, fillDelayMs, colors, calm }) {
  ground(context, box, colors);
  if (FILLED.has(shown)) fill(context, box, color, shown === "touched" && !calm ? pulse(nowMs) : 0.92);
  else fill(context, box, color, shown === "lost" ? 0.1 : 0.16);
  if (shown === "void") hatch(context, box, color);
  outline(context, box, color, DASHED[shown] ?? [], shown === "touched" ? 2.5 : 1.75);
  if (shown === "waiting") countdown(context, box, color, (nowMs - tap.sentMs) / fillDelayMs);
}

/** Write what a mark says; a line that runs through the cell gives way around the letters. */
export function drawLabel(context, { tap, shown, box, color }, colors) {
  const filled = FILLED.has(shown);
  write(context, box, filled ? colors.onMark : color, labelOf(tap, shown), colors, filled ? color : colors.ground);
}

/** Mark the cell that a tap now would bet on. */
export function drawAim(context, geometry, cell, text, colors) {
  const box = geometry.box(cell);
  ground(context, box, colors);
  fill(context, box, colors.cell, 0.62);
  outline(context, box, colors.text, [], 2);
  if (text) write(context, box, colors.text, text, colors);
}

function colorOf(shown, colors) {
  if (shown === "pending" || shown === "waiting" || shown === "confirmed") return colors.accent;
  return colors[shown];
}

/** What stands in a tapped cell. */
export function labelOf(tap, shown) {
  if (shown === "won") return `${SIGNS.won} ${shortMoney(tap.payoutCents)}`;
  if (shown === "touched") return `${SIGNS.touched} ${rate(tap.rateBp)}`;
  if (SIGNS[shown]) return SIGNS[shown];
  if (shown === "confirmed") return rate(tap.rateBp);
  return shortMoney(tap.stakeCents);
}

function shape(context, { x, y, w, h }) {
  context.beginPath();
  context.roundRect(x, y, w, h, RADIUS_PX);
}

function ground(context, box, colors) {
  fill(context, box, colors.ground, 1);
}

function fill(context, box, color, alpha) {
  context.globalAlpha = alpha;
  context.fillStyle = color;
  shape(context, box);
  context.fill();
  context.globalAlpha = 1;
}

function outline(context, box, color, dash, width) {
  const inset = width / 2;
  context.setLineDash(dash);
  context.strokeStyle = color;
  context.lineWidth = width;
  shape(context, { x: box.x + inset, y: box.y + inset, w: box.w - width, h: box.h - width });
  context.stroke();
  context.setLineDash([]);
}

function hatch(context, box, color) {
  context.save();
  shape(context, box);
  context.clip();
  context.globalAlpha = 0.35;
  context.strokeStyle = color;
  context.lineWidth = 1;
  context.beginPath();
  for (let x = box.x - box.h; x < box.x + box.w; x += 6) {
    context.moveTo(x, box.y + box.h);
    context.lineTo(x + box.h, box.y);
  }
  context.stroke();
  context.restore();
}

function countdown(context, box, color, part) {
  context.fillStyle = color;
  context.fillRect(box.x + 3, box.y + box.h - 5, (box.w - 6) * Math.min(1, Math.max(0, part)), 3);
}

function write(context, { x, y, w, h }, color, text, colors, around = null) {
  context.fillStyle = color;
  context.textAlign = "center";
  context.textBaseline = "middle";
  context.font = colors.font(text.length > LENGTH_AT_EASE ? 10.5 : 12, 700);
  if (around) {
    context.lineWidth = 4;
    context.lineJoin = "round";
    context.strokeStyle = around;
    context.strokeText(text, x + w / 2, y + h / 2 + 0.5, w - 4);
  }
  context.fillText(text, x + w / 2, y + h / 2 + 0.5, w - 4);
}

const pulse = (nowMs) => 0.8 + 0.2 * Math.sin(nowMs / 160);
