// The interface as a page: reads /openapi.json, shows every endpoint, and lets one try it.

import { find, make, write } from "../dom.js";
import { settings } from "../settings.js";
import { call, json } from "./calls.js";
import { Interface } from "./interface.js";
import { operationCard } from "./operation.js";
import { texts } from "./texts.js";
import { Visitor } from "./visitor.js";
import { who } from "./who.js";

async function start() {
  if (settings.theme !== "system") document.documentElement.dataset.theme = settings.theme;
  write(find("about"), texts.loading);
  const [document_, rules] = await Promise.all([read("/openapi.json"), read("/api/rules")]);
  const shown = new Interface(document_);
  const visitor = new Visitor(rules);
  sayWhatItIs(document_.info);
  find("who").replaceChildren(...who(visitor));
  find("who").hidden = false;
  show(shown, visitor);
  find("search").hidden = false;
  find("wanted").addEventListener("input", () => search(find("wanted").value.trim().toLowerCase()));
  window.addEventListener("hashchange", openAddressed);
  openAddressed();
}

async function read(path) {
  const answer = await call({ method: "GET", path });
  if (answer.status !== 200) throw new Error(texts.answered(path, answer.status));
  return json(answer);
}

function sayWhatItIs({ description, version }) {
  find("about").replaceChildren(`${description} ${texts.errorsAre} ${texts.version(version)} `,
    make("a", { href: "/openapi.json" }, "openapi.json"), ".");
}

function show(shown, visitor) {
  const links = [];
  for (const [number, { title, operations }] of shown.groups().entries()) {
    const id = `group-${number}`;
    links.push(make("a", { href: `#${id}` }, title));
    find("operations").append(make("section", { id, "aria-labelledby": `${id}-title` },
      make("h2", { id: `${id}-title`, tabindex: "-1" }, title),
      ...operations.map((operation) => operationCard(operation, shown, visitor))));
  }
  find("groups").replaceChildren(...links);
}

/** Leave what has the words: in its address, its name, its sentence or its error codes. */
function search(words) {
  let count = 0;
  for (const section of find("operations").children) {
    const cards = [...section.querySelectorAll(":scope > details")];
    for (const card of cards) {
      card.hidden = !card.dataset.words.includes(words);
      count += card.hidden ? 0 : 1;
    }
    section.hidden = cards.every((card) => card.hidden);
  }
  write(find("found"), words ? texts.found(count) : "");
}

/** Open the endpoint that the address names. */
function openAddressed() {
  const named = document.getElementById(decodeURIComponent(location.hash.slice(1)));
  if (named instanceof HTMLDetailsElement) {
    named.open = true;
    named.querySelector("summary").focus({ preventScroll: true });
  }
  named?.scrollIntoView();
}

start().catch((error) => write(find("about"), texts.broken(error.message)));
