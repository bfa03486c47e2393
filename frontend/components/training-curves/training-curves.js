/**
 * How training went: the loss on both parts of the data, and how good the network was at each validation.
 *
 *   <training-curves></training-curves>      property `training`: what trainingView() returns
 *
 * Accessibility: each plot has its sentence, and the numbers are in a table below.
 */
import { html, render } from "../../lib/html.js";
import "../data-numbers/data-numbers.js";
import "../line-plot/line-plot.js";

class TrainingCurves extends HTMLElement {
  set training({ sentence, plots, data }) {
    render(
      this,
      html`<p class="quiet-text">${sentence}</p>
        ${plots.length > 0 &&
        html`<div class="plots">${plots.map(({ title }) => html`<div><h3>${title}</h3><line-plot></line-plot></div>`)}</div>
          <data-numbers data-title="Training"></data-numbers>`}`,
    );
    if (data) this.querySelector("data-numbers").data = data;
    this.querySelectorAll("line-plot").forEach((element, index) => (element.plot = plots[index].plot));
  }
}

customElements.define("training-curves", TrainingCurves);
