// The card over the board for who is not signed in: one click to play.

import { canSign } from "../client/key.js";
import { find, write } from "../dom.js";
import { texts } from "../texts.js";

export class Welcome {
  constructor({ state, session, dialogs }) {
    Object.assign(this, { state, session });
    this.card = find("welcome");
    this.said = find("welcome-said");
    this.guest = find("guest");
    write(find("welcome-title"), texts.welcome.title);
    write(this.guest, texts.welcome.guest);
    write(find("connect"), texts.welcome.wallet);
    write(find("how"), texts.welcome.help);
    this.guest.addEventListener("click", () => this.#play());
    find("connect").addEventListener("click", () => dialogs.open("wallet"));
    find("how").addEventListener("click", () => dialogs.open("help"));
    state.on(["user", "sessionKnown", "rules"], () => this.#show());
  }

  /** Draw the eye to the card: somebody taps who cannot bet yet. */
  call() {
    if (this.card.hidden) return;
    this.card.classList.remove("called");
    requestAnimationFrame(() => this.card.classList.add("called"));
    (this.guest.hidden ? find("connect") : this.guest).focus();
  }

  #show() {
    const { rules, user, sessionKnown } = this.state;
    this.card.hidden = !rules || !sessionKnown || Boolean(user);
    if (this.card.hidden) return;
    write(find("welcome-body"), rules.guests ? texts.welcome.body : texts.welcome.liveBody);
    this.guest.hidden = !rules.guests;
    this.guest.disabled = !canSign();
    find("connect").disabled = !canSign();
    write(this.said, canSign() ? "" : texts.banner.insecure);
  }

  async #play() {
    this.guest.disabled = true;
    write(this.guest, texts.welcome.guestBusy);
    try {
      await this.session.playAsGuest();
    } catch (error) {
      write(this.said, texts.welcome.failed(error.message));
    } finally {
      this.guest.disabled = false;
      write(this.guest, texts.welcome.guest);
    }
  }
}
