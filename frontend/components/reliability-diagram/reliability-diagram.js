/**
 * How often a model is right against how often it says so.
 *
 *   <reliability-diagram></reliability-diagram>      property `reliability`: what reliabilityView() returns
 *
 * Accessibility: the plot has its sentence, and the numbers are in a table below.
 */
import { html, render } from "../../lib/html.js";
import "../data-numbers/data-numbers.js";
import "../line-plot/line-plot.js";

class ReliabilityDiagram extends HTMLElement {
  set reliability({ sentence, plot, data }) {
    render(
      this,
      html`<p class="quiet-text">${sentence}</p>
        ${plot && html`<div class="diagram"><h3>${plot.title}</h3><line-plot></line-plot></div><data-numbers data-title="Reliability"></data-numbers>`}`,
    );
    if (!plot) return;
    this.querySelector("line-plot").plot = plot;
    this.querySelector("data-numbers").data = data;
  }
}

customElements.define("reliability-diagram", ReliabilityDiagram);
