/**
 * Where the model looked: the part of the photo that it sees, with what spoke for a cat and what against laid over it.
 *
 *   <explanation-view hidden></explanation-view>
 *
 * Property: `state`, one of
 *   { kind: "none" }                there is no answer to explain
 *   { kind: "awaited" }             there will be one: its place is kept
 *   { kind: "offered", photo }      a button, as explaining costs as much as many answers
 *   { kind: "asking" }
 *   { kind: "shown", explanation }
 *   { kind: "failed", problem }
 * Event: "explain", detail { method }, on the first press, for each other method, and for another try.
 *
 * Accessibility: the picture is described by where it is strongest; a live region of its own says what became of the press.
 */
import { METHODS, explanationProblemWords, heatmapSentence } from "../../lib/explanation-words.js";
import { html, render } from "../../lib/html.js";

class ExplanationView extends HTMLElement {
  #photoUrl = null;

  connectedCallback() {
    render(
      this,
      html`<h2>Where it looked</h2>
        <button type="button" class="quiet" id="show">Show where it looked</button>
        <div class="controls" hidden>
          <label for="method">How it is found</label>
          <select id="method" aria-describedby="asks">${METHODS.map(({ name, title }) => html`<option value="${name}">${title}</option>`)}</select>
          <p id="asks"></p>
        </div>
        <p class="outcome" role="status"></p>
        <button type="button" class="quiet" id="again" hidden>Try again</button>
        <figure hidden>
          <div class="picture"><img class="photo" alt=""><img class="heatmap"></div>
          <figcaption>
            <p class="legend"><span data-sign="for">speaks for a cat</span> <span data-sign="against">speaks against one</span></p>
            <label for="opacity">Strength of the colours</label>
            <input type="range" id="opacity" min="0" max="100" value="80">
          </figcaption>
        </figure>`,
    );
    this.#find("#show").addEventListener("click", () => this.#open());
    this.#find("#again").addEventListener("click", () => {
      this.#find("#method").focus(); // the button will be gone
      this.#ask();
    });
    this.#find("#method").addEventListener("change", () => this.#ask());
    this.#find("#opacity").addEventListener("input", () => this.#fade());
    this.#find(".photo").addEventListener("error", () => (this.#find(".photo").hidden = true)); // a type the browser cannot show
    this.#fade();
  }

  set state(state) {
    if (["none", "awaited", "offered"].includes(state.kind)) return this.#begin(state);
    const { words, retry } = outcome(state);
    this.dataset.kind = state.kind;
    this.#find(".outcome").textContent = words;
    this.#find("#again").hidden = !retry;
    this.#find(".heatmap").hidden = state.kind !== "shown"; // never one method's picture under another's name
    if (state.kind === "shown") this.#show(state, words);
  }

  /** As before the first press, for a new answer. */
  #begin({ kind, photo }) {
    this.hidden = kind === "none";
    this.dataset.kind = kind;
    this.#find("#show").hidden = false;
    this.#find("#show").disabled = kind !== "offered";
    for (const part of [".controls", "#again", "figure"]) this.#find(part).hidden = true;
    this.#find(".outcome").textContent = "";
    URL.revokeObjectURL(this.#photoUrl);
    this.#photoUrl = photo ? URL.createObjectURL(photo) : null;
  }

  #show({ explanation }, words) {
    const preview = this.#find(".photo");
    if (preview.src !== this.#photoUrl) {
      preview.src = this.#photoUrl;
      preview.hidden = false;
    }
    this.#find(".heatmap").src = explanation.heatmap_png;
    this.#find(".heatmap").alt = `Your photo as the model sees it, coloured by what spoke for a cat and against one. ${words}`;
    this.#find("figure").hidden = false;
  }

  #open() {
    this.#find("#show").hidden = true;
    this.#find(".controls").hidden = false;
    this.#find("#method").focus(); // the button that was pressed is gone
    this.#ask();
  }

  #ask() {
    const detail = { method: this.#find("#method").value };
    this.#find("#asks").textContent = METHODS.find(({ name }) => name === detail.method).words;
    this.dispatchEvent(new CustomEvent("explain", { detail }));
  }

  #fade() {
    this.#find(".heatmap").style.opacity = this.#find("#opacity").value / 100;
  }

  #find(selector) {
    return this.querySelector(selector);
  }
}

function outcome({ kind, explanation, problem }) {
  if (kind === "asking") return { words: "Looking at what mattered…", retry: false };
  if (kind === "failed") return explanationProblemWords(problem);
  return { words: heatmapSentence(explanation.heatmap), retry: false };
}

customElements.define("explanation-view", ExplanationView);
