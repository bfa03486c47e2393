/**
 * Which of several photos is open: the way to its neighbours, and back to all of them.
 *
 *   <photo-pager hidden></photo-pager>
 *
 * Property: `place`, { index, count }, or null to hide it. Events: "back"; "step", detail { by: -1 | 1 }.
 */
import { html, render } from "../../lib/html.js";

class PhotoPager extends HTMLElement {
  connectedCallback() {
    render(
      this,
      html`<button type="button" class="quiet" data-action="back">All photos</button>
        <span class="steps">
          <button type="button" class="quiet" data-by="-1">Previous</button>
          <span class="place"></span>
          <button type="button" class="quiet" data-by="1">Next</button>
        </span>`,
    );
    this.addEventListener("click", ({ target }) => {
      const button = target.closest("button:not([aria-disabled=true])");
      if (button?.dataset.action) this.dispatchEvent(new CustomEvent("back"));
      else if (button) this.dispatchEvent(new CustomEvent("step", { detail: { by: Number(button.dataset.by) } }));
    });
  }

  set place(place) {
    this.hidden = place === null;
    if (place === null) return;
    const { index, count } = place;
    this.querySelector(".place").textContent = `${index + 1} of ${count}`;
    // Not the disabled attribute, which would take the focus away from who steps through by keyboard.
    this.querySelector("[data-by='-1']").setAttribute("aria-disabled", String(index === 0));
    this.querySelector("[data-by='1']").setAttribute("aria-disabled", String(index === count - 1));
  }
}

customElements.define("photo-pager", PhotoPager);
