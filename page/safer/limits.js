// "Limits and breaks": the breaks first, since who needs one needs it now, then the limits.

import { make, write } from "../dom.js";
import { Breaks } from "./breaks.js";
import { LimitForm } from "./limit_form.js";
import { texts } from "./texts.js";

const GATHER_MS = 300;

export const limitsPanel = {
  id: "limits",
  title: texts.limits.title,
  label: texts.limits.title,
  when: (state) => Boolean(state.user),
  mount(body, app) {
    this.wait = make("p", { class: "muted", role: "status" }, texts.limits.loading);
    this.breaks = new Breaks(app);
    this.form = new LimitForm(app);
    body.append(this.wait, this.breaks.element, this.form.element);
    app.state.on(["limits"], () => this.sift(app.state));
    app.state.on(["balanceCents"], () => this.recount(body.closest("dialog"), app.ownLimits));
  },
  shown(app) {
    this.breaks.reset();
    this.form.reset();
    this.sift(app.state);
    app.ownLimits.load();
  },
  /** What is used changes with the money; the bets of a column end together. */
  recount(dialog, ownLimits) {
    clearTimeout(this.timer);
    if (dialog.open) this.timer = setTimeout(() => ownLimits.load(), GATHER_MS);
  },
  sift({ limits }) {
    write(this.wait, limits ? "" : texts.limits.loading);
    this.wait.hidden = Boolean(limits);
    this.breaks.element.hidden = !limits;
    this.form.element.hidden = !limits;
  },
};
