// A list of the server's, page by page: the newest first, more on demand.

import { make, write } from "../dom.js";
import { errorSentence } from "./errors.js";
import { button } from "./fields.js";
import { texts } from "./texts.js";

const PAGE_ITEMS = 25;

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
      const from = first ? "" : `&cursor=${encodeURIComponent(this.#cursor)}`;
      const answer = await this.api.get(`${this.path()}limit=${PAGE_ITEMS}${from}`);
      if (round === this.#round) this.#take(answer, first);
    } catch (error) {
      if (round !== this.#round) return;
      write(this.told, texts.history.failed(errorSentence(error)));
      write(this.more, texts.history.again);
      this.more.hidden = false;
    } finally {
      if (round === this.#round) this.more.disabled = false;
    }
  }

  #take({ [this.field]: found, next_cursor: next }, first) {
    const items = found.map(this.item);
    const focused = document.activeElement === this.more;
    this.list.append(...items);
    write(this.told, first && items.length === 0 ? this.empty : "");
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
