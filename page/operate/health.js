// Health: the checks as /healthz has them, bets a second, backup and audit.

import { drawing, make } from "../dom.js";
import { duration } from "../format.js";
import { figure, Kept, panel, state } from "./panel.js";
import { texts } from "./texts.js";

const KEPT_LOOKS = 60;
const WIDTH = 180;
const HEIGHT = 36;
const BACKUP_LATE_MS = 2 * 3_600_000;
const AUDIT_LATE_MS = 26 * 3_600_000;

export class Health {
  #rates = [];

  constructor() {
    this.checks = make("ul", { class: "checks" });
    this.figures = make("dl", { class: "figures" });
    this.line = drawing("polyline", { class: "spark", fill: "none", points: "" });
    this.spark = drawing("svg", {
      viewBox: `0 0 ${WIDTH} ${HEIGHT}`, class: "sparkline", preserveAspectRatio: "none", role: "img",
      "aria-label": texts.health.sparkline,
    }, this.line);
    this.element = panel(texts.health.title, {}, this.figures, this.spark, this.checks);
    this.kept = new Kept(this.checks);
  }

  show({ checks, bets, backup, audit, server_time_ms: nowMs }) {
    this.kept.show(checks, (found) => Object.entries(found).map(([name, check]) =>
      make("li", {}, state(check.ok ? texts.well : texts.ill, check.ok ? "good" : "bad"),
        make("span", { class: "part" }, texts.health.parts[name] ?? name),
        make("span", { class: "quiet" }, check.detail))));
    this.figures.replaceChildren(
      figure(texts.health.pace, texts.health.perSecond(bets.per_second), texts.health.minute(bets.last_minute)),
      figure(texts.health.waiting, String(bets.waiting)),
      figure(texts.health.backup, ...age(backup?.made_ms, nowMs, BACKUP_LATE_MS)),
      figure(texts.health.audit, ...audited(audit, nowMs)),
    );
    this.#draw(bets.per_second);
  }

  #draw(perSecond) {
    this.#rates = [...this.#rates, perSecond].slice(-KEPT_LOOKS);
    const most = Math.max(1, ...this.#rates);
    const step = WIDTH / (KEPT_LOOKS - 1);
    const from = KEPT_LOOKS - this.#rates.length;
    const points = this.#rates.map((rate, at) =>
      `${((from + at) * step).toFixed(1)},${(HEIGHT - 2 - (rate / most) * (HEIGHT - 4)).toFixed(1)}`);
    this.line.setAttribute("points", points.join(" "));
  }
}

function age(ms, nowMs, lateMs) {
  if (ms === undefined) return [state(texts.health.none, "warn")];
  const text = texts.health.ago(duration(nowMs - ms));
  return [nowMs - ms > lateMs ? state(text, "bad") : text];
}

function audited(audit, nowMs) {
  if (!audit) return [state(texts.health.none, "quiet")];
  const found = texts.health.findings(audit.findings);
  const [when] = age(audit.at_ms, nowMs, AUDIT_LATE_MS);
  return [audit.findings ? state(found, "bad") : when, audit.findings ? "" : found];
}
