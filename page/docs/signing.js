// Bodies that must be signed: by the throw-away key where it can, and where it cannot, who signs them.

import { make, write } from "../dom.js";
import { texts } from "./texts.js";

const words = texts.trial;
const BY_WALLET = new Set(
  ["POST /api/auth/login", "POST /api/operate/login", "POST /api/me/wallet", "POST /api/withdrawals"],
);
/** What is signed here: how a body is begun, how it is signed, whether the visitor's key is needed. */
const SIGNED = {
  "POST /api/bets": { begin: (who) => who.tap(), sign: (who, body) => who.signTap(body), needsKey: true },
  "POST /api/auth/guest": { begin: null, sign: (who) => who.signGuest(), needsKey: false },
};

/** What stands below the body of an endpoint: {element, sign}; null where nothing is signed. */
export function signing(operation, body, visitor, said) {
  const name = `${operation.method} ${operation.route}`;
  if (BY_WALLET.has(name)) return { element: make("p", { class: "quiet" }, words.wallet), sign: async () => {} };
  const how = SIGNED[name];
  if (!how) return null;
  const check = make("input", { id: `${body.id}-sign`, type: "checkbox" });
  const label = make("label", { for: check.id }, how.needsKey ? words.sign : words.signGuest);
  const hint = make("p", { class: "quiet" }, words.noKey);
  const fill = how.begin ? make("button", { type: "button", onclick: begin }, words.fill) : null;
  visitor.addEventListener("change", follow);
  follow();
  return { element: make("div", {}, fill, make("p", { class: "choice" }, check, label), hint), sign };

  function follow() {
    const able = !how.needsKey || Boolean(visitor.key);
    check.disabled = !able;
    check.checked = able;
    hint.hidden = able;
  }

  async function begin() {
    try {
      const begun = await how.begin(visitor);
      if (begun) put(begun);
      write(said, begun ? "" : words.noOffer);
    } catch (error) {
      write(said, words.noAnswer(error.message));
    }
  }

  async function sign() {
    if (check.checked) put(await how.sign(visitor, JSON.parse(body.value)));
  }

  function put(value) {
    body.value = JSON.stringify(value, null, 2);
    body.dispatchEvent(new Event("input", { bubbles: true }));
  }
}
