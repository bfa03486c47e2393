/**
 * What comes out of each stage of the network, as pictures: one small square a map, or one bar a number.
 *
 *   <network-stages></network-stages>      property `stages`: [{ title, words, shape, values }]
 *
 * Accessibility: each picture is described by how many of its maps answer; the words beside it say what is done.
 */
import { html, render } from "../../lib/html.js";
import { mosaic } from "../../lib/mosaic.js";

const darkScheme = matchMedia("(prefers-color-scheme: dark)");

class NetworkStages extends HTMLElement {
  #stages = [];

  connectedCallback() {
    darkScheme.addEventListener("change", this.#draw);
  }

  disconnectedCallback() {
    darkScheme.removeEventListener("change", this.#draw);
  }

  set stages(stages) {
    const isSameNetwork = stages.map(({ title }) => title).join() === this.#stages.map(({ title }) => title).join();
    this.#stages = stages;
    if (!isSameNetwork) {
      render(
        this,
        html`<ol>${stages.map(({ title, words }) => html`<li class="panel"><h3>${title}</h3><p class="quiet-text">${words}</p><canvas role="img"></canvas></li>`)}</ol>`,
      );
    }
    this.#draw();
  }

  #draw = () => {
    const colour = rgb(getComputedStyle(this).getPropertyValue("--cat"));
    this.querySelectorAll("canvas").forEach((canvas, index) => {
      const { title, shape, values } = this.#stages[index];
      const { width, height, alpha, active, total } = mosaic({ shape, values });
      const picture = new ImageData(width, height);
      for (let place = 0; place < alpha.length; place++) picture.data.set([...colour, alpha[place]], place * 4);
      Object.assign(canvas, { width, height });
      canvas.getContext("2d").putImageData(picture, 0, 0);
      canvas.setAttribute("aria-label", `${title}. ${active} of ${total} answer to this photo.`);
    });
  };
}

/** "#d9711c" -> [217, 113, 28] */
function rgb(colour) {
  return [1, 3, 5].map((start) => parseInt(colour.trim().slice(start, start + 2), 16));
}

customElements.define("network-stages", NetworkStages);
