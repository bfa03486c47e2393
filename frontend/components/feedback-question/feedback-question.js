/**
 * "Was this right?" under an answer.
 *
 *   <feedback-question></feedback-question>
 *
 * Properties: `prediction`, the answer in question; `state`, one of
 *   { kind: "sending", label }
 *   { kind: "noted", label }
 *   { kind: "failed", problem }     what was noted before stays noted
 * Event: "feedback" (bubbles), detail { predictionId, label }. While one is on its way, presses do nothing: two at once
 * could arrive in the wrong order.
 *
 * Accessibility: a group named by the question, toggle buttons, and a live region of its own for what became of the press.
 */
import { feedbackProblemWords, feedbackQuestion, feedbackThanks } from "../../lib/feedback-words.js";
import { html, render } from "../../lib/html.js";

class FeedbackQuestion extends HTMLElement {
  #noted = null; // the label that the service took last
  #sending = false;

  set prediction(prediction) {
    const { question, replies } = feedbackQuestion(prediction);
    render(
      this,
      html`<div role="group" aria-labelledby="feedback-question">
          <h3 id="feedback-question">${question}</h3>
          <div class="replies">
            ${replies.map(({ label, words }) => html`<button type="button" class="quiet" data-label="${label}" aria-pressed="false">${words}</button>`)}
          </div>
        </div>
        <p class="outcome quiet-text" role="status"></p>`,
    );
    for (const button of this.#buttons) {
      button.addEventListener("click", () => this.#reply({ predictionId: prediction.prediction_id, label: button.dataset.label }));
    }
  }

  set state(state) {
    this.#sending = state.kind === "sending";
    this.dataset.kind = state.kind;
    this.#outcome = this.#wordsOf(state);
    if (state.kind === "noted") this.#noted = state.label;
    for (const button of this.#buttons) {
      const pressed = button.dataset.label === (this.#sending ? state.label : this.#noted);
      button.setAttribute("aria-pressed", String(pressed));
      if (state.problem?.reason === 404) button.setAttribute("aria-disabled", "true");
    }
  }

  get #buttons() {
    return this.querySelectorAll("button");
  }

  set #outcome(words) {
    this.querySelector(".outcome").textContent = words;
  }

  #wordsOf({ kind, label, problem }) {
    if (kind === "sending") return "Sending…";
    if (kind === "failed") return feedbackProblemWords(problem);
    return feedbackThanks({ changed: this.#noted !== null && this.#noted !== label });
  }

  #reply(detail) {
    if (this.#sending || this.querySelector("[aria-disabled]") || detail.label === this.#noted) return;
    this.dispatchEvent(new CustomEvent("feedback", { bubbles: true, detail }));
  }
}

customElements.define("feedback-question", FeedbackQuestion);
