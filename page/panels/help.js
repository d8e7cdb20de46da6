// "How it works": five sentences, what the marks mean, and where bets are proven.

import { make } from "../dom.js";
import { texts } from "../texts.js";

const MARKS = {
  pending: "$5", waiting: "$5", confirmed: "2.48x", touched: "★", won: "✓", lost: "✕", void: "↺", refused: "!",
  unknown: "?",
};

export const helpPanel = {
  id: "help",
  title: texts.help.title,
  label: texts.help.title,
  mount: (body, app) => app.state.on(["rules"], () => fill(body, app.state)),
  shown: (app) => fill(document.querySelector("#help .body"), app.state),
};

function fill(body, { rules, grid }) {
  const sentences = texts.help.sentences(edgeSentence(grid), rules?.source ?? "", rules?.column_seconds ?? 5);
  const marks = Object.entries(MARKS).map(([state, sign]) => make("li", { "data-state": state },
    make("span", { class: "mark", "aria-hidden": "true" }, sign),
    make("span", {}, make("strong", {}, stateName(state)), ` ${texts.legend[state]}`)));
  body.replaceChildren(
    make("ol", { class: "sentences" }, ...sentences.map((sentence) => make("li", {}, sentence))),
    make("p", {}, texts.help.proof),
    make("h3", {}, texts.help.states),
    make("ul", { class: "marks" }, ...marks),
  );
}

const stateName = (state) => (state === "waiting" ? texts.waiting : texts.states[state]);

function edgeSentence(grid) {
  const edges = (grid?.model?.edges ?? []).map((stretch) => stretch.edge_bp);
  if (edges.length === 0) return texts.help.edgeUnknown;
  const { percent } = texts.units;
  return texts.help.edge(percent(Math.min(...edges)), percent(Math.max(...edges)));
}
