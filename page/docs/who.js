// Signing in and out on the page of the interface.

import { make, write } from "../dom.js";
import { texts } from "./texts.js";

const words = texts.who;

/** The elements that say who calls, and let somebody else call. */
export function who(visitor) {
  const said = make("p", { role: "status", id: "caller" });
  const act = (action) => ({ type: "button", onclick: () => attempt(action) });
  const button = make("button", { class: "primary", ...act(() => visitor.signIn()) }, words.signIn);
  const out = make("button", act(() => visitor.signOut()), words.signOut);
  const token = make("input", { id: "token", type: "password", autocomplete: "off", spellcheck: "false" });
  const given = make("form", { class: "line" }, make("label", { for: "token" }, words.token), token,
    make("button", { type: "submit" }, words.use));
  given.addEventListener("submit", (event) => {
    event.preventDefault();
    if (token.value.trim()) attempt(() => visitor.use(token.value.trim()));
  });
  visitor.addEventListener("change", showState);
  showState();
  return [
    make("h2", { id: "who-title" }, words.title),
    make("p", {}, explanation(visitor)),
    make("p", { class: "buttons" }, visitor.canBeGuest ? button : null, out),
    given, said,
  ];

  function showState() {
    const isIn = Boolean(visitor.user);
    button.hidden = isIn;
    given.hidden = isIn;
    out.hidden = !isIn;
    token.value = "";
    write(said, isIn ? (visitor.key ? words.guest(visitor.user.id) : words.own) : words.nobody);
  }

  async function attempt(action) {
    const hadFocus = document.activeElement;
    button.disabled = true;
    write(said, words.signingIn);
    try {
      await action();
    } catch (error) {
      write(said, words.failed(error.message));
    } finally {
      button.disabled = false;
      // The button that was pressed may be gone: the other one is where one goes on.
      if (hadFocus?.closest("[hidden]")) (visitor.user ? out : visitor.canBeGuest ? button : token).focus();
    }
  }
}

function explanation(visitor) {
  if (!visitor.rules.guests) return words.live;
  return visitor.canBeGuest ? words.demo : words.cannotSign;
}
