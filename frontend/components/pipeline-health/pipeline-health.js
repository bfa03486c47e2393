/**
 * Did every answered prediction arrive in the numbers above? The accounts, as a sum that has to come out.
 *
 *   <pipeline-health></pipeline-health>        property `report`
 */
import { MISSING, count, duration } from "../../lib/format.js";
import { html, render, update } from "../../lib/html.js";
import { dropReasons, pipelineVerdict } from "../../lib/pipeline-words.js";

class PipelineHealth extends HTMLElement {
  connectedCallback() {
    render(
      this,
      html`<h2>Pipeline</h2>
        <p class="about quiet-text">Every answer has to be somewhere: counted above, on its way, or among those given up.</p>
        <p class="verdict">Waiting for the first report.</p>
        <dl class="accounts"></dl>
        <dl class="asides"></dl>`,
    );
    this.#list({ last_event_age_seconds: null });
  }

  set report({ pipeline }) {
    const { status, words } = pipelineVerdict(pipeline);
    const verdict = this.querySelector(".verdict");
    verdict.dataset.status = status;
    verdict.textContent = words;
    this.#list(pipeline);
  }

  #list(pipeline) {
    const { last_event_age_seconds: age } = pipeline;
    update(
      this.querySelector(".accounts"),
      html`${fact("answered", "", "Answered", pipeline.answered, "by the service")}
        ${fact("consumed", "=", "Counted", pipeline.consumed, "each once")}
        ${fact("lag", "+", "Lag", pipeline.lag, "waiting in the stream")}
        ${fact("pending", "+", "Pending", pipeline.pending, "taken, not yet counted")}
        ${fact("buffered", "+", "Buffered", pipeline.buffered, "not in the stream yet")}
        ${fact("dropped", "+", "Dropped", pipeline.dropped, dropReasons(pipeline.dropped_by_reason))}
        ${fact("lost", "+", "Lost", pipeline.lost, "gone from the stream too early")}
        ${fact("dead", "+", "Unreadable", pipeline.dead, "set aside with the reason")}`,
    );
    update(
      this.querySelector(".asides"),
      html`${fact("duplicates", "", "Duplicates", pipeline.duplicates, "seen again, not counted twice")}
        ${pipeline.shadow > 0 && fact("shadow", "", "Shadow", pipeline.shadow, "of a model that only looks on")}
        <div data-fact="age"><dt>Last event</dt><dd>${lastEvent(pipeline, age)}</dd></div>`,
    );
  }
}

function fact(name, sign, term, value, note) {
  return html`<div data-fact="${name}"><dt>${sign && html`<span class="sign">${sign}</span> `}${term} <small>${note}</small></dt><dd>${count(value)}</dd></div>`;
}

function lastEvent({ consumed }, age) {
  if (age !== null) return `${duration(age)} ago`;
  return consumed === undefined ? MISSING : "none yet";
}

customElements.define("pipeline-health", PipelineHealth);
