// The keys of this browser, kept in IndexedDB.

import { BrowserKey } from "../client/key.js";

const STORE = "keys";

/** The keys of this browser by name ("guest", "wallet"); in memory only where there is no IndexedDB. */
export class KeyStore {
  /** Whether keys outlive the tab. */
  kept = true;
  #memory = new Map();
  #database = null;

  async get(name) {
    const found = await this.#ask("readonly", (store) => store.get(name));
    if (found?.pair && found.text) return { key: new BrowserKey(found.pair, found.text), away: found.away === true };
    return this.#memory.get(name) ?? null;
  }

  /** Keep a key; `away`: its player has signed out and is not to be signed in silently. */
  async put(name, key, away = false) {
    this.#memory.set(name, { key, away });
    await this.#ask("readwrite", (store) => store.put({ pair: key.pair, text: key.text, away }, name));
  }

  /** Keep a key under another name. */
  async move(from, to) {
    const found = await this.get(from);
    if (!found) return;
    await this.put(to, found.key);
    this.#memory.delete(from);
    await this.#ask("readwrite", (store) => store.delete(from));
  }

  async #ask(mode, request) {
    try {
      this.#database ??= await open();
      return await done(request(this.#database.transaction(STORE, mode).objectStore(STORE)));
    } catch {
      this.kept = false;
      return null;
    }
  }
}

function open() {
  const opening = indexedDB.open("taptrade", 1);
  opening.onupgradeneeded = () => opening.result.createObjectStore(STORE);
  return done(opening);
}

function done(request) {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
    request.onblocked = () => reject(new Error("blocked"));
  });
}
