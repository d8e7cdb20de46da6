// Who plays: the address, the ways to the money and to a wallet, and the way out.

import { make, write } from "../dom.js";
import { texts } from "../texts.js";

export const accountPanel = {
  id: "account",
  title: texts.account.title,
  label: texts.account.title,
  when: (state) => Boolean(state.user),
  mount(body, app) {
    const action = (text, onclick) => make("button", { type: "button", onclick }, text);
    this.kind = make("p", { class: "muted" });
    this.address = make("p", { class: "address" });
    this.note = make("p", { class: "muted" });
    this.said = make("p", { class: "said", role: "status" });
    this.move = action(texts.account.move, () => app.dialogs.replace("account", "move"));
    const money = action(texts.account.money, () => app.dialogs.replace("account", "money"));
    const signOut = action(texts.account.signOut, () => this.leave(app));
    body.append(this.kind, this.address, this.note, make("div", { class: "row" }, this.move, money, signOut),
      this.said);
    app.state.on(["user"], () => this.show(app.state));
  },
  shown({ state }) {
    this.show(state);
    write(this.said, "");
  },
  show({ user }) {
    const guest = user?.kind === "guest";
    write(this.kind, guest ? texts.account.guest : texts.account.wallet);
    write(this.address, user?.wallet_address ?? "");
    write(this.note, guest ? texts.account.guestNote : "");
    this.move.hidden = !guest;
  },
  async leave(app) {
    try {
      await app.session.signOut();
      app.dialogs.close("account");
      app.state.set({ notice: texts.banner.signedOut });
    } catch {
      write(this.said, texts.account.signOutFailed);
    }
  },
};
