// The line above the board while the player takes a break, with the way to what it means.

import { find, make, write } from "../dom.js";
import { button } from "./fields.js";
import { pauseOf } from "./own_limits.js";
import { texts } from "./texts.js";

export class PauseLine {
  constructor({ state, clock, dialogs }) {
    Object.assign(this, { state, clock });
    this.text = make("span");
    const open = button(texts.limits.link, () => dialogs.open("limits"), { class: "link" });
    this.line = make("p", { class: "banner pause", hidden: true }, this.text, " ", open);
    find("banners").append(this.line);
    state.on(["limits"], () => this.#show());
  }

  #show() {
    const pause = pauseOf(this.state.limits, this.clock.nowMs());
    this.line.hidden = !pause;
    write(this.text, pause ? texts.breaks.banner[pause.name](pause.untilMs) : "");
  }
}
