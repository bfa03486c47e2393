/**
 * How often are the answers right? Estimated, as people said, and as another model sees it.
 *
 *   <quality-panel></quality-panel>        property `report`
 */
import { count, percent } from "../../lib/format.js";
import { html, render } from "../../lib/html.js";
import { estimateSentence, feedbackSentence, intervalWords, shadowSentence } from "../../lib/quality-words.js";

class QualityPanel extends HTMLElement {
  connectedCallback() {
    render(this, html`<h2>Accuracy</h2><p class="quiet-text">Waiting for the first report.</p>`);
  }

  set report({ quality, shadow }) {
    const { estimated_accuracy: estimated, feedback } = quality;
    render(
      this,
      html`<h2>Accuracy</h2>
        <div class="parts">
          ${part("estimated", "Estimated", percent(estimated.value), intervalWords(estimated), estimateSentence(estimated), estimated.reliable === false)}
          ${part("reported", "As people said", percent(feedback.accuracy), intervalWords(feedback), feedbackSentence(feedback), false)}
          ${feedback.count > 0 && confusionTable(feedback.confusion)}
          ${shadow && part("shadow", "Disagreement with the shadow model", percent(shadow.rate), null, shadowSentence(shadow), false)}
        </div>`,
    );
  }
}

function part(name, title, value, interval, sentence, isDoubtful) {
  return html`<div data-part="${name}">
    <h3>${title}</h3>
    <p class="figure">${value}</p>
    ${interval && html`<p>${interval}</p>`}
    <p class="${isDoubtful ? "doubt" : "quiet-text"}">${sentence}</p>
  </div>`;
}

/** `confusion[said][truth]`: how often each label was answered, by what the photo really showed. */
function confusionTable(confusion) {
  const row = (label, words) => html`<tr>
    <th scope="row">${words}</th>
    <td class="number">${count(confusion[label].cat)}</td>
    <td class="number">${count(confusion[label]["non-cat"])}</td>
  </tr>`;
  return html`<table data-part="confusion">
    <caption>Answers, by what people said they should have been</caption>
    <thead><tr><td></td><th scope="col" class="number">was a cat</th><th scope="col" class="number">was not</th></tr></thead>
    <tbody>${row("cat", "said cat")}${row("non-cat", "said non-cat")}</tbody>
  </table>`;
}

customElements.define("quality-panel", QualityPanel);
