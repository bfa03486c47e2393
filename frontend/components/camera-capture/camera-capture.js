/**
 * Take a photo with the device's camera. Empty where there is none to be had.
 *
 *   <camera-capture></camera-capture>
 *
 * Event: "photo-taken" (bubbles), detail { photo: File }.
 * Where the page may not use the camera itself (an address without HTTPS), a phone's own camera app is offered instead.
 *
 * Accessibility: a modal dialog, which the browser closes on Escape and after which it gives the focus back; what went wrong
 * is said in a live region. The camera is on only while the dialog is open.
 */
import { cameraProblemWords } from "../../lib/camera-words.js";
import { html, render } from "../../lib/html.js";

const QUALITY = 0.92;

class CameraCapture extends HTMLElement {
  #stream = null;

  async connectedCallback() {
    if (await hasCamera()) this.#offerCamera();
    else if (matchMedia("(pointer: coarse)").matches) this.#offerCameraApp();
  }

  #offerCamera() {
    render(
      this,
      html`<button type="button" class="quiet">Take a photo</button>
        <dialog aria-labelledby="camera-title">
          <h2 id="camera-title">Take a photo</h2>
          <video autoplay playsinline muted></video>
          <p class="outcome" role="status"></p>
          <div class="actions">
            <button type="button" data-action="take" disabled>Take it</button>
            <button type="button" data-action="again" hidden>Try again</button>
            <button type="button" class="quiet" data-action="close">Close</button>
          </div>
        </dialog>`,
    );
    this.querySelector("button").addEventListener("click", () => {
      this.#dialog.showModal();
      this.#start();
    });
    this.#button("take").addEventListener("click", () => this.#take());
    this.#button("again").addEventListener("click", () => this.#start());
    this.#button("close").addEventListener("click", () => this.#dialog.close());
    this.#dialog.addEventListener("close", () => this.#stop());
    this.#video.addEventListener("playing", () => {
      this.#button("take").disabled = false;
      this.#button("take").focus();
    });
  }

  #offerCameraApp() {
    render(this, html`<label class="button quiet">Take a photo<input type="file" class="visually-hidden" accept="image/*" capture="environment"></label>`);
    const input = this.querySelector("input");
    input.addEventListener("change", () => {
      if (input.files.length > 0) this.#give(input.files[0]);
      input.value = "";
    });
  }

  async #start() {
    this.#show({ words: "Starting the camera…", again: false });
    try {
      const stream = await navigator.mediaDevices.getUserMedia({ video: { facingMode: "environment", width: { ideal: 1920 } } });
      this.#stop();
      if (!this.#dialog.open) return stopTracks(stream); // closed while the browser was asking
      this.#stream = stream;
      stream.getTracks()[0].addEventListener("ended", () => this.#fail({ name: "NotReadableError" })); // unplugged, or no longer allowed
      this.#video.srcObject = stream;
      this.#show({ words: "", again: false });
    } catch (error) {
      this.#fail(error);
    }
  }

  #fail(error) {
    this.#stop();
    this.#show({ words: cameraProblemWords(error), again: true });
  }

  #show({ words, again }) {
    this.querySelector(".outcome").textContent = words;
    this.#button("take").hidden = again;
    this.#button("again").hidden = !again;
    this.#video.hidden = again;
  }

  async #take() {
    const { videoWidth: width, videoHeight: height } = this.#video;
    const canvas = new OffscreenCanvas(width, height);
    canvas.getContext("2d").drawImage(this.#video, 0, 0);
    const content = await canvas.convertToBlob({ type: "image/jpeg", quality: QUALITY });
    this.#dialog.close();
    this.#give(new File([content], "camera.jpg", { type: "image/jpeg" }));
  }

  #give(photo) {
    this.dispatchEvent(new CustomEvent("photo-taken", { bubbles: true, detail: { photo } }));
  }

  #stop() {
    if (this.#stream) stopTracks(this.#stream);
    this.#stream = null;
    this.#video.srcObject = null;
    this.#button("take").disabled = true;
  }

  get #dialog() {
    return this.querySelector("dialog");
  }

  get #video() {
    return this.querySelector("video");
  }

  #button(action) {
    return this.querySelector(`[data-action="${action}"]`);
  }
}

function stopTracks(stream) {
  for (const track of stream.getTracks()) track.stop();
}

/** Whether the page may ask for a camera and there is one; asks nobody for permission. */
async function hasCamera() {
  try {
    const devices = await navigator.mediaDevices.enumerateDevices();
    return devices.some(({ kind }) => kind === "videoinput");
  } catch {
    return false; // not over HTTPS, or not for this page
  }
}

customElements.define("camera-capture", CameraCapture);
