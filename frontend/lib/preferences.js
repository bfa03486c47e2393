/**
 * What the visitor has switched on or off, kept in the browser.
 *
 *   const shrinks = new Preference("shrink", true);
 *   shrinks.value            true until somebody says otherwise
 *   shrinks.value = false    kept for the next visit; where storage is full or blocked, for this one
 */
export class Preference {
  #key;
  #storage;
  #value;

  constructor(name, byDefault, storage = browserStorage()) {
    this.#key = `catnet.${name}`;
    this.#storage = storage;
    this.#value = this.#kept() ?? byDefault;
  }

  get value() {
    return this.#value;
  }

  set value(value) {
    this.#value = value;
    try {
      this.#storage?.setItem(this.#key, String(value));
    } catch {
      // full or blocked: it holds until the page is left
    }
  }

  #kept() {
    try {
      const text = this.#storage?.getItem(this.#key);
      return text === "true" || text === "false" ? text === "true" : null;
    } catch {
      return null;
    }
  }
}

/** localStorage, or null where the browser does not even let one look at it. */
export function browserStorage() {
  try {
    return globalThis.localStorage ?? null;
  } catch {
    return null;
  }
}
