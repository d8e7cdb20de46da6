// "Money": the balance, play money in demo mode, withdrawals and what became of them.

import { make, write } from "../dom.js";
import { money } from "../format.js";
import { DepositForm } from "./deposit.js";
import { timeOf } from "./fields.js";
import { Pages } from "./pages.js";
import { texts } from "./texts.js";
import { WithdrawalForm } from "./withdrawal.js";

export const moneyPanel = {
  id: "money",
  title: texts.money.title,
  label: texts.money.title,
  when: (state) => Boolean(state.user),
  mount(body, app) {
    this.balance = make("dd");
    this.withdrawals = new Pages({
      api: app.api, path: () => "/api/withdrawals?", field: "withdrawals", item: withdrawalItem,
      empty: texts.money.noWithdrawals,
    });
    const parts = { ...app, onMoved: () => this.withdrawals.renew() };
    this.deposit = new DepositForm(parts);
    this.withdrawal = new WithdrawalForm(parts);
    body.append(make("dl", { class: "figures" }, make("div", {}, make("dt", {}, texts.money.balance), this.balance)),
      this.deposit.element, this.withdrawal.element, make("h3", {}, texts.money.list), this.withdrawals.element);
    app.state.on(["balanceCents"], () => this.showBalance(app.state));
    app.state.on(["user"], () => this.withdrawal.show());
  },
  shown({ state }) {
    this.showBalance(state);
    write(this.deposit.said, "");
    this.withdrawal.show();
    this.withdrawals.renew();
  },
  showBalance({ balanceCents }) {
    write(this.balance, balanceCents === null ? "" : money(balanceCents));
  },
};

function withdrawalItem(one) {
  const resolved = one.resolved_ms === null ? null : timeOf(one.resolved_ms);
  return make("li", {},
    make("div", { class: "head" }, make("strong", {}, texts.money.states[one.status] ?? one.status),
      make("span", { class: "sum" }, money(one.amount))),
    make("div", { class: "foot" }, timeOf(one.requested_ms), resolved,
      one.reference ? make("span", {}, texts.money.reference(one.reference)) : null));
}
