/**
 * Where photos are chosen, dropped, pasted or taken, and where one of them is shown.
 *
 *   <photo-drop>
 *     <form …><label for="photo">…</label><input type="file" id="photo" …><div class="ways"><button type="submit">…</button></div></form>
 *   </photo-drop>
 *
 * Event: "photos-chosen", detail { photos: [File] }. Properties: `photo`, the File that is shown, or null; `call`, what the
 * label says; `notice`, a sentence about what could not be taken. Methods: choose() opens the browser's own dialog;
 * takeChosen(); focus().
 *
 * Accessibility: the native file input stays in place, transparent over the whole area, so it keeps its label, its keyboard
 * behaviour and its own drop; dropping anywhere on the page and pasting come on top. What went wrong is said in a status line.
 */
import { bytes } from "../../lib/format.js";
import { html, render } from "../../lib/html.js";
import { photosFromTransfer, tooManyWords } from "../../photos/photos-from-transfer.js";
import "../camera-capture/camera-capture.js";

const MOST_AT_ONCE = 500;

class PhotoDrop extends HTMLElement {
  #photo = null;
  #previewUrl = null;

  connectedCallback() {
    this.#form.insertAdjacentHTML("beforebegin", `<figure hidden></figure>`);
    this.#form.insertAdjacentHTML("afterend", `<p class="notice" role="status"></p>`);
    this.querySelector(".ways").append(document.createElement("camera-capture"));
    this.#input.multiple = true; // the form alone sends one
    this.#input.addEventListener("change", () => this.takeChosen());
    this.#form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.takeChosen();
    });
    this.addEventListener("photo-taken", ({ detail }) => this.#take([detail.photo]));
    document.addEventListener("dragover", (event) => this.#dragOver(event));
    document.addEventListener("dragleave", (event) => this.#dragLeave(event));
    document.addEventListener("drop", (event) => this.#drop(event));
    document.addEventListener("paste", (event) => this.#takeTransfer(event.clipboardData));
  }

  /** Take what the file input holds, for instance since before this script arrived. */
  takeChosen() {
    const files = [...this.#input.files];
    this.#take(files.slice(0, MOST_AT_ONCE), files.length > MOST_AT_ONCE ? tooManyWords(MOST_AT_ONCE) : null);
    this.#input.value = ""; // so that choosing the same file again is a change again
  }

  focus() {
    this.#input.focus();
  }

  choose() {
    this.#input.click();
  }

  set call(words) {
    this.querySelector(".call").textContent = words;
  }

  set notice(words) {
    this.querySelector(".notice").textContent = words;
  }

  set photo(photo) {
    if (photo === this.#photo) return;
    this.#photo = photo;
    if (this.#previewUrl) URL.revokeObjectURL(this.#previewUrl);
    this.#previewUrl = photo && URL.createObjectURL(photo);
    this.querySelector("figure").hidden = photo === null;
    this.toggleAttribute("data-has-photo", photo !== null);
    if (photo) this.#showPreview();
  }

  get #form() {
    return this.querySelector("form");
  }

  get #input() {
    return this.querySelector("input[name=file]");
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

  async #takeTransfer(transfer) {
    const found = await photosFromTransfer(transfer, { most: MOST_AT_ONCE });
    if (found) this.#take(found.photos, found.hint);
  }

  #take(photos, hint = null) {
    if (photos.length === 0 && hint === null) return; // the dialog was cancelled: what was there stays
    this.notice = hint ?? "";
    if (photos.length > 0) this.dispatchEvent(new CustomEvent("photos-chosen", { detail: { photos } }));
  }

  #showPreview() {
    const figure = this.querySelector("figure");
    const name = this.#photo.name || "Pasted photo";
    render(
      figure,
      html`<img src="${this.#previewUrl}" alt="Your photo: ${name}" decoding="async">
        <figcaption><span class="name">${name}</span> <span>${bytes(this.#photo.size)}</span></figcaption>`,
    );
    figure.querySelector("img").addEventListener("error", () => figure.toggleAttribute("data-no-preview", true));
    figure.toggleAttribute("data-no-preview", false);
  }
}

customElements.define("photo-drop", PhotoDrop);
