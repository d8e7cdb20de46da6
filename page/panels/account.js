// Who plays: the address, play money in demo mode, the way out.

import { make, write } from "../dom.js";
import { insist } from "../net/api.js";
import { newNonce } from "../auth/key.js";
import { texts } from "../texts.js";

const TOP_UP_CENTS = 100_000;

export const accountPanel = {
  id: "account",
  title: texts.account.title,
  label: texts.account.title,
  when: (state) => Boolean(state.user),
  mount(body, app) {
    this.kind = make("p", { class: "muted" });
    this.address = make("p", { class: "address" });
    this.note = make("p", { class: "muted" });
    this.said = make("p", { class: "said", role: "status" });
    this.topUp = make("button", { type: "button" }, texts.account.topUp(TOP_UP_CENTS));
    const signOut = make("button", { type: "button" }, texts.account.signOut);
    this.topUp.addEventListener("click", () => this.addMoney(app));
    signOut.addEventListener("click", () => this.leave(app));
    body.append(this.kind, this.address, this.note, make("div", { class: "row" }, this.topUp, signOut), this.said);
  },
  shown({ state: { user, rules } }) {
    const guest = user?.kind === "guest";
    write(this.kind, guest ? texts.account.guest : texts.account.wallet);
    write(this.address, user?.wallet_address ?? "");
    write(this.note, guest ? texts.account.guestNote : "");
    write(this.said, "");
    this.topUp.hidden = rules.mode !== "demo";
  },
  async addMoney(app) {
    const key = newNonce();
    this.topUp.disabled = true;
    try {
      const send = () => app.api.post("/api/deposits", { amount: TOP_UP_CENTS }, { "Idempotency-Key": key });
      const { amount, balance } = await insist(send);
      app.state.set({ balanceCents: balance });
      write(this.said, texts.account.toppedUp(amount));
    } catch (error) {
      write(this.said, texts.account.topUpFailed(error.message));
    } finally {
      this.topUp.disabled = false;
    }
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
