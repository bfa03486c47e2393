/**
 * The last answers, kept in this browser and nowhere else, with a small picture of each photo.
 *
 * An entry is { time, name, thumbnail, label, cat_probability, certain, model }: time as Date.now(), thumbnail a data: URL or
 * null, model in words, the rest as the prediction has it. Where storage is full or blocked, the entries last for the visit.
 */
const KEY = "catnet.history";
const MOST_ENTRIES = 50;

export class AnswerHistory {
  #storage;
  #entries;

  constructor(storage) {
    this.#storage = storage;
    this.#entries = this.#kept() ?? [];
  }

  /** The newest first. */
  get entries() {
    return this.#entries;
  }

  add(entry) {
    const before = this.#kept() ?? this.#entries; // another tab may have added to them
    this.#entries = [entry, ...before].slice(0, MOST_ENTRIES);
    try {
      this.#storage?.setItem(KEY, JSON.stringify(this.#entries));
    } catch {
      // full or blocked: they last until the page is left
    }
  }

  clear() {
    this.#entries = [];
    try {
      this.#storage?.removeItem(KEY);
    } catch {
      // blocked: there is nothing to remove
    }
  }

  #kept() {
    try {
      const entries = JSON.parse(this.#storage?.getItem(KEY) ?? "null");
      return Array.isArray(entries) ? entries.filter(isEntry) : null;
    } catch {
      return null;
    }
  }
}

/** Whether it is one of ours: other versions of the page, and people, write there too. */
function isEntry(value) {
  return (
    Number.isFinite(value?.time) &&
    typeof value.name === "string" &&
    ["cat", "non-cat"].includes(value.label) &&
    typeof value.cat_probability === "number" &&
    typeof value.certain === "boolean" &&
    typeof value.model === "string" &&
    (value.thumbnail === null || /^data:image\//.test(value.thumbnail))
  );
}
