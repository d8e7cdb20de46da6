// Choose a wallet of this browser and sign in with it.

import { make, write } from "../dom.js";
import { ApiError, LineError } from "../net/api.js";
import { WalletError, findWallets } from "../auth/wallets.js";
import { texts } from "../texts.js";

export const walletPanel = {
  id: "wallet",
  title: texts.wallet.title,
  mount(body) {
    this.list = make("div", { class: "wallets" });
    this.said = make("p", { class: "said", role: "status" });
    body.append(make("p", {}, texts.wallet.intro), this.list, this.said);
  },
  async shown(app) {
    write(this.said, texts.wallet.searching);
    const wallets = await findWallets();
    write(this.said, wallets.length === 0 ? texts.wallet.none : "");
    this.list.replaceChildren(...wallets.map((wallet) => this.choice(wallet, app)));
  },
  choice(wallet, app) {
    const icon = wallet.icon ? make("img", { src: wallet.icon, alt: "", width: 28, height: 28 }) : make("i");
    const button = make("button", { type: "button" }, icon, make("span", {}, wallet.name));
    button.addEventListener("click", () => this.connect(wallet, app));
    return button;
  },
  async connect(wallet, app) {
    write(this.said, texts.wallet.waiting(wallet.name));
    try {
      await app.session.connect(wallet);
      app.dialogs.close("wallet");
    } catch (error) {
      write(this.said, sentence(error, app.state.rules));
    }
  },
};

function sentence(error, rules) {
  if (error instanceof WalletError) {
    if (error.kind === "rejected") return texts.wallet.rejected;
    if (error.kind === "chain") return texts.wallet.chain(rules.chain_ids);
  }
  if (error instanceof ApiError) return texts.wallet.refused(error.message);
  if (error instanceof LineError) return texts.wallet.noAnswer;
  return texts.wallet.failed(error.message);
}
