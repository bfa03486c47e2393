/**
 * The photos of a visit and what became of each. A few are asked about at once; the others wait for their turn.
 *
 *   const queue = new PhotoQueue((file, { signal, onProgress }) => prediction);   // throws: Problem
 *   queue.add(files);
 *
 * A photo is { id, file, state }, its state one of
 *   { kind: "waiting" }
 *   { kind: "asking", progress }                               0..1, null while there is nothing to tell
 *   { kind: "answered", prediction, elapsedMilliseconds }
 *   { kind: "failed", problem, retryAt }                       when it is asked about again by itself (as Date.now()), or null
 *   { kind: "cancelled" }
 * Events: "added" and "removed", detail { photos }; "changed", detail { photo }, once for each new state; "progress", detail { photo }.
 *
 * When the service is away or busy, the whole queue waits: one photo asks first, and once it has its answer the others follow.
 */
import { Problem } from "../api/problem.js";

const AT_ONCE = 3;
const SHORTEST_WAIT_SECONDS = 2;
const LONGEST_WAIT_SECONDS = 30;
const MOST_SLOW_TRIES = 3;
const AWAY = ["network", 429, 502, 503]; // whatever the photo is
const TOO_SLOW = ["timeout", 504]; // may be the photo's own doing, so not without end

export class PhotoQueue extends EventTarget {
  #ask;
  #photos = new Map();
  #asking = new Map(); // from a photo's id to what cancels it
  #slowTries = new Map();
  #lastId = 0;
  #setbacks = 0; // how often the service was away since it last answered
  #wait = null; // while the service is given time: { timer, until }

  constructor(ask) {
    super();
    this.#ask = ask;
  }

  get photos() {
    return [...this.#photos.values()];
  }

  get(id) {
    return this.#photos.get(id) ?? null;
  }

  add(files) {
    const photos = files.map((file) => ({ id: ++this.#lastId, file, state: { kind: "waiting" } }));
    for (const photo of photos) this.#photos.set(photo.id, photo);
    this.#tell("added", { photos });
    this.goOn();
    return photos;
  }

  /** Forget photos, whatever their state. */
  remove(photos) {
    for (const photo of photos) {
      this.#photos.delete(photo.id);
      this.#asking.get(photo.id)?.abort();
      this.#asking.delete(photo.id);
      this.#slowTries.delete(photo.id);
    }
    this.#tell("removed", { photos });
    this.#next();
  }

  /** Give up on those that have no answer yet; they stay, and can be asked about again. */
  cancel(photos) {
    for (const photo of photos.filter(isPending)) {
      this.#asking.get(photo.id)?.abort();
      this.#asking.delete(photo.id);
      this.#become(photo, { kind: "cancelled" });
    }
    this.#next();
  }

  /** Ask about them anew, whatever was answered before, and at once: who presses a button does not want to wait. */
  askAgain(photos) {
    for (const photo of photos) {
      this.#asking.get(photo.id)?.abort();
      this.#asking.delete(photo.id);
      this.#slowTries.delete(photo.id);
      this.#become(photo, { kind: "waiting" });
    }
    this.goOn();
  }

  /** Do not wait for the service any longer: it is said to be back. */
  goOn() {
    clearTimeout(this.#wait?.timer);
    this.#wait = null;
    for (const photo of this.#waitingForService) this.#become(photo, { kind: "waiting" });
    this.#next();
  }

  get #waitingForService() {
    return this.photos.filter(({ state }) => state.kind === "failed" && state.retryAt !== null);
  }

  #next() {
    const most = this.#wait !== null ? 0 : this.#setbacks > 0 ? 1 : AT_ONCE;
    for (const photo of this.#photos.values()) {
      if (this.#asking.size >= most) return;
      if (photo.state.kind === "waiting") this.#askAbout(photo);
    }
  }

  async #askAbout(photo) {
    const controller = new AbortController();
    const { signal } = controller;
    this.#asking.set(photo.id, controller);
    this.#become(photo, { kind: "asking", progress: null });
    const onProgress = (progress) => {
      if (signal.aborted) return;
      photo.state.progress = progress;
      this.#tell("progress", { photo });
    };
    const started = performance.now();
    let state;
    try {
      const prediction = await this.#ask(photo.file, { signal, onProgress });
      state = { kind: "answered", prediction, elapsedMilliseconds: performance.now() - started };
    } catch (error) {
      if (!(error instanceof Problem) && !signal.aborted) queueMicrotask(() => { throw error; }); // a mistake of ours: not to be hidden
      state = { kind: "failed", problem: error, retryAt: null };
    }
    if (signal.aborted) return; // cancelled, removed or asked about anew meanwhile
    this.#asking.delete(photo.id);
    if (state.kind === "failed" && this.#isWorthWaiting(photo, state.problem)) state.retryAt = this.#waitForService(state.problem);
    else this.#setbacks = 0; // whatever it said, it is there
    this.#become(photo, state);
    this.#next();
  }

  #isWorthWaiting(photo, { reason }) {
    if (AWAY.includes(reason)) return true;
    if (!TOO_SLOW.includes(reason)) return false;
    const tries = (this.#slowTries.get(photo.id) ?? 0) + 1;
    this.#slowTries.set(photo.id, tries);
    return tries <= MOST_SLOW_TRIES;
  }

  /** Returns: when it is tried again: as the service said, else after twice as long each time. */
  #waitForService({ retryAfterSeconds }) {
    if (this.#wait === null) this.#setbacks += 1; // those that were on their way together fail together
    const seconds = retryAfterSeconds ?? Math.min(SHORTEST_WAIT_SECONDS * 2 ** (this.#setbacks - 1), LONGEST_WAIT_SECONDS);
    const until = Math.max(Date.now() + seconds * 1000, this.#wait?.until ?? 0);
    clearTimeout(this.#wait?.timer);
    this.#wait = { timer: setTimeout(() => this.goOn(), until - Date.now()), until };
    for (const photo of this.#waitingForService) {
      if (photo.state.retryAt !== until) this.#become(photo, { ...photo.state, retryAt: until });
    }
    return until;
  }

  #become(photo, state) {
    photo.state = state;
    this.#tell("changed", { photo });
  }

  #tell(type, detail) {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }
}

/** Whether the photo still gets its answer without anybody's doing. */
export function isPending({ state }) {
  return state.kind === "waiting" || state.kind === "asking" || (state.kind === "failed" && state.retryAt !== null);
}
