/**
 * Do the photos still look like those the model was tested with? One part a feature.
 *
 *   <drift-panel></drift-panel>        property `report`
 *
 * Accessibility: each picture is described by its shares; the table behind "Show the numbers" has the bins.
 */
import { driftNumbers } from "../../charts/drift.js";
import { STATUS_WORDS, driftSentence, featureKind, featureName, referenceSentence } from "../../lib/drift-words.js";
import { count, decimal, pValue } from "../../lib/format.js";
import { html, render, update } from "../../lib/html.js";

const TITLE = "Data and prediction drift";
const USUAL_FEATURES = 7; // what every reference from a manifest has: the room to keep until the first report

class DriftPanel extends HTMLElement {
  connectedCallback() {
    render(
      this,
      html`<header></header>
        <p class="key quiet-text"><span class="now">now</span> <span class="reference">in the reference</span>, in shares of the photos, from low values to high ones</p>
        <div class="features"></div>
        <data-numbers data-title="${TITLE}"></data-numbers>`,
    );
    this.#head(null, "Waiting for the first report.", "Drift: photos or answers are no longer like those of the reference.");
    update(this.querySelector(".features"), html`${Array.from({ length: USUAL_FEATURES }, () => html`<article></article>`)}`);
  }

  set report(report) {
    const { drift } = report;
    this.#head(drift.status, driftSentence(drift), referenceSentence(drift.reference));
    update(this.querySelector(".features"), html`${drift.features.map(featurePart)}`);
    this.querySelector("data-numbers").data = driftNumbers(report);
    for (const part of this.querySelectorAll(".key, .features, data-numbers")) part.hidden = drift.features.length === 0;
  }

  #head(status, verdict, about) {
    update(
      this.querySelector("header"),
      html`<h2>${TITLE}</h2>${status && statusWord(status)}<p class="quiet-text">${about}</p><p class="verdict">${verdict}</p>`,
    );
  }
}

function featurePart({ name, status, sentence, psi, threshold, p_value: p, reference, current }) {
  return html`<article data-feature="${name}">
    <h3>${featureName(name)}</h3>
    <small>${featureKind(name)}</small>${statusWord(status)}
    ${shape(reference, current)}
    <p class="sentence">${sentence}</p>
    <dl>
      <div><dt>PSI</dt><dd>${decimal(psi)}</dd></div>
      <div><dt>threshold</dt><dd>${decimal(threshold)}</dd></div>
      <div><dt>p-value</dt><dd>${pValue(p)}</dd></div>
    </dl>
  </article>`;
}

function statusWord(status) {
  return html`<span class="status" data-status="${status}">${STATUS_WORDS[status] ?? status}</span>`;
}

const SHAPE_WIDTH = 200;
const SHAPE_HEIGHT = 60;

/** Shares per bin: bars for the current window, if it has any, and a line for the reference. */
function shape(reference, current) {
  const now = shares(current);
  const before = shares(reference);
  const highest = Math.max(...now, ...before, Number.MIN_VALUE);
  const width = SHAPE_WIDTH / before.length;
  const y = (share) => (SHAPE_HEIGHT * (1 - share / highest)).toFixed(1);
  const x = (bin) => (bin * width).toFixed(1);
  const line = before.map((share, bin) => `${bin ? "L" : "M"}${x(bin)} ${y(share)}H${x(bin + 1)}`).join("");
  const description = `Share of photos per bin. Now: ${percentages(now)}. Reference: ${percentages(before)}.`;
  return html`<svg viewBox="0 -2 ${SHAPE_WIDTH} ${SHAPE_HEIGHT + 4}" preserveAspectRatio="none" role="img" aria-label="${description}">
    ${now.map((share, bin) => html`<rect x="${x(bin + 0.08)}" y="${y(share)}" width="${(width * 0.84).toFixed(1)}" height="${(SHAPE_HEIGHT - y(share)).toFixed(1)}"></rect>`)}
    <path d="${line}"></path>
  </svg>`;
}

function shares(counts) {
  const total = counts.reduce((sum, value) => sum + value, 0);
  return counts.map((value) => (total > 0 ? value / total : 0));
}

function percentages(shares) {
  return shares.map((share) => `${count(share * 100)} %`).join(", ");
}

customElements.define("drift-panel", DriftPanel);
