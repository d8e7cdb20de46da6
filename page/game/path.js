// The price line: each price holds until the next one, so it crosses exactly the cells that count as touched.

const HEAD_MS = 180;
const CORNER_PX = 4;

export class PricePath {
  #fromCents = null;
  #tick = null;
  #sinceMs = 0;

  /** The price at the head of the line: a new one is reached in a moment, not in a jump. */
  headCents(tick, atMs, calm) {
    if (tick !== this.#tick) {
      this.#fromCents = this.#tick === null ? tick.close : this.#shown(atMs);
      this.#tick = tick;
      this.#sinceMs = atMs;
    }
    return calm ? tick.close : this.#shown(atMs);
  }

  #shown(atMs) {
    const part = Math.min(1, (atMs - this.#sinceMs) / HEAD_MS);
    const eased = 1 - (1 - part) ** 3;
    return this.#fromCents + (this.#tick.close - this.#fromCents) * eased;
  }

  /** Draw the line up to now, with a glow beneath and a dot at its head. */
  draw(context, geometry, ticks, headCents, colors) {
    const points = corners(ticks, geometry, headCents);
    if (points.length === 0) return;
    const head = points.at(-1);
    context.lineJoin = "round";
    context.lineCap = "round";
    trace(context, points);
    context.strokeStyle = colors.glow;
    context.globalAlpha = 0.16;
    context.lineWidth = 9;
    context.stroke();
    context.globalAlpha = 1;
    context.strokeStyle = colors.price;
    context.lineWidth = 2.25;
    context.stroke();
    dot(context, head, 11, colors.glow, 0.22);
    dot(context, head, 5, colors.price, 1);
    dot(context, head, 2, colors.ground, 1);
  }
}

/** The corners of the steps that are in view, the last of them at now. */
function corners(ticks, geometry, headCents) {
  const points = [];
  const leftMs = geometry.ms(-20);
  let first = ticks.length - 1;
  while (first > 0 && ticks[first].id > leftMs) first -= 1;
  for (let at = Math.max(0, first); at < ticks.length; at += 1) {
    const { id, close, low, high } = ticks[at];
    const last = at === ticks.length - 1;
    const x = Math.min(geometry.x(id), geometry.nowX);
    if (points.length > 0) points.push([x, points.at(-1)[1]]);
    // A tick of several prices shows how far it reached: that counts as touched too.
    for (const reached of [low, high]) if (reached !== close) points.push([x, geometry.y(reached)]);
    points.push([x, geometry.y(last ? headCents : close)]);
  }
  if (points.length > 0) points.push([geometry.nowX, points.at(-1)[1]]);
  return points;
}

function trace(context, points) {
  context.beginPath();
  context.moveTo(...points[0]);
  for (let at = 1; at < points.length - 1; at += 1) {
    const [x, y] = points[at];
    const before = Math.hypot(x - points[at - 1][0], y - points[at - 1][1]);
    const after = Math.hypot(points[at + 1][0] - x, points[at + 1][1] - y);
    context.arcTo(x, y, ...points[at + 1], Math.min(CORNER_PX, before / 2, after / 2));
  }
  context.lineTo(...points.at(-1));
}

function dot(context, [x, y], radius, color, alpha) {
  context.globalAlpha = alpha;
  context.fillStyle = color;
  context.beginPath();
  context.arc(x, y, radius, 0, 2 * Math.PI);
  context.fill();
  context.globalAlpha = 1;
}
