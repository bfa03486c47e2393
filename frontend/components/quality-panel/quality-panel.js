/**
 * How often are the answers right? Estimated, as people said, and as another model sees it.
 *
 *   <quality-panel></quality-panel>        property `report`
 */
import { count, percent } from "../../lib/format.js";
import { html, render, update } from "../../lib/html.js";
import { estimateSentence, feedbackSentence, intervalWords, shadowSentence } from "../../lib/quality-words.js";

const NOTHING_YET = {
  quality: { estimated_accuracy: { value: null, low: null, high: null }, feedback: { count: 0, accuracy: null, low: null, high: null } },
  shadow: null,
};

class QualityPanel extends HTMLElement {
  connectedCallback() {
    render(
      this,
      html`<h2>Accuracy</h2>
        <p class="about quiet-text">How often the answers are right. Nobody can know it for sure without looking at every photo; these are the ways to tell.</p>
        <div class="parts"></div>`,
    );
    this.report = NOTHING_YET;
  }

  set report({ quality, shadow }) {
    const { estimated_accuracy: estimated, feedback } = quality;
    update(
      this.querySelector(".parts"),
      html`${part("estimated", "Estimated", estimated, estimateSentence(estimated), estimated.reliable === false)}
        ${part("reported", "As people said", { ...feedback, value: feedback.accuracy }, feedbackSentence(feedback), false)}
        ${feedback.count > 0 && confusionTable(feedback.confusion)}
        ${shadow && part("shadow", "Shadow model disagrees", { ...shadow, value: shadow.rate }, shadowSentence(shadow), false)}`,
    );
  }
}

function part(name, title, share, sentence, isUnreliable) {
  const interval = intervalWords(share);
  return html`<div data-part="${name}">
    <h3>${title} ${isUnreliable && html`<span class="doubt">unreliable</span>`}</h3>
    <p class="figure">${percent(share.value)}</p>
    ${interval && html`${intervalPicture(share)}<p>${interval}</p>`}
    <p class="quiet-text">${sentence}</p>
  </div>`;
}

const TRACK = 200;

/** Where the share lies between 0 and 1, and its interval. Says nothing that the words beside it do not. */
function intervalPicture({ value, low, high }) {
  const x = (share) => (share * TRACK).toFixed(1);
  return html`<svg viewBox="0 0 ${TRACK} 12" preserveAspectRatio="none" aria-hidden="true">
    <rect class="track" x="0" y="5" width="${TRACK}" height="2"></rect>
    <rect class="interval" x="${x(low)}" y="2" width="${x(high - low)}" height="8"></rect>
    <rect class="value" x="${(value * (TRACK - 2)).toFixed(1)}" y="0" width="2" height="12"></rect>
  </svg>`;
}

/** `confusion[said][truth]`: how often each label was answered, by what the photo really showed. */
function confusionTable(confusion) {
  const row = (label, words) => html`<tr>
    <th scope="row">${words}</th>
    <td class="number ${label === "cat" && "right"}">${count(confusion[label].cat)}</td>
    <td class="number ${label === "non-cat" && "right"}">${count(confusion[label]["non-cat"])}</td>
  </tr>`;
  return html`<table data-part="confusion">
    <caption>Answers, by what people said they should have been</caption>
    <thead><tr><td></td><th scope="col" class="number">was a cat</th><th scope="col" class="number">was not</th></tr></thead>
    <tbody>${row("cat", "said cat")}${row("non-cat", "said non-cat")}</tbody>
  </table>`;
}

customElements.define("quality-panel", QualityPanel);
