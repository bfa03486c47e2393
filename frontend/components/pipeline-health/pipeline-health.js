/**
 * Did every answered prediction arrive in the numbers above?
 *
 *   <pipeline-health></pipeline-health>        property `report`
 */
import { count, duration } from "../../lib/format.js";
import { html, render } from "../../lib/html.js";
import { pipelineVerdict } from "../../lib/pipeline-words.js";

class PipelineHealth extends HTMLElement {
  connectedCallback() {
    render(this, html`<h2>Pipeline</h2><p class="quiet-text">Waiting for the first report.</p>`);
  }

  set report({ pipeline }) {
    const age = pipeline.last_event_age_seconds;
    const { status, words } = pipelineVerdict(pipeline);
    render(
      this,
      html`<h2>Pipeline</h2>
        <p class="verdict" data-status="${status}">${words}</p>
        <dl>
          ${fact("answered", "Answered", count(pipeline.answered), "predictions that left the service")}
          ${fact("consumed", "Consumed", count(pipeline.consumed), "counted by the monitor")}
          ${fact("lag", "Lag", count(pipeline.lag), "waiting in the stream")}
          ${fact("pending", "Pending", count(pipeline.pending), "taken, not yet counted")}
          ${fact("buffered", "Buffered", count(pipeline.buffered), "not in the stream yet")}
          ${fact("duplicates", "Duplicates", count(pipeline.duplicates), "seen again and not counted twice")}
          ${fact("dropped", "Dropped", count(pipeline.dropped), "given up by the service")}
          ${fact("lost", "Lost", count(pipeline.lost), "gone from the stream before they were counted")}
          ${fact("dead", "Unreadable", count(pipeline.dead), "set aside with the reason")}
          ${fact("age", "Last event", age === null ? "none yet" : `${duration(age)} ago`, "")}
        </dl>`,
    );
  }
}

function fact(name, term, value, note) {
  return html`<div data-fact="${name}"><dt>${term}${note && html` <small>${note}</small>`}</dt><dd>${value}</dd></div>`;
}

customElements.define("pipeline-health", PipelineHealth);
