// Panels that open over the game: each has a title, a body of its own, and a line in the menu if it wants one.

import { find, icon, make } from "../dom.js";
import { texts } from "../texts.js";

/**
 * Add a panel: `id`, `title`, `mount(body, app)` once when it is first opened, `shown(app)` each time it is;
 * with `label` it stands in the menu; `when(state)` tells whether it may be open now.
 */
export class Dialogs {
  #panels = new Map();

  constructor(app) {
    this.app = app;
    this.menu = find("menu");
    const button = find("menu-button");
    button.replaceChildren(icon("menu"));
    button.addEventListener("click", () => this.#toggleMenu(this.menu.hidden));
    document.addEventListener("click", ({ target }) => {
      if (!this.menu.contains(target) && !button.contains(target)) this.#toggleMenu(false);
    });
    document.addEventListener("keydown", ({ key }) => {
      if (key !== "Escape" || this.menu.hidden) return;
      this.#toggleMenu(false);
      button.focus();
    });
    app.state.on(["user"], () => this.#sift());
  }

  add(panel) {
    const heading = make("h2", { id: `${panel.id}-title` }, panel.title);
    const close = make("button", { type: "button", class: "quiet", "aria-label": texts.close }, "✕");
    const body = make("div", { class: "body" });
    const dialog = make("dialog", { id: panel.id, "aria-labelledby": heading.id },
      make("header", {}, heading, close), body);
    close.addEventListener("click", () => dialog.close());
    // A click beside the panel closes it: only there the dialog itself is the target.
    dialog.addEventListener("click", ({ target }) => target === dialog && dialog.close());
    document.body.append(dialog);
    const item = panel.label ? make("button", { type: "button" }, panel.label) : null;
    item?.addEventListener("click", () => this.open(panel.id));
    if (item) this.menu.append(item);
    this.#panels.set(panel.id, { ...panel, dialog, body, item, mounted: false });
    this.#sift();
  }

  open(id) {
    const panel = this.#panels.get(id);
    this.#toggleMenu(false);
    if (!panel.mounted) panel.mount(panel.body, this.app);
    panel.mounted = true;
    if (!panel.dialog.open) panel.dialog.showModal();
    panel.shown?.(this.app);
  }

  /** Go from one panel to another; two of them over each other would hide little of the lower one. */
  replace(id, other) {
    this.close(id);
    this.open(other);
  }

  close(id) {
    this.#panels.get(id).dialog.close();
  }

  #sift() {
    for (const { dialog, item, when } of this.#panels.values()) {
      const allowed = when?.(this.app.state) ?? true;
      if (item) item.hidden = !allowed;
      // What belongs to an account does not stay open when its session has ended.
      if (!allowed) dialog.close();
    }
  }

  #toggleMenu(shown) {
    this.menu.hidden = !shown;
    find("menu-button").setAttribute("aria-expanded", String(shown));
    if (shown) this.menu.querySelector("button:not([hidden])")?.focus();
  }
}
