// A list as one spreadsheet: all its pages, asked for one after the other and saved as a file.

import { make, write } from "../dom.js";
import { ApiError, LineError, TIMEOUT_MS, insist } from "../client/api.js";
import { errorSentence } from "./errors.js";
import { button, said } from "./fields.js";
import { texts } from "./texts.js";

const PAGE_LINES = 500;

/** A button that saves the list at `path()` (without its cursor) under a name that begins with `stem`. */
export class SheetButton {
  #stop = null;

  constructor(text, stem, path) {
    Object.assign(this, { text, stem, path });
    this.button = button(text, () => (this.#stop ? this.#stop.abort() : this.#save()));
    this.said = said();
    this.element = make("div", { class: "sheet" }, this.button, this.said);
  }

  async #save() {
    const stop = new AbortController();
    this.#stop = stop;
    write(this.button, texts.sheet.stop);
    write(this.said, texts.sheet.progress(0));
    try {
      const { text, lines, week } = await wholeSheet(this.path(), stop.signal,
        (count) => write(this.said, texts.sheet.progress(count)));
      const name = `${this.stem}-${new Date().toISOString().slice(0, 10)}.csv`;
      saveFile(name, text);
      write(this.said, texts.sheet.done(lines, name) + (week ? ` ${texts.sheet.archived(week)}` : ""));
    } catch (error) {
      write(this.said, stop.signal.aborted ? texts.sheet.stopped : texts.sheet.failed(errorSentence(error)));
    } finally {
      this.#stop = null;
      write(this.button, this.text);
    }
  }
}

/** All pages as one text with one head, up to the archived week, if older lines lie in one; `onLines` hears how many there are. */
export async function wholeSheet(path, signal, onLines) {
  const parts = [];
  let lines = 0;
  let cursor = "";
  do {
    const from = cursor ? `&cursor=${encodeURIComponent(cursor)}` : "";
    let page;
    try {
      page = await insist(() => askPage(`${path}limit=${PAGE_LINES}${from}`, signal));
    } catch (error) {
      if (error.code !== "ARCHIVED" || parts.length === 0) throw error;
      return { text: parts.join(""), lines, week: error.problem.week };
    }
    const headEnd = page.text.indexOf("\r\n") + 2;
    const body = page.text.slice(headEnd);
    parts.push(parts.length === 0 ? page.text : body);
    lines += body.split("\r\n").length - 1;
    onLines(lines);
    cursor = page.next;
  } while (cursor);
  return { text: parts.join(""), lines, week: "" };
}

async function askPage(path, signal) {
  signal.throwIfAborted();
  let response;
  let text;
  try {
    response = await fetch(path, {
      headers: { Accept: "text/csv" }, credentials: "same-origin", cache: "no-store",
      signal: AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MS)]),
    });
    text = await response.text();
  } catch (error) {
    signal.throwIfAborted();
    throw new LineError(error.message);
  }
  if (response.ok) return { text, next: response.headers.get("X-Next-Cursor") ?? "" };
  throw new ApiError(response.status, problemOf(text), Number(response.headers.get("Retry-After")) * 1000 || null);
}

function problemOf(text) {
  try {
    return JSON.parse(text) ?? {};
  } catch {
    return {};
  }
}

function saveFile(name, text) {
  const address = URL.createObjectURL(new Blob([text], { type: "text/csv;charset=utf-8" }));
  const link = make("a", { href: address, download: name });
  link.click();
  // The browser reads the blob after the click: it must still be there.
  setTimeout(() => URL.revokeObjectURL(address), 60_000);
}
