/**
 * From the last hidden numbers to the answer, as a sum that can be followed.
 *
 *   <answer-path></answer-path>      property `path`: what answerPath() returns, and `cat_probability`
 *
 * Accessibility: the bars repeat the numbers of the table for the eye.
 */
import { count, decimal, percent } from "../../lib/format.js";
import { html, render } from "../../lib/html.js";

class AnswerPath extends HTMLElement {
  set path({ leading, others, otherCount, bias, sum, temperature, scaled, cat_probability: probability }) {
    const strongest = Math.max(...leading.map(({ contribution }) => Math.abs(contribution)), 1e-9);
    render(
      this,
      html`<div class="table" tabindex="0" role="region" aria-label="What speaks for a cat and against one">
          <table>
            <thead><tr><th scope="col">Number</th><th scope="col" class="number">how strong</th><th scope="col" class="number">its weight</th><th scope="col" class="number">together</th><th scope="col"><span class="visually-hidden">For or against</span></th></tr></thead>
            <tbody>
              ${leading.map(
                ({ index, feature, weight, contribution }) => html`<tr>
                  <th scope="row">${index + 1}</th>
                  <td class="number">${decimal(feature, 2)}</td>
                  <td class="number">${signed(weight)}</td>
                  <td class="number">${signed(contribution)}</td>
                  <td><span class="balance"><span class="track"><span class="bar" data-sign="${side(contribution)}"></span></span><span class="side">${side(contribution)}</span></span></td>
                </tr>`,
              )}
            </tbody>
          </table>
        </div>
        <dl>
          ${otherCount > 0 && html`<div><dt>The ${count(otherCount)} others</dt><dd>${signed(others)}</dd></div>`}
          <div><dt>Where it starts from (bias)</dt><dd>${signed(bias)}</dd></div>
          <div><dt>Sum (logit)</dt><dd>${signed(sum)}</dd></div>
          <div><dt>Divided by ${decimal(temperature, 3)} (temperature), which makes it say how often it is right</dt><dd>${signed(scaled)}</dd></div>
          <div class="result"><dt>As a probability, <span class="formula">1 / (1 + e<sup>−x</sup>)</span></dt><dd>${percent(probability)}</dd></div>
        </dl>`,
    );
    this.querySelectorAll(".bar").forEach((bar, index) => {
      bar.style.inlineSize = `${(Math.abs(leading[index].contribution) / strongest) * 100}%`;
    });
  }
}

function side(contribution) {
  return contribution < 0 ? "against" : "for";
}

function signed(value) {
  return `${value < 0 ? "−" : "+"}${decimal(Math.abs(value), 2)}`;
}

customElements.define("answer-path", AnswerPath);
