/**
 * A button to try again, and how long it is until that happens by itself.
 *
 *   <retry-countdown data-due="1767225600000"></retry-countdown>
 *
 * `data-due` is when (as Date.now()); without it, it only waits for a press. Event: "retry" (bubbles), on a press.
 */
import { duration } from "../../lib/format.js";
import { html, render } from "../../lib/html.js";

class RetryCountdown extends HTMLElement {
  #timer = null;

  connectedCallback() {
    const due = Number(this.dataset.due);
    render(this, html`<button type="button">${due ? "Try now" : "Try again"}</button> <span class="quiet-text"></span>`);
    this.querySelector("button").addEventListener("click", () => this.dispatchEvent(new CustomEvent("retry", { bubbles: true })));
    if (due) this.#count(due);
  }

  disconnectedCallback() {
    clearInterval(this.#timer);
  }

  #count(due) {
    const tick = () => {
      const left = Math.ceil((due - Date.now()) / 1000); // a sleeping tab skips ticks, not time
      this.querySelector("span").textContent = `Trying again in ${duration(Math.max(left, 1))}`;
    };
    tick();
    this.#timer = setInterval(tick, 250);
  }
}

customElements.define("retry-countdown", RetryCountdown);
