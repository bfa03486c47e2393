/**
 * Which model the numbers are about.
 *
 *   <report-model><label for="model">Model</label><select id="model"><option value="">the default</option></select></report-model>
 *
 * Method: show(choices, id) lists the choices (see modelChoices) and selects one, null for the default; an id that is not
 * among them, a model that is not served any more, is listed too.
 * Event: "model-chosen", detail { id }.
 */
import { html, update } from "../../lib/html.js";

class ReportModel extends HTMLElement {
  connectedCallback() {
    this.#select.addEventListener("change", () => {
      this.dispatchEvent(new CustomEvent("model-chosen", { detail: { id: this.#select.value || null } }));
    });
  }

  show(choices, id) {
    const byDefault = choices.find(({ isDefault }) => isDefault);
    const others = choices.filter(({ isDefault }) => !isDefault);
    const isDefault = id === null || id === byDefault?.id;
    if (!isDefault && !others.some((choice) => choice.id === id)) others.push({ id, title: id });
    update(
      this.#select,
      html`<option value="">${byDefault ? `${byDefault.title} (default)` : "the default"}</option>
        ${others.map((choice) => html`<option value="${choice.id}">${choice.title}</option>`)}`,
    );
    this.#select.value = isDefault ? "" : id;
  }

  get #select() {
    return this.querySelector("select");
  }
}

customElements.define("report-model", ReportModel);
