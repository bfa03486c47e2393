/**
 * The few numbers to see first: how many, how many cats, how many the model was not sure about, how fast.
 *
 *   <summary-figures></summary-figures>        property `report`
 */
import { count, counted, milliseconds, perSecond, percent } from "../../lib/format.js";
import { html, update } from "../../lib/html.js";

class SummaryFigures extends HTMLElement {
  connectedCallback() {
    this.#show({ predictions: {}, latency_ms: {} }); // dashes, at their places, until the first report
  }

  set report(report) {
    this.#show(report);
  }

  #show({ predictions, latency_ms: latency }) {
    const uncertainRatio = predictions.total ? predictions.uncertain / predictions.total : null;
    update(
      this,
      html`<dl>
        <div class="panel" data-figure="total">
          <dt>Predictions</dt>
          <dd class="figure">${count(predictions.total)}</dd>
          <dd class="quiet-text">${perSecond(predictions.per_second)}</dd>
        </div>
        <div class="panel" data-figure="cat-ratio">
          <dt>Cats</dt>
          <dd class="figure">${percent(predictions.cat_ratio)}</dd>
          <dd class="quiet-text">${counted(predictions.cat, "cat", "cats")}, ${counted(predictions.non_cat, "other", "others")}</dd>
        </div>
        <div class="panel" data-figure="uncertain">
          <dt>Not sure</dt>
          <dd class="figure">${percent(uncertainRatio)}</dd>
          <dd class="quiet-text">${counted(predictions.uncertain, "prediction", "predictions")}</dd>
        </div>
        <div class="panel" data-figure="latency">
          <dt>Latency, P50</dt>
          <dd class="figure">${milliseconds(latency.p50)}</dd>
          <dd class="quiet-text">
            <span>P95 <b>${milliseconds(latency.p95)}</b></span> <span>P99 <b>${milliseconds(latency.p99)}</b></span>
            <span>average <b>${milliseconds(latency.avg)}</b></span>
            <span>decoding <b>${milliseconds(latency.stages?.decode.p50)}</b></span>
            <span>model <b>${milliseconds(latency.stages?.forward.p50)}</b></span>
          </dd>
        </div>
      </dl>`,
    );
  }
}

customElements.define("summary-figures", SummaryFigures);
