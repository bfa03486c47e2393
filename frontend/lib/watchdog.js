/**
 * A watchdog aborts its signal when it was not fed for some time, or when the signal above it aborts.
 * It puts a deadline on each silence of a stream, where one deadline for the whole would cut a healthy stream.
 */
export class Watchdog {
  #controller = new AbortController();
  #timer;

  constructor(parent) {
    this.signal = parent ? AbortSignal.any([parent, this.#controller.signal]) : this.#controller.signal;
  }

  /** Allow `seconds` of silence from now on. */
  feed(seconds) {
    this.stop();
    const tooLate = () => this.#controller.abort(new DOMException("nothing arrived in time", "TimeoutError"));
    this.#timer = setTimeout(tooLate, seconds * 1000);
  }

  stop() {
    clearTimeout(this.#timer);
  }
}
