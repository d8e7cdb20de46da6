// Joins safer play to the game: its panels, the line above the board, the links beside the bets, the reality check.

import { find, make } from "../dom.js";
import { button } from "./fields.js";
import { historyPanel } from "./history.js";
import { limitsPanel } from "./limits.js";
import { moneyPanel } from "./money.js";
import { OwnLimits } from "./own_limits.js";
import { PauseLine } from "./pause_line.js";
import { RealityCheck } from "./reality.js";
import { sessionsPanel } from "./sessions.js";
import { Tabs } from "./tabs.js";
import { texts } from "./texts.js";

/** In the menu's order. */
export const saferPanels = [limitsPanel, historyPanel, moneyPanel, sessionsPanel];

/** Begin; gives what hears of each change of a tap. */
export function joinSafer(app) {
  app.tabs = new Tabs();
  app.ownLimits = new OwnLimits(app);
  new PauseLine(app);
  const reality = new RealityCheck(app);
  showLinks(app);
  return (tap) => {
    app.ownLimits.hear(tap);
    reality.hear(tap);
  };
}

/** Limits and history stand where a player looks who has just lost. */
function showLinks({ state, dialogs }) {
  const links = make("nav", { class: "row side-links", hidden: true, "aria-labelledby": "bets-title" },
    button(texts.history.link, () => dialogs.open("history"), { class: "link" }),
    button(texts.limits.link, () => dialogs.open("limits"), { class: "link" }));
  find("bets-title").after(links);
  state.on(["user"], () => (links.hidden = !state.user));
}
