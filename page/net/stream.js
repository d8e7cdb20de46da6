// The tab's side of the stream: by the shared worker where there is one, else by a reader of its own.

import { SHORT, StreamReader } from "../client/reader.js";

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
  let port = null;
  const hear = ({ data }) => {
    if (data.kind === "event") onEvent(data.event);
    else if (data.kind === "connection") onState(data.state);
  };
  const join = () => {
    if (port) return;
    const url = new URL("./stream_worker.js", import.meta.url);
    ({ port } = new SharedWorker(url, { type: "module", name: "taptrade-stream-1" }));
    port.addEventListener("message", hear);
    port.start();
    port.postMessage({ kind: "join" });
  };
  try {
    join();
  } catch {
    return null; // private modes forbid it in some browsers
  }
  const say = (kind) => port?.postMessage({ kind });
  return {
    check: () => {
      join();
      say("check");
    },
    restart: () => say("restart"),
    hide: () => {},
    leave: () => {
      say("leave");
      // A page that is kept for the way back is thrown away when a message reaches it.
      port?.close();
      port = null;
    },
  };
}

function ownLine(onEvent, onState) {
  const reader = new StreamReader(onEvent, onState, { path: SHORT });
  if (!document.hidden) reader.start();
  return {
    check: () => reader.check(),
    restart: () => reader.restart(),
    hide: () => reader.stop(),
    leave: () => reader.stop(),
  };
}
