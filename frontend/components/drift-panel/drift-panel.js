/**
 * Do the photos still look like those the model was tested with? One row a feature.
 *
 *   <drift-panel></drift-panel>        property `report`
 */
import { count, decimal, pValue } from "../../lib/format.js";
import { STATUS_WORDS, driftSentence, featureKind, featureName } from "../../lib/drift-words.js";
import { html, render } from "../../lib/html.js";

class DriftPanel extends HTMLElement {
  connectedCallback() {
    render(this, html`<h2>Data and prediction drift</h2><p class="quiet-text">Waiting for the first report.</p>`);
  }

  set report({ drift }) {
    render(
      this,
      html`<header>
          <h2>Data and prediction drift</h2>
          ${statusWord(drift.status)}
        </header>
        <p class="quiet-text">${driftSentence(drift)}</p>
        ${drift.features.length > 0 && featureTable(drift.features)}`,
    );
  }
}

function featureTable(features) {
  return html`<table>
    <thead>
      <tr>
        <th scope="col">Feature</th><th scope="col">Status</th><th scope="col" class="number">PSI</th>
        <th scope="col" class="number">Threshold</th><th scope="col" class="number p-value">P-value</th>
        <th scope="col" class="shape">Now, against the reference</th>
      </tr>
    </thead>
    <tbody>${features.map(featureRow)}</tbody>
  </table>`;
}

function featureRow({ name, status, sentence, psi, threshold, p_value: p, reference, current }) {
  return html`<tr data-feature="${name}">
    <th scope="row">${featureName(name)} <small>${featureKind(name)} drift</small>${sentence && html`<span class="sentence">${sentence}</span>`}</th>
    <td>${statusWord(status)}</td>
    <td class="number">${decimal(psi)}</td>
    <td class="number">${decimal(threshold)}</td>
    <td class="number p-value">${pValue(p)}</td>
    <td class="shape">${shape(reference, current)}</td>
  </tr>`;
}

function statusWord(status) {
  return html`<span class="status" data-status="${status}">${STATUS_WORDS[status] ?? status}</span>`;
}

const SHAPE_WIDTH = 160;
const SHAPE_HEIGHT = 32;

/** Shares per bin: bars for the current window, a line for the reference. */
function shape(reference, current) {
  const now = shares(current);
  const before = shares(reference);
  if (!now || !before || now.length !== before.length) return "";
  const highest = Math.max(...now, ...before);
  const width = SHAPE_WIDTH / now.length;
  const y = (share) => (SHAPE_HEIGHT * (1 - share / highest)).toFixed(1);
  const line = before.map((share, bin) => `${bin ? "L" : "M"}${bin * width} ${y(share)}H${(bin + 1) * width}`).join("");
  const description = `Share of photos per bin. Now: ${percentages(now)}. Reference: ${percentages(before)}.`;
  return html`<svg viewBox="0 -2 ${SHAPE_WIDTH} ${SHAPE_HEIGHT + 4}" role="img" aria-label="${description}">
    ${now.map((share, bin) => html`<rect x="${bin * width + 1}" y="${y(share)}" width="${width - 2}" height="${(SHAPE_HEIGHT - y(share)).toFixed(1)}"></rect>`)}
    <path d="${line}"></path>
  </svg>`;
}

function shares(counts) {
  const total = (counts ?? []).reduce((sum, value) => sum + value, 0);
  return total > 0 ? counts.map((value) => value / total) : null;
}

function percentages(shares) {
  return shares.map((share) => `${count(share * 100)} %`).join(", ");
}

customElements.define("drift-panel", DriftPanel);
