/**
 * Lines over a number, drawn without a library: small enough to be drawn anew in every frame.
 *
 *   <line-plot></line-plot>          property `plot`:
 *   { summary, x: { label, minimum, maximum, ticks: [{ value, text }] }, y: the same without a label,
 *     series: [{ name, colour, points: [[x, y], …], mark }], marker: { x, y, text } or null }
 *   `colour` is "cat", "measure", "measure-high" or "reference"; `mark` is nothing for a line, "dots" for a line with its points,
 *   "dashes" for what the others are to be compared with.
 *
 * Accessibility: an image described by the summary. The words around the lines are HTML, so that they keep their size however
 * wide the plot is.
 */
import { html, render } from "../../lib/html.js";

class LinePlot extends HTMLElement {
  set plot({ summary, x, y, series, marker = null }) {
    const across = (value) => ((value - x.minimum) / (x.maximum - x.minimum)) * 100;
    const down = (value) => 100 - ((value - y.minimum) / (y.maximum - y.minimum)) * 100;
    const place = ([one, other]) => `${across(one).toFixed(2)},${down(other).toFixed(2)}`;
    render(
      this,
      html`<div class="plot" role="img" aria-label="${summary}">
          <div class="y-axis">${y.ticks.map(({ text }) => html`<span>${text}</span>`)}</div>
          <div class="area">
            <svg viewBox="0 0 100 100" preserveAspectRatio="none" aria-hidden="true" focusable="false">
              ${y.ticks.map(({ value }) => html`<line class="grid" x1="0" x2="100" y1="${down(value)}" y2="${down(value)}"/>`)}
              ${series.map(({ colour, points, mark }) => html`<polyline data-colour="${colour}" data-mark="${mark}" points="${points.map(place).join(" ")}"/>`)}
              ${series.filter(({ mark }) => mark === "dots").map(({ colour, points }) => html`<path class="dots" data-colour="${colour}" d="${points.map((point) => `M${place(point)}h0`).join("")}"/>`)}
            </svg>
            ${marker && html`<span class="marker"></span><span class="marker-text">${marker.text}</span>`}
          </div>
          <div class="x-axis">${x.ticks.map(({ text }) => html`<span>${text}</span>`)}</div>
        </div>
        <p class="axis-label">${x.label}</p>
        ${series.length > 1 && html`<p class="legend">${series.map(({ name, colour, mark }) => html`<span data-colour="${colour}" data-mark="${mark}">${name}</span> `)}</p>`}`,
    );
    // Places set here, not in the HTML, as the page's policy allows no style attributes.
    this.querySelectorAll(".y-axis span").forEach((tick, index) => (tick.style.insetBlockStart = `${down(y.ticks[index].value)}%`));
    this.querySelectorAll(".x-axis span").forEach((tick, index) => (tick.style.left = `${across(x.ticks[index].value)}%`));
    if (!marker) return;
    for (const part of this.querySelectorAll(".marker, .marker-text")) {
      part.style.left = `${across(marker.x)}%`;
      part.style.top = `${down(marker.y)}%`;
      part.toggleAttribute("data-past-middle", across(marker.x) > 50);
      part.toggleAttribute("data-high", down(marker.y) < 25);
    }
  }
}

customElements.define("line-plot", LinePlot);
