// Withdraw to the account's own wallet, which signs it; guests are told why they cannot.

import { newNonce } from "../client/key.js";
import { withdrawText } from "../client/sign.js";
import { WalletError, account, findWallets, personalSign } from "../auth/wallets.js";
import { make, write } from "../dom.js";
import { demandCents } from "./deposit.js";
import { errorSentence, repeat } from "./errors.js";
import { Field, button, dollarsInput, said } from "./fields.js";
import { texts } from "./texts.js";

export class WithdrawalForm {
  constructor({ state, api, clock, dialogs, onMoved }) {
    Object.assign(this, { state, api, clock, onMoved });
    this.field = new Field(texts.money.amount, dollarsInput(), { before: "$" });
    this.send = make("button", { type: "submit" }, texts.money.send);
    this.said = said();
    const move = button(texts.money.move, () => dialogs.replace("money", "move"), { class: "link" });
    this.guest = make("p", { class: "muted" }, texts.money.guest, " ", move);
    this.element = make("form", { novalidate: true }, make("h3", {}, texts.money.withdraw), this.guest,
      this.field.element, this.send, this.said);
    this.element.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#withdraw();
    });
  }

  /** Bring it to who plays. */
  show() {
    const { user, rules } = this.state;
    const guest = user?.kind === "guest";
    this.guest.hidden = !guest;
    this.field.element.hidden = guest;
    this.send.hidden = guest;
    write(this.said, "");
    if (user) write(this.field.note, texts.money.withdrawNote(user.wallet_address, rules.withdrawal_min_cents));
  }

  async #withdraw() {
    const amount = demandCents(this.field);
    if (amount === null || this.send.disabled) return;
    this.send.disabled = true;
    write(this.said, texts.money.waiting);
    try {
      const body = await this.#signed(amount);
      const key = newNonce();
      write(this.said, texts.money.sending);
      const ask = () => this.api.post("/api/withdrawals", body, { "Idempotency-Key": key });
      const { balance } = await repeat(ask, () => write(this.said, texts.money.again));
      if (typeof balance === "number") this.state.set({ balanceCents: balance });
      this.field.control.value = "";
      write(this.said, texts.money.withdrawn(amount, balance ?? this.state.balanceCents));
      this.onMoved();
    } catch (error) {
      write(this.said, error instanceof WalletError ? this.#walletSentence(error) : errorSentence(error));
    } finally {
      this.send.disabled = false;
    }
  }

  async #signed(amount) {
    const address = this.state.user.wallet_address;
    const provider = await providerOf(address);
    const body = { amount, nonce: newNonce(), timestamp: Math.floor(this.clock.nowMs() / 1000) };
    const signature = await personalSign(provider, withdrawText(body, this.state.rules.chain_ids[0]), address);
    return { ...body, signature };
  }

  #walletSentence({ kind, message }) {
    const { wallet } = texts.money;
    if (kind === "other" || kind === "locked") return wallet[kind](this.state.user.wallet_address);
    return kind === "none" || kind === "rejected" ? wallet[kind] : wallet.failed(message);
  }
}

/** The wallet that has the account: one that shows it already, else the only one there is, which is asked. */
async function providerOf(address) {
  const wallets = await findWallets();
  if (wallets.length === 0) throw new WalletError("none");
  const isIt = (one) => String(one).toLowerCase() === address.toLowerCase();
  for (const { provider } of wallets) {
    const accounts = await provider.request({ method: "eth_accounts" }).catch(() => []);
    if (accounts.some(isIt)) return provider;
  }
  if (wallets.length > 1) throw new WalletError("locked");
  const [{ provider }] = wallets;
  if (!isIt(await account(provider))) throw new WalletError("other");
  return provider;
}
