// Choose a wallet of this browser: to sign in with it, or to give a guest's account to it.

import { make, write } from "../dom.js";
import { ApiError, LineError } from "../client/api.js";
import { WalletError, findWallets } from "../auth/wallets.js";
import { texts } from "../texts.js";

export const walletPanel = chooser({
  id: "wallet",
  texts: texts.wallet,
  act: ({ session }, wallet) => session.connect(wallet),
  done: (panel, { dialogs }) => dialogs.close("wallet"),
});

export const movePanel = chooser({
  id: "move",
  texts: texts.move,
  when: (state) => Boolean(state.user),
  act: ({ session }, wallet, onDoubt) => session.move(wallet, onDoubt),
  done: (panel, { state }) => {
    panel.intro.hidden = true;
    panel.list.replaceChildren();
    write(panel.said, texts.move.done(state.user.wallet_address));
    panel.end.hidden = false;
    panel.end.firstChild.focus();
  },
});

/** `act(app, wallet, onDoubt)` does what the wallet is chosen for; `onDoubt` hears that no answer came. */
function chooser({ id, texts: own, when, act, done }) {
  return {
    id,
    title: own.title,
    when,
    mount(body, { dialogs }) {
      this.intro = make("p", {}, own.intro);
      this.list = make("div", { class: "wallets" });
      this.said = make("p", { class: "said", role: "status" });
      const close = make("button", { type: "button", class: "primary", onclick: () => dialogs.close(id) }, texts.close);
      this.end = make("div", { class: "row" }, close);
      body.append(this.intro, this.list, this.said, this.end);
    },
    async shown(app) {
      this.intro.hidden = false;
      this.end.hidden = true;
      this.list.replaceChildren();
      write(this.said, texts.wallet.searching);
      const wallets = await findWallets();
      write(this.said, wallets.length === 0 ? own.none : "");
      this.list.replaceChildren(...wallets.map((wallet) => this.choice(wallet, app)));
    },
    choice(wallet, app) {
      const icon = wallet.icon ? make("img", { src: wallet.icon, alt: "", width: 28, height: 28 }) : make("i");
      const button = make("button", { type: "button" }, icon, make("span", {}, wallet.name));
      button.addEventListener("click", () => this.choose(wallet, app));
      return button;
    },
    async choose(wallet, app) {
      write(this.said, texts.wallet.waiting(wallet.name));
      try {
        await act(app, wallet, () => write(this.said, texts.move.doubt));
        done(this, app);
      } catch (error) {
        write(this.said, sentence(error, app.state.rules));
      }
    },
  };
}

function sentence(error, rules) {
  if (error instanceof WalletError) {
    if (error.kind === "rejected") return texts.wallet.rejected;
    if (error.kind === "chain") return texts.wallet.chain(rules.chain_ids);
  }
  if (error instanceof ApiError) {
    const known = Object.hasOwn(texts.wallet.refusals, error.code);
    return known ? texts.wallet.refusals[error.code] : texts.wallet.refused(error.message);
  }
  if (error instanceof LineError) return texts.wallet.noAnswer;
  return texts.wallet.failed(error.message);
}
