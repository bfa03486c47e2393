/**
 * What the authors of a model say about it: its card, from the Markdown beside its weights.
 *
 *   <model-card></model-card>      property `text`, null where there is none
 */
import { html, render } from "../../lib/html.js";
import { markdown } from "../../lib/markdown.js";

class ModelCard extends HTMLElement {
  set text(text) {
    render(this, text === null ? html`<p class="quiet-text">This model comes without a card.</p>` : html`${markdown(text)}`);
  }
}

customElements.define("model-card", ModelCard);
