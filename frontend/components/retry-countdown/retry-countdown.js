/**
 * A button that says "Try again" and presses itself when the time is over.
 *
 *   <retry-countdown data-seconds="5"><button type="button" class="quiet">Try now</button></retry-countdown>
 *
 * Event: "retry" (bubbles), detail { automatic }. Without data-seconds it only waits for a press.
 */
import { duration } from "../../lib/format.js";
import { html, render } from "../../lib/html.js";

class RetryCountdown extends HTMLElement {
  #timer = null;

  connectedCallback() {
    const seconds = Number(this.dataset.seconds);
    render(this, html`<button type="button">${seconds ? "Try now" : "Try again"}</button> <span class="quiet-text"></span>`);
    this.querySelector("button").addEventListener("click", () => this.#retry({ automatic: false }));
    if (seconds) this.#count(seconds);
  }

  disconnectedCallback() {
    clearInterval(this.#timer);
  }

  #count(seconds) {
    const due = Date.now() + seconds * 1000; // a sleeping tab skips ticks, not time
    const tick = () => {
      const left = Math.ceil((due - Date.now()) / 1000);
      this.querySelector("span").textContent = `Trying again in ${duration(Math.max(left, 1))}`;
      if (left <= 0) this.#retry({ automatic: true });
    };
    tick();
    this.#timer = setInterval(tick, 250);
  }

  #retry(detail) {
    clearInterval(this.#timer);
    this.dispatchEvent(new CustomEvent("retry", { bubbles: true, detail }));
  }
}

customElements.define("retry-countdown", RetryCountdown);
