/**
 * Which model is asked. Hidden while there is nothing to choose.
 *
 *   <model-picker hidden></model-picker>
 *
 * Properties: `choices` (see modelChoices), shown when there are several; `value`, the id of the chosen one, null for the
 * default. Event: "model-chosen", detail { id }.
 */
import { html, render } from "../../lib/html.js";

class ModelPicker extends HTMLElement {
  set choices(choices) {
    this.hidden = choices.length < 2;
    if (this.hidden) return;
    render(
      this,
      html`<label for="model">Model that is asked</label>
        <select id="model">
          ${choices.map(({ id, title, isDefault }) => html`<option value="${isDefault ? "" : id}">${title}${isDefault && " (default)"}</option>`)}
        </select>`,
    );
    this.#select.addEventListener("change", () => {
      this.dispatchEvent(new CustomEvent("model-chosen", { detail: { id: this.#select.value || null } }));
    });
  }

  set value(id) {
    if (this.#select) this.#select.value = id ?? "";
  }

  get #select() {
    return this.querySelector("select");
  }
}

customElements.define("model-picker", ModelPicker);
