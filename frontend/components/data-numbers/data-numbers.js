/**
 * The data behind a picture: as a table that can be opened, and as a file.
 *
 *   <data-numbers data-title="Confidence"></data-numbers>
 *
 * Property: `data`, { columns, rows, raw }, see charts/traffic.js.
 * Accessibility: the table is the text alternative of the picture above it; it scrolls by keyboard.
 */
import { downloadCsv } from "../../lib/download.js";
import { html, render, update } from "../../lib/html.js";

class DataNumbers extends HTMLElement {
  #data = null;

  connectedCallback() {
    const { title } = this.dataset;
    render(
      this,
      html`<details>
          <summary>Show the numbers<span class="visually-hidden"> of ${title}</span></summary>
          <div class="numbers" tabindex="0" role="region" aria-label="${title}, the numbers"><table></table></div>
        </details>
        <button type="button" class="quiet" disabled>Save as CSV<span class="visually-hidden">: ${title}</span></button>`,
    );
    this.#details.addEventListener("toggle", () => this.#show());
    this.querySelector("button").addEventListener("click", () => downloadCsv(this.#data.raw));
  }

  set data(data) {
    this.#data = data;
    this.querySelector("button").disabled = false;
    this.#show();
  }

  open() {
    this.#details.open = true;
  }

  get #details() {
    return this.querySelector("details");
  }

  #show() {
    if (!this.#data || !this.#details.open) return; // a table that nobody looks at
    const { columns, rows } = this.#data;
    update(
      this.querySelector("table"),
      html`<thead><tr>${columns.map((column, index) => html`<th scope="col" class="${index > 0 && "number"}">${column}</th>`)}</tr></thead>
        <tbody>${rows.map(([first, ...others]) => html`<tr><th scope="row">${first}</th>${others.map((value) => html`<td class="number">${value}</td>`)}</tr>`)}</tbody>`,
    );
  }
}

customElements.define("data-numbers", DataNumbers);
