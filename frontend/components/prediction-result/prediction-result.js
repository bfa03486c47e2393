/**
 * The answer about one photo, or why there is none.
 *
 *   <prediction-result><p class="visually-hidden" role="status"></p><div class="content">before any photo</div></prediction-result>
 *
 * Property: `state`, one of
 *   { kind: "asking" }
 *   { kind: "answered", prediction, elapsedMilliseconds }
 *   { kind: "failed", problem, retrySeconds }     retrySeconds: when it tries again by itself, or null
 *   { kind: "cancelled" }
 * Events: "retry" (detail { automatic }), "cancel", "choose-another", and those of feedback-question.
 *
 * Accessibility: a live region of its own says each outcome once; the numbers and a running countdown stay out of it.
 */
import { count, milliseconds, percent } from "../../lib/format.js";
import { html, render } from "../../lib/html.js";
import { predictionWords } from "../../lib/prediction-words.js";
import { problemWords } from "../../lib/problem-words.js";
import "../feedback-question/feedback-question.js";
import "../retry-countdown/retry-countdown.js";

const VIEWS = { asking, answered, failed, cancelled };

class PredictionResult extends HTMLElement {
  connectedCallback() {
    this.addEventListener("click", (event) => {
      const action = event.target.closest("button[data-action]")?.dataset.action;
      if (action) this.dispatchEvent(new CustomEvent(action));
    });
  }

  set state(state) {
    const { spoken, content } = VIEWS[state.kind](state);
    const hadFocus = this.contains(document.activeElement);
    this.dataset.kind = state.kind;
    this.querySelector("[role=status]").textContent = spoken;
    render(this.querySelector(".content"), content);
    if (hadFocus) this.querySelector(".headline").focus(); // the button that was pressed is gone
    if (state.kind === "answered") this.#complete(state);
  }

  #complete({ prediction }) {
    const question = this.querySelector("feedback-question"); // none about an answer that nobody else knows of
    if (question) question.prediction = prediction;
    // A width set here, not in the HTML, as the page's policy allows no style attributes.
    this.querySelector(".scale").style.setProperty("--cat-probability", prediction.cat_probability);
  }
}

function asking() {
  return {
    spoken: "Asking the model.",
    content: html`
      <h2 class="headline" tabindex="-1">Looking…</h2>
      <div class="working"></div>
      <button type="button" class="quiet" data-action="cancel">Cancel</button>`,
  };
}

function answered({ prediction, elapsedMilliseconds }) {
  const { verdict, headline, sentence } = predictionWords(prediction);
  const { model, image, timings_ms: timings } = prediction;
  return {
    spoken: `${headline} ${sentence}`,
    content: html`
      <h2 class="headline" tabindex="-1" data-verdict="${verdict}">${headline}</h2>
      <p class="sentence">${sentence}</p>
      <div class="scale" data-verdict="${verdict}" aria-hidden="true">
        <span>not a cat</span><span class="bar"><span class="marker"></span></span><span>cat</span>
      </div>
      <dl class="facts">
        <div><dt>Label</dt><dd>${prediction.label}</dd></div>
        <div><dt>Confidence</dt><dd>${percent(prediction.confidence)}</dd></div>
        <div><dt>Time</dt><dd>${milliseconds(elapsedMilliseconds)}
          <small>decoding ${milliseconds(timings.decode)}, model ${milliseconds(timings.forward)}</small></dd></div>
        <div><dt>Model</dt><dd>${model.name} <small>version ${model.version}</small></dd></div>
        <div><dt>Photo</dt><dd>${image.format} <small>${count(image.width)} × ${count(image.height)} pixels</small></dd></div>
      </dl>
      ${prediction.prediction_id && html`<feedback-question></feedback-question>`}`,
  };
}

function failed({ problem, retrySeconds }) {
  const { title, advice, retry } = problemWords(problem);
  return {
    spoken: `${title}. ${advice}`,
    content: html`
      <h2 class="headline" tabindex="-1" data-verdict="failed">${title}</h2>
      <p class="sentence">${advice}</p>
      ${retry
        ? html`<retry-countdown data-seconds="${retrySeconds ?? ""}"></retry-countdown>`
        : html`<button type="button" data-action="choose-another">Choose another photo</button>`}
      ${technicalDetails(problem)}`,
  };
}

function technicalDetails({ reason, title, detail, requestId }) {
  if (!title && !requestId) return null;
  return html`
    <details>
      <summary>Details for a report</summary>
      <p>${reason} ${title}. ${detail}</p>
      ${requestId && html`<p>Request <code>${requestId}</code></p>`}
    </details>`;
}

function cancelled() {
  return {
    spoken: "Cancelled.",
    content: html`
      <h2 class="headline" tabindex="-1">Cancelled</h2>
      <p class="sentence">Your photo is still here.</p>
      <retry-countdown></retry-countdown>`,
  };
}

customElements.define("prediction-result", PredictionResult);
