// One stream for all tabs of this browser: a shared worker reads it and hands every event to each tab.

import { SHORT, StreamReader } from "../client/reader.js";

const ports = new Set();
const newest = new Map();
let connection = "connecting";

const onState = (/** @type {string} */ state) => {
  connection = state;
  tell({ kind: "connection", state });
};
const reader = new StreamReader(hear, onState, { path: SHORT });

self.addEventListener("connect", ({ ports: [port] }) => {
  port.addEventListener("message", ({ data }) => take(port, data));
  port.start();
});

function take(port, { kind }) {
  if (kind === "join") join(port);
  else if (kind === "leave") leave(port);
  else if (kind === "check") reader.check();
  else if (kind === "restart") {
    newest.clear();
    reader.restart();
  }
}

/** A tab that comes late gets what it has missed: the newest of each kind; its own account it asks for itself. */
function join(port) {
  ports.add(port);
  reader.start();
  port.postMessage({ kind: "connection", state: connection });
  for (const event of newest.values()) port.postMessage({ kind: "event", event });
}

function leave(port) {
  ports.delete(port);
  if (ports.size === 0) reader.stop();
}

function hear(event) {
  remember(event);
  tell({ kind: "event", event });
}

function remember(event) {
  if (event.type === "hello") newest.set("hello", event);
  else if (event.type === "snapshot" || event.type === "reset") {
    const { balance, open_bets: openBets, ...everybody } = event.data;
    for (const kind of ["price", "grid", "status", "touched"]) newest.delete(kind);
    newest.set("snapshot", { type: "snapshot", id: event.id, data: { ...everybody, late: true } });
  } else if (["price", "grid", "status", "touched"].includes(event.type)) {
    newest.set(event.type, event);
  }
}

function tell(message) {
  for (const port of ports) port.postMessage(message);
}
