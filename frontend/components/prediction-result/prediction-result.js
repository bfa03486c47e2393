/**
 * The answer about one photo, or why there is none.
 *
 *   <prediction-result><p class="visually-hidden" role="status"></p><div class="content">before any photo</div></prediction-result>
 *
 * Property: `state`, one of
 *   { kind: "empty" }                             no photo yet: what the element held at first
 *   { kind: "waiting" }                           for its turn
 *   { kind: "asking", progress }                  0..1 of the photo is sent; null: not known
 *   { kind: "answered", prediction, elapsedMilliseconds, reply }     reply: the label that was said to be right, if any
 *   { kind: "failed", problem, retryAt }          retryAt: when it is tried again by itself (as Date.now()), or null
 *   { kind: "cancelled" }
 * and `progress`, 0..1, while asking. Events: "retry", "cancel", "choose-another", and those of feedback-question.
 *
 * Accessibility: a live region of its own says each outcome once; the numbers and a running countdown stay out of it.
 */
import { count, milliseconds, percent } from "../../lib/format.js";
import { html, render } from "../../lib/html.js";
import { predictionWords } from "../../lib/prediction-words.js";
import { problemWords } from "../../lib/problem-words.js";
import "../feedback-question/feedback-question.js";
import "../retry-countdown/retry-countdown.js";

const VIEWS = { waiting, asking, answered, failed, cancelled };

class PredictionResult extends HTMLElement {
  #empty = null; // what it held at first

  connectedCallback() {
    this.#empty ??= [...this.querySelector(".content").childNodes];
    this.addEventListener("click", (event) => {
      const action = event.target.closest("button[data-action]")?.dataset.action;
      if (action) this.dispatchEvent(new CustomEvent(action));
    });
  }

  set state(state) {
    const hadFocus = this.contains(document.activeElement);
    this.dataset.kind = state.kind;
    if (state.kind === "empty") return this.#clear();
    const { spoken, content } = VIEWS[state.kind](state);
    this.querySelector("[role=status]").textContent = spoken;
    render(this.querySelector(".content"), content);
    if (hadFocus) this.focusHeadline(); // the button that was pressed is gone
    if (state.kind === "answered") this.#complete(state);
  }

  set progress(share) {
    const words = this.querySelector(".sent");
    if (words) words.textContent = sentWords(share);
  }

  focusHeadline(options) {
    this.querySelector(".headline").focus(options);
  }

  #clear() {
    this.querySelector("[role=status]").textContent = "";
    this.querySelector(".content").replaceChildren(...this.#empty);
  }

  #complete({ prediction, reply }) {
    const question = this.querySelector("feedback-question"); // none about an answer that nobody else knows of
    if (question) {
      question.prediction = prediction;
      if (reply) question.state = { kind: "noted", label: reply };
    }
    // A width set here, not in the HTML, as the page's policy allows no style attributes.
    this.querySelector(".scale").style.setProperty("--cat-probability", prediction.cat_probability);
  }
}

function waiting() {
  return {
    spoken: "Waiting for its turn.",
    content: html`
      <h2 class="headline" tabindex="-1">Waiting…</h2>
      <p class="sentence">Other photos are being looked at first.</p>
      <button type="button" class="quiet" data-action="cancel">Cancel</button>`,
  };
}

function asking({ progress }) {
  return {
    spoken: "Asking the model.",
    content: html`
      <h2 class="headline" tabindex="-1">Looking…</h2>
      <div class="working"></div>
      <p class="sent quiet-text">${sentWords(progress)}</p>
      <button type="button" class="quiet" data-action="cancel">Cancel</button>`,
  };
}

/** Only while there is something to wait for: a small photo is sent at once. */
function sentWords(share) {
  return share === null || share === 1 ? "" : `${percent(share)} sent`;
}

function answered({ prediction, elapsedMilliseconds }) {
  const { verdict, headline, sentence } = predictionWords(prediction);
  const { model, image, timings_ms: timings, shrunk_from: original } = prediction;
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
        <div><dt>Photo</dt><dd>${image.format} <small>${count(image.width)} × ${count(image.height)} pixels${original && `, made smaller before it was sent; it has ${count(original.width)} × ${count(original.height)}`}</small></dd></div>
      </dl>
      ${prediction.prediction_id && html`<feedback-question></feedback-question>`}`,
  };
}

function failed({ problem, retryAt }) {
  const { title, advice, retry } = problemWords(problem);
  return {
    spoken: `${title}. ${advice}`,
    content: html`
      <h2 class="headline" tabindex="-1" data-verdict="failed">${title}</h2>
      <p class="sentence">${advice}</p>
      ${retry
        ? html`<retry-countdown data-due="${retryAt ?? ""}"></retry-countdown>`
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
