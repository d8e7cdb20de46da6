// The tab's side of the stream: by the shared worker where there is one, else by a reader of its own.

import { StreamReader } from "./reader.js";

export class Stream {
  #line;

  constructor(onEvent, onState) {
    this.#line = sharedLine(onEvent, onState) ?? ownLine(onEvent, onState);
    document.addEventListener("visibilitychange", () => (document.hidden ? this.#line.hide() : this.#line.check()));
    window.addEventListener("pageshow", ({ persisted }) => persisted && this.#line.check());
    window.addEventListener("pagehide", () => this.#line.leave());
    document.addEventListener("resume", () => this.#line.check());
    window.addEventListener("online", () => this.#line.check());
  }

  /** Begin anew: the session is another one now. */
  restart() {
    this.#line.restart();
  }
}

function sharedLine(onEvent, onState) {
  if (typeof SharedWorker !== "function") return null;
  let port;
  try {
    const worker = new SharedWorker(new URL("./stream_worker.js", import.meta.url), {
      type: "module", name: "taptrade-stream-1",
    });
    port = worker.port;
  } catch {
    return null; // private modes forbid it in some browsers
  }
  let joined = false;
  const say = (kind) => port.postMessage({ kind });
  const join = () => {
    if (!joined) say("join");
    joined = true;
  };
  port.addEventListener("message", ({ data }) => {
    if (data.kind === "event") onEvent(data.event);
    else if (data.kind === "connection") onState(data.state);
  });
  port.start();
  join();
  return {
    check: () => {
      join();
      say("check");
    },
    restart: () => say("restart"),
    hide: () => {},
    leave: () => {
      if (joined) say("leave");
      joined = false;
    },
  };
}

function ownLine(onEvent, onState) {
  const reader = new StreamReader(onEvent, onState);
  if (!document.hidden) reader.start();
  return {
    check: () => reader.check(),
    restart: () => reader.restart(),
    hide: () => reader.stop(),
    leave: () => reader.stop(),
  };
}
