/**
 * The last predictions, newest first.
 *
 *   <recent-predictions></recent-predictions>        property `report`
 */
import { clockTime, milliseconds, percent } from "../../lib/format.js";
import { html, render } from "../../lib/html.js";

class RecentPredictions extends HTMLElement {
  connectedCallback() {
    render(this, html`<h2>Recent predictions</h2><p class="quiet-text">Waiting for the first report.</p>`);
  }

  set report({ recent }) {
    render(this, html`<h2>Recent predictions</h2>${recent.length > 0 ? table(recent) : html`<p class="quiet-text">None yet.</p>`}`);
  }
}

function table(recent) {
  return html`<div class="rows" tabindex="0" role="region" aria-label="Recent predictions">
    <table>
      <thead>
        <tr>
          <th scope="col">Time</th><th scope="col">Answer</th><th scope="col" class="number">Confidence</th>
          <th scope="col" class="number">Latency</th><th scope="col" class="model">Model</th>
        </tr>
      </thead>
      <tbody>
        ${recent.map(
          ({ time, label, confidence, certain, latency_ms: latency, model }) => html`<tr>
            <td><time datetime="${time}">${clockTime(time)}</time></td>
            <td><span class="label" data-label="${label}">${label}</span>${!certain && html` <small>not sure</small>`}</td>
            <td class="number">${percent(confidence)}</td>
            <td class="number">${milliseconds(latency)}</td>
            <td class="model">${model}</td>
          </tr>`,
        )}
      </tbody>
    </table>
  </div>`;
}

customElements.define("recent-predictions", RecentPredictions);
