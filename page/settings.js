// What the browser keeps of a player's taste: theme, sound and stake, and nothing else.

const PREFIX = "taptrade.";
const memory = new Map();

function read(name) {
  try {
    return localStorage.getItem(PREFIX + name) ?? memory.get(name) ?? null;
  } catch {
    return memory.get(name) ?? null;
  }
}

function keep(name, value) {
  memory.set(name, value);
  try {
    localStorage.setItem(PREFIX + name, value);
  } catch {
    // Private modes refuse: the taste lasts as long as the tab.
  }
}

export const settings = {
  get theme() {
    const theme = read("theme");
    return theme === "dark" || theme === "light" ? theme : "system";
  },
  set theme(theme) {
    keep("theme", theme);
  },
  get sound() {
    return read("sound") === "on";
  },
  set sound(on) {
    keep("sound", on ? "on" : "off");
  },
  get stakeCents() {
    return Number(read("stake")) || null;
  },
  set stakeCents(cents) {
    keep("stake", String(cents));
  },
};
