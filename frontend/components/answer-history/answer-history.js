/**
 * The answers of earlier, as this browser remembers them.
 *
 *   <answer-history hidden></answer-history>
 *
 * Property: `entries` (see AnswerHistory), the newest first; hidden while there are none. Event: "clear".
 */
import { clockTime, count } from "../../lib/format.js";
import { html, render } from "../../lib/html.js";
import { answerWords } from "../../lib/photo-words.js";

class AnswerHistoryList extends HTMLElement {
  connectedCallback() {
    render(
      this,
      html`<details>
        <summary><h2>Earlier answers</h2> <span class="quiet-text"></span></summary>
        <p class="quiet-text">Kept in this browser only, the last 50 of them.</p>
        <ol></ol>
        <button type="button" class="quiet">Forget them all</button>
      </details>`,
    );
    this.querySelector("details").addEventListener("toggle", () => this.#fill());
    this.querySelector("button").addEventListener("click", () => this.dispatchEvent(new CustomEvent("clear")));
  }

  #entries = [];

  set entries(entries) {
    this.#entries = entries;
    this.hidden = entries.length === 0;
    this.querySelector("summary span").textContent = count(entries.length);
    this.#fill();
  }

  /** Only what is open is drawn. */
  #fill() {
    if (!this.querySelector("details").open) return;
    render(this.querySelector("ol"), html`${this.#entries.map(row)}`);
  }
}

function row(entry) {
  const { verdict, words, detail } = answerWords(entry);
  return html`<li>
    ${entry.thumbnail ? html`<img src="${entry.thumbnail}" alt="" width="56" height="56" loading="lazy">` : html`<span class="no-picture"></span>`}
    <span class="what"><strong data-verdict="${verdict}">${words}</strong> <span>${detail}</span></span>
    <span class="whose">${entry.name || "Pasted photo"}, ${entry.model}, ${clockTime(new Date(entry.time), { precision: "day and minute" })}</span>
  </li>`;
}

customElements.define("answer-history", AnswerHistoryList);
