// What the page knows, in one object: read its fields, change them with `set`, hear of changes with `on`.

export class State {
  #listeners = new Map();

  constructor(fields) {
    Object.assign(this, fields);
  }

  /** Change fields and tell whoever listens to one of them. */
  set(changes) {
    const concerned = new Set();
    for (const [name, value] of Object.entries(changes)) {
      if (Object.is(this[name], value)) continue;
      this[name] = value;
      for (const listener of this.#listeners.get(name) ?? []) concerned.add(listener);
    }
    for (const listener of concerned) guarded(listener, this);
  }

  /** Say that a field has changed inside. */
  touch(name) {
    for (const listener of [...(this.#listeners.get(name) ?? [])]) guarded(listener, this);
  }

  /** Call `listener` whenever one of the fields changes; returns what ends that. */
  on(names, listener) {
    for (const name of names) {
      if (!this.#listeners.has(name)) this.#listeners.set(name, new Set());
      this.#listeners.get(name).add(listener);
    }
    return () => names.forEach((name) => this.#listeners.get(name).delete(listener));
  }
}

function guarded(listener, state) {
  try {
    listener(state);
  } catch (error) {
    // One part that fails must not keep the others from hearing.
    console.error(error);
  }
}
