// The head of the page: balance, open bets, price, server clock, own delay, connection, sound and colours.

import { find, icon, write } from "../dom.js";
import { money, time, utc } from "../format.js";
import { OPEN } from "../game/taps.js";
import { texts } from "../texts.js";
import { settings } from "../settings.js";

const THEMES = ["system", "dark", "light"];

export class Header {
  constructor({ state, clock, taps, sound }) {
    Object.assign(this, { state, clock, taps, sound });
    state.on(["balanceCents", "user"], () => this.#balance());
    state.on(["price"], () => this.#price());
    state.on(["connection"], () => this.#connection());
    setInterval(() => this.#clock(), 250);
    this.#soundSwitch();
    this.#themeSwitch();
    this.#balance();
  }

  /** Count the open bets and what they would pay. */
  showOpen() {
    const open = this.taps.list().filter((tap) => OPEN.has(tap.state));
    const cents = open.reduce((sum, tap) => sum + (tap.payoutCents ?? 0), 0);
    write(find("open-count"), String(open.length));
    write(find("open-payout"), money(cents));
  }

  #balance() {
    const { user, balanceCents } = this.state;
    find("balance-box").hidden = !user;
    if (user && balanceCents !== null) write(find("balance"), money(balanceCents));
  }

  #price() {
    const { price } = this.state;
    if (price) write(find("price"), money(price.close));
  }

  #connection() {
    const { connection } = this.state;
    find("connection").dataset.state = connection;
    write(find("connection-text"), texts.connection[connection] ?? connection);
  }

  #clock() {
    if (!this.clock.known || document.hidden) return;
    const nowMs = this.clock.nowMs();
    const clock = find("clock");
    write(clock, time(nowMs));
    clock.setAttribute("title", `${utc(nowMs)}. ${texts.clockTitle(this.clock.offMs)}`);
    write(find("delay"), texts.delay(this.clock.delayMs));
  }

  #soundSwitch() {
    const button = find("sound");
    const show = () => {
      button.setAttribute("aria-pressed", String(this.sound.on));
      button.setAttribute("aria-label", texts.sound(this.sound.on));
      button.setAttribute("title", texts.sound(this.sound.on));
      button.replaceChildren(icon(this.sound.on ? "soundOn" : "soundOff"));
    };
    button.addEventListener("click", () => {
      this.sound.set(!this.sound.on);
      show();
    });
    show();
  }

  #themeSwitch() {
    const button = find("theme");
    const show = () => {
      const theme = settings.theme;
      if (theme === "system") delete document.documentElement.dataset.theme;
      else document.documentElement.dataset.theme = theme;
      button.setAttribute("aria-label", texts.theme[theme]);
      button.setAttribute("title", texts.theme[theme]);
      button.replaceChildren(icon(theme));
    };
    button.addEventListener("click", () => {
      settings.theme = THEMES[(THEMES.indexOf(settings.theme) + 1) % THEMES.length];
      show();
    });
    show();
  }
}
