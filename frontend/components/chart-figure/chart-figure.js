/**
 * A chart with its title, what it is about, a sentence that says what it shows now, and its data as a table and as a file.
 *
 *   <chart-figure data-title="Predictions over time" data-about="How often the model was asked."></chart-figure>
 *
 * Property: `chart`, see charts/traffic.js.
 * Accessibility: the canvas is an image described by the sentence; the table behind "Show the numbers" is the alternative.
 */
import { html, render } from "../../lib/html.js";
import { chartConfiguration } from "./chart-configuration.js";

/** Where these change, so do the colours: dark on the screen, light on paper. */
const MEDIA = [matchMedia("(prefers-color-scheme: dark)"), matchMedia("print")];

class ChartFigure extends HTMLElement {
  #drawn = null;
  #chart = null;

  connectedCallback() {
    const { title, about } = this.dataset;
    render(
      this,
      html`<figure data-kind="waiting">
        <figcaption>
          <h2>${title}</h2>
          <p class="about quiet-text">${about}</p>
          <p class="summary">Waiting for the first report.</p>
        </figcaption>
        <div class="canvas"><canvas role="img" aria-label="${title}, not there yet"></canvas></div>
        <data-numbers data-title="${title}"></data-numbers>
      </figure>`,
    );
    for (const media of MEDIA) media.addEventListener("change", this.#redraw);
  }

  disconnectedCallback() {
    for (const media of MEDIA) media.removeEventListener("change", this.#redraw);
    this.#drawn?.destroy();
  }

  set chart(chart) {
    this.#chart = chart;
    this.querySelector("figure").dataset.kind = isEmpty(chart) ? "empty" : "drawn";
    this.querySelector(".summary").textContent = chart.summary;
    this.querySelector("canvas").setAttribute("aria-label", `${this.dataset.title}. ${chart.summary}`);
    this.querySelector("data-numbers").data = chart;
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
    this.querySelector("data-numbers").open();
  }
}

/** There is nothing to see: no value, or none but zeros. */
function isEmpty({ series }) {
  return series.every(({ values, ranges }) => (values ?? ranges).every((value) => !value));
}

customElements.define("chart-figure", ChartFigure);
