// A list of the server's, page by page: the newest first, more on demand. The server looks at so many rows for a page,
// and what a filter leaves of them may be few or none: so pages are asked for until there is something to show.

import { make, write } from "../dom.js";
import { errorSentence } from "./errors.js";
import { button } from "./fields.js";
import { texts } from "./texts.js";

const PAGE_ITEMS = 25;
const PAGES_AT_ONCE = 10;

export class Pages {
  #cursor = null;
  #round = 0;

  /** `path()` ends with ? or &; `field` names the list in the answer; `item(one)` makes its element. */
  constructor({ api, path, field, item, empty }) {
    Object.assign(this, { api, path, field, item, empty });
    this.list = make("ul", { class: "entries" });
    this.told = make("p", { class: "muted", role: "status" });
    this.more = button(texts.history.more, () => this.#load(), { hidden: true });
    this.element = make("div", { class: "pages" }, this.list, this.told, this.more);
  }

  /** Show the newest. */
  async renew() {
    this.#cursor = null;
    this.more.hidden = true;
    this.list.replaceChildren();
    await this.#load();
  }

  async #load() {
    const round = (this.#round += 1);
    const first = this.#cursor === null;
    write(this.told, texts.history.loading);
    this.more.disabled = true;
    try {
      const found = await this.#ask(() => round === this.#round);
      if (round === this.#round) this.#take(found, first);
    } catch (error) {
      if (round !== this.#round) return;
      write(this.told, texts.history.failed(errorSentence(error)));
      write(this.more, texts.history.again);
      this.more.hidden = false;
    } finally {
      if (round === this.#round) this.more.disabled = false;
    }
  }

  /** Ask on until there is a row, the end is reached, or it was asked often enough. */
  async #ask(goesOn) {
    let cursor = this.#cursor;
    for (let asked = 1; ; asked += 1) {
      const from = cursor === null ? "" : `&cursor=${encodeURIComponent(cursor)}`;
      const { [this.field]: rows, next_cursor: next } = await this.api.get(`${this.path()}limit=${PAGE_ITEMS}${from}`);
      if (rows.length > 0 || !next || asked === PAGES_AT_ONCE || !goesOn()) return { rows, next };
      cursor = next;
    }
  }

  #take({ rows, next }, first) {
    const items = rows.map(this.item);
    const focused = document.activeElement === this.more;
    this.list.append(...items);
    const none = next ? texts.history.noneYet : first ? this.empty : "";
    write(this.told, items.length === 0 ? none : "");
    this.#cursor = next;
    write(this.more, texts.history.more);
    this.more.hidden = !next;
    // With the last page the button goes: whoever pressed it goes on with what came.
    if (focused && !next && items[0]) {
      items[0].tabIndex = -1;
      items[0].focus();
    }
  }
}
