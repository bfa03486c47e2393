/**
 * A photo to look at, chosen, dropped, pasted or drawn; beside it what the network gets of it.
 *
 *   <photo-choice>
 *     <canvas width="64" height="64" role="img" aria-label="…"></canvas>
 *     <p class="words" role="status">…</p>
 *     <label for="photo">…</label><input type="file" id="photo">
 *     <button type="button" data-action="drawing-wanted">…</button> <button type="button" data-action="retry" hidden>…</button>
 *   </photo-choice>
 *
 * Property: `state`, one of
 *   { kind: "working", words }
 *   { kind: "shown", name, pixels, words }     `pixels` as the network sees them
 *   { kind: "failed", words, retry }           `retry`: whether trying again may help
 * Events: "photo-chosen" (detail { photo: File }), "drawing-wanted", "retry".
 *
 * Accessibility: a native file input with its label; what became of the choice is said in a live region.
 */
import { imageData } from "../../network/photo-pixels.js";
import { photosFromTransfer } from "../../photos/photos-from-transfer.js";

class PhotoChoice extends HTMLElement {
  connectedCallback() {
    const input = this.querySelector("input");
    input.addEventListener("change", () => {
      this.#take(input.files[0]);
      input.value = ""; // so that choosing the same file again is a change again
    });
    for (const button of this.querySelectorAll("[data-action]")) {
      button.addEventListener("click", () => this.dispatchEvent(new CustomEvent(button.dataset.action)));
    }
    document.addEventListener("dragover", (event) => event.preventDefault()); // else the browser would leave the page for the file
    document.addEventListener("drop", (event) => {
      event.preventDefault();
      this.#takeTransfer(event.dataTransfer);
    });
    document.addEventListener("paste", (event) => this.#takeTransfer(event.clipboardData));
  }

  set state({ kind, words, name, pixels, retry = false }) {
    this.dataset.kind = kind;
    this.querySelector("[data-action=retry]").hidden = !retry;
    this.querySelector(".words").textContent = words;
    if (kind !== "shown") return; // what was there stays
    const canvas = this.querySelector("canvas");
    canvas.getContext("2d").putImageData(imageData(pixels), 0, 0);
    canvas.setAttribute("aria-label", `${name} at 64 × 64 pixels, as the network sees it`);
  }

  async #takeTransfer(transfer) {
    const found = await photosFromTransfer(transfer, { most: 1 });
    if (found?.photos.length) this.#take(found.photos[0]);
    else if (found) this.querySelector(".words").textContent = found.hint;
  }

  #take(photo) {
    if (photo) this.dispatchEvent(new CustomEvent("photo-chosen", { detail: { photo } }));
  }
}

customElements.define("photo-choice", PhotoChoice);
