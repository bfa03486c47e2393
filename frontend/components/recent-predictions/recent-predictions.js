/**
 * The last predictions, newest first, and which of them to show.
 *
 *   <recent-predictions></recent-predictions>
 *
 * Properties: `report`; `filter`, see lib/recent-filter.js. Event: "filter-chosen", detail { filter }.
 */
import { clockTime, count, milliseconds, percent } from "../../lib/format.js";
import { downloadCsv } from "../../lib/download.js";
import { html, render, update } from "../../lib/html.js";
import { NO_FILTER, isFiltering, matches, readFilter, saidOf } from "../../lib/recent-filter.js";

const SAID_WORDS = { right: "right", wrong: "wrong", nothing: "–" };

class RecentPredictions extends HTMLElement {
  #recent = null;
  #window = null;
  #filter = NO_FILTER;

  connectedCallback() {
    render(
      this,
      html`<h2>Recent predictions</h2>
        <form aria-label="Which of them to show">
          ${choice("answer", "Answer", [["cat", "cat"], ["non-cat", "not a cat"]])}
          ${choice("sure", "Sure", [["yes", "sure"], ["no", "not sure"]])}
          ${choice("said", "People said", [["right", "it was right"], ["wrong", "it was wrong"], ["nothing", "nothing yet"]])}
          ${limit("min", "At least")}
          ${limit("max", "At most")}
        </form>
        <div class="tools">
          <p class="shown quiet-text">Waiting for the first report.</p>
          <button type="button" class="quiet" name="clear" hidden>Show all</button>
          <button type="button" class="quiet" name="save" disabled>Save as CSV<span class="visually-hidden">: recent predictions</span></button>
        </div>
        <div class="rows" tabindex="0" role="region" aria-label="Recent predictions">
          <table>
            <thead>
              <tr>
                <th scope="col">Time</th><th scope="col">Answer</th><th scope="col" class="number">Confidence</th>
                <th scope="col" class="number latency">Latency</th><th scope="col" class="said">People said</th><th scope="col" class="model">Model</th>
              </tr>
            </thead>
            <tbody></tbody>
          </table>
        </div>`,
    );
    const form = this.querySelector("form");
    form.addEventListener("submit", (event) => event.preventDefault());
    form.addEventListener("input", () => this.#choose(readFilter((name) => form.elements[name].value)));
    this.querySelector("[name=clear]").addEventListener("click", () => {
      this.filter = NO_FILTER;
      this.#choose(NO_FILTER);
      form.elements.answer.focus(); // the button is gone
    });
    this.querySelector("[name=save]").addEventListener("click", () => downloadCsv(this.#file()));
  }

  set report({ recent, window }) {
    this.#recent = recent;
    this.#window = window.name;
    this.querySelector("[name=save]").disabled = false;
    this.#show();
  }

  set filter(filter) {
    this.#filter = filter;
    const { elements } = this.querySelector("form");
    for (const [name, value] of Object.entries(filter)) elements[name].value = value;
    this.#show();
  }

  #choose(filter) {
    this.#filter = filter;
    this.#show();
    this.dispatchEvent(new CustomEvent("filter-chosen", { detail: { filter } }));
  }

  #shown() {
    return this.#recent.filter((prediction) => matches(prediction, this.#filter));
  }

  #show() {
    this.querySelector("[name=clear]").hidden = !isFiltering(this.#filter);
    if (!this.#recent) return;
    const shown = this.#shown();
    this.querySelector(".shown").textContent = shownWords(shown.length, this.#recent.length);
    update(this.querySelector("tbody"), html`${shown.map(row)}`);
  }

  #file() {
    return {
      name: `recent-${this.#window}`,
      columns: ["time", "prediction_id", "model", "label", "confidence", "certain", "latency_ms", "feedback"],
      rows: this.#shown().map(({ time, prediction_id: id, model, label, confidence, certain, latency_ms: latency, feedback }) => [
        time, id, model, label, confidence, certain, latency, feedback,
      ]),
    };
  }
}

function shownWords(shown, all) {
  if (all === 0) return "None yet.";
  if (shown === all) return `The last ${count(all)}.`;
  return shown === 0 ? `None of the last ${count(all)} is like that.` : `${count(shown)} of the last ${count(all)}.`;
}

function choice(name, title, options) {
  return html`<label>${title} <select name="${name}">
    <option value="">any</option>${options.map(([value, words]) => html`<option value="${value}">${words}</option>`)}
  </select></label>`;
}

function limit(name, title) {
  return html`<label>${title}, % <input name="${name}" type="number" inputmode="decimal" min="50" max="100" step="any" placeholder="${name === "min" ? "50" : "100"}"></label>`;
}

function row({ time, label, confidence, certain, latency_ms: latency, model, feedback }) {
  const said = saidOf({ label, feedback });
  return html`<tr>
    <td><time datetime="${time}">${clockTime(time)}</time></td>
    <td><span class="label" data-label="${label}">${label}</span>${!certain && html` <small>not sure</small>`}</td>
    <td class="number">${percent(confidence)}</td>
    <td class="number latency">${milliseconds(latency)}</td>
    <td class="said" data-said="${said}">${SAID_WORDS[said]}</td>
    <td class="model">${model}</td>
  </tr>`;
}

customElements.define("recent-predictions", RecentPredictions);
