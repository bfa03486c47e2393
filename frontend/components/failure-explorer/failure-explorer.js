/**
 * Where the network fails: what may happen to a photo, by sliders, and the answer as they move. For the slider that was moved
 * last, the answer over its whole range is drawn as a curve.
 *
 *   <failure-explorer></failure-explorer>
 *   property `subject`: { pixels, ask } where ask(pixels, strengths) promises { cat_probability, certain, label, pixels }
 *
 * The model works elsewhere and on one question at a time. The newest place of the sliders comes first, a point of the curve when
 * there is time; what comes back is drawn at most once a frame. So the page never waits, however slow the machine.
 *
 * Accessibility: native sliders with labels; their values, the curve and the picture are in words too. The live region says an
 * answer only when the sliders rest.
 */
import { coarseToFine } from "../../lib/curve-order.js";
import { curvePlot, restingWords, strengthText } from "../../lib/failure-words.js";
import { percent } from "../../lib/format.js";
import { html, render } from "../../lib/html.js";
import { predictionWords } from "../../lib/prediction-words.js";
import { CORRUPTIONS, HARMLESS } from "../../network/corruptions.js";
import { imageData } from "../../network/photo-pixels.js";
import "../line-plot/line-plot.js";

const POINTS = 33;
const REST_MILLISECONDS = 700;

class FailureExplorer extends HTMLElement {
  #subject = null;
  #strengths = { ...HARMLESS };
  #active = CORRUPTIONS[0];
  #answer = null; // of the sliders' newest place that is known
  #isStale = true; // the sliders stand elsewhere by now
  #curve = new Map();
  #missing = []; // strengths whose points are still to be asked
  #isWorking = false;
  #frame = null;
  #resting = null;

  connectedCallback() {
    render(
      this,
      html`<div class="picture">
          <canvas width="64" height="64" role="img" aria-label="What the network gets, not there yet"></canvas>
          <p class="headline"></p>
          <p class="visually-hidden" role="status"></p>
        </div>
        <div class="sliders">
          ${CORRUPTIONS.map(
            ({ name, title, minimum, maximum, harmless, step }) => html`<div>
              <label for="${name}">${title}</label><output for="${name}"></output>
              <input type="range" id="${name}" min="${minimum}" max="${maximum}" step="${step}" value="${harmless}">
            </div>`,
          )}
          <button type="button" class="quiet">Undo all</button>
        </div>
        <div class="curve"><h3></h3><line-plot></line-plot></div>`,
    );
    for (const corruption of CORRUPTIONS) {
      const slider = this.#slider(corruption);
      slider.addEventListener("input", () => this.#move(corruption, Number(slider.value)));
      slider.addEventListener("focus", () => this.#activate(corruption));
    }
    this.querySelector("button").addEventListener("click", () => this.#undo());
    this.#drawSoon();
  }

  set subject(subject) {
    this.#subject = subject;
    this.#begin();
  }

  #slider({ name }) {
    return this.querySelector(`#${name}`);
  }

  #move(corruption, strength) {
    this.#activate(corruption);
    this.#strengths[corruption.name] = strength;
    this.#isStale = true;
    clearTimeout(this.#resting);
    this.#resting = setTimeout(() => this.#say(), REST_MILLISECONDS);
    this.#drawSoon();
    this.#work();
  }

  /** Another slider: the curve is over its range, with all others where they stand. */
  #activate(corruption) {
    if (corruption === this.#active) return;
    this.#active = corruption;
    this.#begin();
  }

  #undo() {
    this.#strengths = { ...HARMLESS };
    for (const corruption of CORRUPTIONS) this.#slider(corruption).value = corruption.harmless;
    this.#begin();
  }

  #begin() {
    const { minimum, maximum } = this.#active;
    this.#curve = new Map();
    this.#missing = coarseToFine(POINTS).map((place) => minimum + ((maximum - minimum) * place) / (POINTS - 1));
    this.#isStale = true;
    this.#drawSoon();
    this.#work();
  }

  async #work() {
    if (this.#isWorking || !this.#subject) return;
    this.#isWorking = true;
    try {
      while (this.#isStale || this.#missing.length > 0) await this.#askNext();
    } catch (error) {
      if (error.name !== "AbortError") throw error; // another model: its subject comes
    } finally {
      this.#isWorking = false;
    }
  }

  async #askNext() {
    const [subject, curve] = [this.#subject, this.#curve];
    if (this.#isStale) {
      this.#isStale = false;
      const answer = await subject.ask(subject.pixels, this.#strengths);
      if (subject === this.#subject) this.#answer = answer;
    } else {
      const strength = this.#missing.shift();
      const { cat_probability: probability } = await subject.ask(subject.pixels, { ...this.#strengths, [this.#active.name]: strength });
      if (subject === this.#subject && curve === this.#curve) curve.set(strength, probability);
    }
    this.#drawSoon();
  }

  #drawSoon() {
    this.#frame ??= requestAnimationFrame(() => {
      this.#frame = null;
      this.#draw();
    });
  }

  #draw() {
    for (const corruption of CORRUPTIONS) {
      const text = strengthText(corruption, this.#strengths[corruption.name]);
      this.querySelector(`output[for=${corruption.name}]`).textContent = text;
      this.#slider(corruption).setAttribute("aria-valuetext", text);
    }
    this.querySelector(".curve h3").textContent = `Probability of a cat over ${this.#active.title === "JPEG quality" ? "JPEG quality" : this.#active.title.toLowerCase()}`;
    this.querySelector("line-plot").plot = curvePlot({
      corruption: this.#active,
      curve: this.#curve,
      strength: this.#strengths[this.#active.name],
      probability: this.#answer?.cat_probability ?? null,
    });
    if (!this.#answer) return;
    const canvas = this.querySelector("canvas");
    canvas.getContext("2d").putImageData(imageData(this.#answer.pixels), 0, 0);
    const { verdict, headline } = predictionWords(this.#answer);
    const words = this.querySelector(".headline");
    words.dataset.verdict = verdict;
    words.textContent = `${headline} ${percent(this.#answer.cat_probability)}`;
  }

  #say() {
    if (!this.#answer) return;
    const words = restingWords(this.#answer, this.#strengths);
    this.querySelector("[role=status]").textContent = words;
    this.querySelector("canvas").setAttribute("aria-label", `What the network gets. ${words}`);
  }
}

customElements.define("failure-explorer", FailureExplorer);
