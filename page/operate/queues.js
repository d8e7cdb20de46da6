// The queues: what waits, is begun and has failed, who works on it; and where rq-dashboard is.

import { make } from "../dom.js";
import { panel, state, table } from "./panel.js";
import { texts } from "./texts.js";

const COLUMNS = [
  { name: texts.queues.queue }, { name: texts.queues.waiting, number: true },
  { name: texts.queues.begun, number: true }, { name: texts.queues.failed, number: true },
  { name: texts.queues.workers },
];

export class Queues {
  constructor() {
    this.body = make("div");
    this.link = make("a", { rel: "noreferrer noopener", target: "_blank" }, texts.queues.dashboard);
    this.element = panel(texts.queues.title, {}, this.body,
      make("p", { class: "quiet" }, this.link, texts.queues.key, make("code", {}, "taptrade dashboard"), "."));
  }

  show({ queues, dashboard_domain: domain }) {
    const rows = queues.map((queue) => [
      queue.name, String(queue.waiting), String(queue.started),
      queue.failed ? state(String(queue.failed), "warn") : "0",
      queue.workers.length ? queue.workers.map((one) => `${one.name} (${one.state})`).join(", ")
        : state(texts.queues.nobody, "bad"),
    ]);
    this.body.replaceChildren(table(texts.queues.title, COLUMNS, rows));
    this.link.href = `http://${domain}/`;
  }
}
