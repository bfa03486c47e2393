/**
 * A chart with its title, a sentence that says what it shows, and its data as a table and as a file.
 *
 *   <chart-figure data-title="Predictions over time"></chart-figure>        property `chart`: see charts/traffic.js
 *
 * Accessibility: the canvas is an image described by the sentence; the table behind "Show the numbers" is the alternative.
 */
import { csv } from "../../lib/csv.js";
import { download } from "../../lib/download.js";
import { html, render } from "../../lib/html.js";
import { chartConfiguration } from "./chart-configuration.js";

const darkScheme = matchMedia("(prefers-color-scheme: dark)");

class ChartFigure extends HTMLElement {
  #drawn = null;
  #chart = null;

  connectedCallback() {
    const { title } = this.dataset;
    render(
      this,
      html`<figure>
        <figcaption><h2>${title}</h2><p class="quiet-text">Waiting for the first report.</p></figcaption>
        <div class="canvas"><canvas role="img" aria-label="${title}, not there yet"></canvas></div>
        <details>
          <summary>Show the numbers</summary>
          <button type="button" class="quiet">Save as CSV</button>
          <div class="numbers" tabindex="0" role="region" aria-label="${title}, the numbers"><table></table></div>
        </details>
      </figure>`,
    );
    this.querySelector("details").addEventListener("toggle", () => this.#showNumbers());
    this.querySelector("button").addEventListener("click", () => this.#save());
    darkScheme.addEventListener("change", this.#redraw);
  }

  disconnectedCallback() {
    darkScheme.removeEventListener("change", this.#redraw);
    this.#drawn?.destroy();
  }

  set chart(chart) {
    this.#chart = chart;
    this.querySelector("figcaption p").textContent = chart.summary;
    this.querySelector("canvas").setAttribute("aria-label", `${this.dataset.title}. ${chart.summary}`);
    this.#showNumbers();
    this.#draw();
  }

  #redraw = () => {
    this.#drawn?.destroy();
    this.#drawn = null;
    if (this.#chart) this.#draw();
  };

  #draw() {
    if (!globalThis.Chart) return this.#showNumbersInstead();
    const style = getComputedStyle(this);
    const configuration = chartConfiguration(this.#chart, {
      colour: (name) => style.getPropertyValue(name),
      font: style.fontFamily,
    });
    if (this.#drawn) {
      Object.assign(this.#drawn.data, configuration.data);
      this.#drawn.update();
    } else {
      this.#drawn = new globalThis.Chart(this.querySelector("canvas"), configuration);
    }
  }

  /** Chart.js did not arrive: the data did. */
  #showNumbersInstead() {
    this.querySelector(".canvas").hidden = true;
    this.querySelector("details").open = true;
  }

  #save() {
    if (this.#chart) download(`catnet-${this.#chart.raw.name}.csv`, csv(this.#chart.raw), "text/csv");
  }

  #showNumbers() {
    if (!this.#chart || !this.querySelector("details").open) return; // up to 1,440 rows that nobody looks at
    const { columns, rows } = this.#chart;
    render(
      this.querySelector("table"),
      html`<thead><tr>${columns.map((column, index) => html`<th scope="col" class="${index && "number"}">${column}</th>`)}</tr></thead>
        <tbody>${rows.map(([first, ...others]) => html`<tr><th scope="row">${first}</th>${others.map((value) => html`<td class="number">${value}</td>`)}</tr>`)}</tbody>`,
    );
  }
}

customElements.define("chart-figure", ChartFigure);
