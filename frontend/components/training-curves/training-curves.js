/**
 * How training went: the loss on both parts of the data, and how good the network was at each validation.
 *
 *   <training-curves></training-curves>      property `training`: what trainingView() returns
 *
 * Accessibility: each plot has its sentence, and the numbers are in a table below.
 */
import { html, render } from "../../lib/html.js";
import "../line-plot/line-plot.js";

class TrainingCurves extends HTMLElement {
  set training({ sentence, plots, columns, rows }) {
    render(
      this,
      html`<p class="quiet-text">${sentence}</p>
        ${plots.length > 0 &&
        html`<div class="plots">${plots.map(({ title }) => html`<div><h3>${title}</h3><line-plot></line-plot></div>`)}</div>
          <details>
            <summary>Show the numbers</summary>
            <div class="table" tabindex="0" role="region" aria-label="Training, the numbers"><table>
              <thead><tr>${columns.map((column) => html`<th scope="col" class="number">${column}</th>`)}</tr></thead>
              <tbody>${rows.map((row) => html`<tr>${row.map((cell) => html`<td class="number">${cell}</td>`)}</tr>`)}</tbody>
            </table></div>
          </details>`}`,
    );
    this.querySelectorAll("line-plot").forEach((element, index) => (element.plot = plots[index].plot));
  }
}

customElements.define("training-curves", TrainingCurves);
