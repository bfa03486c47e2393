/**
 * Where a photo is chosen, dropped or pasted, and then shown.
 *
 *   <photo-drop>
 *     <form …><label for="photo">…</label><input type="file" id="photo" …><button type="submit">…</button></form>
 *   </photo-drop>
 *
 * Event: "photo-chosen", detail { photo: File }. Property: `photo`, the last one chosen. Method: choose() opens the browser's
 * own dialog.
 *
 * Accessibility: the native file input stays in place, transparent over the whole area, so it keeps its label, its keyboard
 * behaviour and its own drop; dropping anywhere on the page and pasting come on top. What went wrong is said in a status line.
 */
import { bytes } from "../../lib/format.js";
import { html, render } from "../../lib/html.js";
import { photoFromTransfer } from "../../lib/photo-from-transfer.js";

class PhotoDrop extends HTMLElement {
  photo = null;
  #previewUrl = null;

  connectedCallback() {
    this.#form.insertAdjacentHTML("beforebegin", `<figure hidden></figure>`);
    this.#form.insertAdjacentHTML("afterend", `<p class="notice" role="status"></p>`);
    this.#input.addEventListener("change", () => this.#take(this.#input.files[0]));
    this.#form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#take(this.#input.files[0]);
    });
    document.addEventListener("dragover", (event) => this.#dragOver(event));
    document.addEventListener("dragleave", (event) => this.#dragLeave(event));
    document.addEventListener("drop", (event) => this.#drop(event));
    document.addEventListener("paste", (event) => this.#takeTransfer(event.clipboardData));
    if (this.#input.files.length > 0) this.#take(this.#input.files[0]); // chosen before this script arrived
  }

  choose() {
    this.#input.click();
  }

  get #form() {
    return this.querySelector("form");
  }

  get #input() {
    return this.querySelector("input[type=file]");
  }

  #dragOver(event) {
    event.preventDefault(); // without this the browser would leave the page for the dropped file
    event.dataTransfer.dropEffect = "copy";
    this.toggleAttribute("data-dragging", true);
  }

  #dragLeave(event) {
    if (event.relatedTarget === null) this.toggleAttribute("data-dragging", false); // left the window
  }

  #drop(event) {
    event.preventDefault();
    this.toggleAttribute("data-dragging", false);
    this.#takeTransfer(event.dataTransfer);
  }

  #takeTransfer(transfer) {
    const found = photoFromTransfer(transfer);
    if (found?.hint) this.#notice = found.hint;
    if (found?.photo) this.#take(found.photo);
  }

  #take(photo) {
    if (!photo) return; // the dialog was cancelled: what was there stays
    this.photo = photo;
    this.#notice = "";
    this.#showPreview(photo);
    this.dispatchEvent(new CustomEvent("photo-chosen", { detail: { photo } }));
    this.#input.value = ""; // so that choosing the same file again is a change again
  }

  set #notice(words) {
    this.querySelector(".notice").textContent = words;
  }

  #showPreview(photo) {
    if (this.#previewUrl) URL.revokeObjectURL(this.#previewUrl);
    this.#previewUrl = URL.createObjectURL(photo);
    const figure = this.querySelector("figure");
    const name = photo.name || "Pasted photo";
    render(
      figure,
      html`<img src="${this.#previewUrl}" alt="Your photo: ${name}" decoding="async">
        <figcaption><span class="name">${name}</span> <span>${bytes(photo.size)}</span></figcaption>`,
    );
    figure.querySelector("img").addEventListener("error", () => figure.toggleAttribute("data-no-preview", true));
    figure.toggleAttribute("data-no-preview", false);
    figure.hidden = false;
    this.toggleAttribute("data-has-photo", true);
    this.querySelector(".call").textContent = "Choose another photo";
  }
}

customElements.define("photo-drop", PhotoDrop);
