// The operator's door: a wallet of the house's list signs that it operates, for an hour.

import { account, chain, findWallets, personalSign, WalletError } from "../auth/wallets.js";
import { newNonce } from "../client/key.js";
import { siweMessage } from "../client/siwe.js";
import { make, write } from "../dom.js";
import { ApiError } from "../client/api.js";
import { texts } from "./texts.js";

export const OPERATE_URN = "urn:taptrade:operate";

/** The view of somebody who does not operate: the wallets of the browser, or that the door is closed. */
export function signInView({ api, why, closed, onSignedIn }) {
  const said = make("p", { class: "said", role: "alert" }, why);
  said.hidden = !why;
  const list = make("div", { class: "wallets" }, make("p", {}, texts.signIn.searching));
  const view = make("section", { class: "door", "aria-labelledby": "door-title" },
    make("h2", { id: "door-title" }, texts.signIn.title), said);
  if (closed) {
    view.append(make("p", {}, texts.signIn.closed));
    return view;
  }
  view.append(make("p", {}, texts.signIn.intro), list);
  const say = (text) => {
    write(said, text);
    said.hidden = !text;
  };
  const sign = async (wallet) => {
    const buttons = list.querySelectorAll("button");
    for (const button of buttons) button.disabled = true;
    say(texts.signIn.inWallet(wallet.name));
    try {
      onSignedIn(await signIn(api, wallet));
    } catch (error) {
      say(sentence(error));
    } finally {
      for (const button of buttons) button.disabled = false;
    }
  };
  const search = async () => {
    const wallets = await findWallets();
    if (wallets.length === 0) {
      list.replaceChildren(make("p", {}, texts.signIn.none),
        make("button", { type: "button", onclick: search }, texts.signIn.again));
      return;
    }
    list.replaceChildren(...wallets.map((wallet) => make("button",
      { type: "button", class: "wallet", onclick: () => sign(wallet) },
      wallet.icon ? make("img", { src: wallet.icon, alt: "", width: 24, height: 24 }) : null,
      texts.signIn.with(wallet.name))));
  };
  search();
  return view;
}

async function signIn(api, wallet) {
  const rules = await api.get("/api/rules");
  const address = await account(wallet.provider);
  const chainId = await chain(wallet.provider, rules.chain_ids);
  // The server's clock, since a message counts for 30 s only.
  const { server_time_ms: nowMs } = await api.get("/api/time");
  const message = siweMessage({
    domain: location.host, origin: location.origin, address, chainId, nonce: newNonce(), nowMs,
    statement: texts.signIn.statement, resource: OPERATE_URN,
  });
  const signature = await personalSign(wallet.provider, message, address);
  return api.post("/api/operate/login", { message, signature });
}

function sentence(error) {
  if (error instanceof WalletError) return texts.signIn.wallet[error.kind] ?? texts.signIn.wallet.failed;
  return error instanceof ApiError ? error.message : texts.noAnswer;
}
