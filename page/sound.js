// Short tones for what happens; silent until the player wants them.

import { settings } from "./settings.js";

const TONES = {
  tap: [[520, 0, 0.05]],
  confirmed: [[660, 0, 0.06], [880, 0.05, 0.07]],
  touched: [[990, 0, 0.08]],
  won: [[660, 0, 0.1], [880, 0.09, 0.1], [1320, 0.18, 0.22]],
  lost: [[240, 0, 0.14]],
  refused: [[300, 0, 0.07], [220, 0.07, 0.1]],
};
const VOLUME = 0.06;

export class Sound {
  on = settings.sound;
  #audio = null;

  set(on) {
    this.on = on;
    settings.sound = on;
    if (on) this.play("confirmed");
  }

  play(name) {
    if (!this.on || !TONES[name] || typeof AudioContext !== "function") return;
    this.#audio ??= new AudioContext();
    // Browsers suspend audio until the first touch.
    if (this.#audio.state === "suspended") this.#audio.resume().catch(() => {});
    for (const [hertz, afterS, lengthS] of TONES[name]) this.#tone(hertz, this.#audio.currentTime + afterS, lengthS);
  }

  #tone(hertz, atS, lengthS) {
    const tone = this.#audio.createOscillator();
    const volume = this.#audio.createGain();
    tone.type = "sine";
    tone.frequency.value = hertz;
    volume.gain.setValueAtTime(0, atS);
    volume.gain.linearRampToValueAtTime(VOLUME, atS + 0.01);
    volume.gain.exponentialRampToValueAtTime(0.0001, atS + lengthS);
    tone.connect(volume).connect(this.#audio.destination);
    tone.start(atS);
    tone.stop(atS + lengthS + 0.02);
  }
}
