/**
 * What the authors of a model say about it: its card, from the Markdown beside its weights. Its beginning is shown, the rest is
 * behind its headings.
 *
 *   <model-card></model-card>      property `text`, null where there is none
 *
 * Accessibility: native details with the card's own headings, so that a screen reader finds them in its list of headings.
 */
import { html, render } from "../../lib/html.js";
import { markdownSections } from "../../lib/markdown.js";

class ModelCard extends HTMLElement {
  set text(text) {
    if (text === null) return render(this, html`<p class="quiet-text">This model comes without a card.</p>`);
    const [opening, ...sections] = markdownSections(text);
    render(
      this,
      html`${opening.blocks}${sections.map(({ heading, blocks }) => html`<details><summary>${heading}</summary><div class="section">${blocks}</div></details>`)}`,
    );
  }
}

customElements.define("model-card", ModelCard);
