/**
 * Several photos, each on a card with what became of it.
 *
 *   <photo-tray hidden></photo-tray>
 *
 * Properties: `photos`, all of them in their order (see PhotoQueue); `thumbnail`, a function from a File to a promise of a
 * small Blob or null. Methods: update(photo), after its state changed; updateProgress(photo); focusOn(photo).
 * Events: "open", detail { photo }; "cancel", "again" and "remove", detail { photos }.
 *
 * Accessibility: a list; each card is a button named by the photo and its answer, and what can be done with it. The outcome of all
 * is said once there is nothing more to wait for, as two hundred photos said one by one help nobody. Pictures are made when
 * their cards come into view.
 */
import { html, render } from "../../lib/html.js";
import { photoWords, trayWords } from "../../lib/photo-words.js";
import { problemWords } from "../../lib/problem-words.js";
import { isPending } from "../../photos/photo-queue.js";
import "../retry-countdown/retry-countdown.js";

const NEAR = "300px";
const SHOWN = [["", "all"], ["cat", "cats"], ["non-cat", "not cats"], ["unsure", "not sure"], ["failed", "without an answer"]];

class PhotoTray extends HTMLElement {
  thumbnail = async () => null;
  #photos = [];
  #cards = new Map(); // from a photo's id to its card
  #pictureUrls = new Map();
  #inView = new IntersectionObserver((entries) => this.#showPictures(entries), { rootMargin: NEAR });
  #wasPending = false;
  #due = null; // of the countdown that is shown

  connectedCallback() {
    render(
      this,
      html`<p class="visually-hidden" role="status"></p>
        <div class="head">
          <h2 tabindex="-1">Your photos</h2>
          <p class="summary"></p>
          <div class="shown"><label for="shown">Show</label> <select id="shown">${SHOWN.map(([verdict, words]) => html`<option value="${verdict}">${words}</option>`)}</select></div>
          <div class="actions">
            <button type="button" class="quiet" data-all="cancel">Cancel all</button>
            <button type="button" class="quiet" data-all="again">Try again</button>
            <button type="button" class="quiet" data-all="remove">Remove all</button>
          </div>
        </div>
        <div class="outage" hidden><p></p><div class="countdown"></div></div>
        <p class="none quiet-text" hidden>None of them.</p>
        <ul></ul>`,
    );
    this.querySelector("select").addEventListener("change", () => this.#showSome());
    this.addEventListener("click", ({ target }) => this.#press(target.closest("button")));
    this.querySelector(".outage").addEventListener("retry", () => this.#tell("again", { photos: this.#photos.filter(isHeld) }));
  }

  set photos(photos) {
    const added = photos.filter(({ id }) => !this.#cards.has(id));
    const kept = new Set(photos.map(({ id }) => id));
    for (const { id } of this.#photos) if (!kept.has(id)) this.#drop(id);
    this.#photos = photos;
    if (added.length > 0) this.#show(""); // they are seen to arrive
    this.querySelector("ul").append(...added.map((photo) => this.#card(photo)));
    this.#summarise();
  }

  update(photo) {
    this.#fill(this.#cards.get(photo.id), photo);
    this.#summarise();
  }

  updateProgress(photo) {
    this.#fillProgress(this.#cards.get(photo.id), photo);
  }

  focusOn(photo) {
    const card = this.#cards.get(photo?.id);
    (card?.checkVisibility() ? card.querySelector(".open") : this.querySelector("h2")).focus();
  }

  #card(photo) {
    const card = document.createElement("li");
    const name = photo.file.name || "Pasted photo";
    card.dataset.id = photo.id;
    render(
      card,
      html`<button type="button" class="open">
          <span class="picture"></span>
          <span class="name">${name}</span>
          <span class="words"><strong></strong> <small></small></span>
        </button>
        <span class="bar" aria-hidden="true"></span>
        <button type="button" class="quiet act"></button>
        <button type="button" class="quiet remove" data-act="remove" aria-label="Remove ${name}">×</button>`,
    );
    this.#cards.set(photo.id, card);
    this.#fill(card, photo);
    this.#inView.observe(card);
    return card;
  }

  #fill(card, photo) {
    card.dataset.kind = photo.state.kind;
    const action = isPending(photo) ? "cancel" : canBeAskedAgain(photo) ? "again" : "";
    const button = card.querySelector(".act");
    if (!action && button === document.activeElement) card.querySelector(".open").focus(); // the button goes
    button.hidden = !action;
    button.dataset.act = action;
    button.textContent = action === "cancel" ? "Cancel" : "Try again";
    button.setAttribute("aria-label", `${button.textContent}: ${photo.file.name || "Pasted photo"}`);
    this.#fillProgress(card, photo);
  }

  #fillProgress(card, { state }) {
    const { verdict, words, detail } = photoWords(state);
    card.dataset.verdict = verdict;
    card.querySelector("strong").textContent = words;
    card.querySelector(".words small").textContent = detail;
    card.querySelector(".bar").style.setProperty("--progress", state.progress ?? 0);
  }

  #drop(id) {
    const card = this.#cards.get(id);
    if (card.contains(document.activeElement)) (neighbour(card)?.querySelector(".open") ?? this.querySelector("h2")).focus();
    this.#inView.unobserve(card);
    this.#cards.delete(id);
    URL.revokeObjectURL(this.#pictureUrls.get(id));
    this.#pictureUrls.delete(id);
    card.remove();
  }

  #showPictures(entries) {
    for (const { target, isIntersecting } of entries) {
      if (!isIntersecting) continue;
      this.#inView.unobserve(target);
      this.#showPicture(target);
    }
  }

  async #showPicture(card) {
    const id = Number(card.dataset.id);
    const picture = await this.thumbnail(this.#photos.find((photo) => photo.id === id).file);
    if (this.#cards.get(id) !== card) return; // removed meanwhile
    if (picture === null) return render(card.querySelector(".picture"), html`<small>This browser cannot show it</small>`);
    const url = URL.createObjectURL(picture);
    this.#pictureUrls.set(id, url);
    render(card.querySelector(".picture"), html`<img src="${url}" alt="">`);
  }

  #show(verdict) {
    this.querySelector("select").value = verdict;
    this.#showSome();
  }

  /** Those cards whose verdict is asked for; the others stay, unseen. */
  #showSome() {
    const shown = this.querySelector("select").value;
    this.querySelector("ul").dataset.shown = shown;
    this.querySelector(".none").hidden = shown === "" || [...this.#cards.values()].some(({ dataset }) => dataset.verdict === shown);
  }

  #summarise() {
    if (this.querySelector("select").value !== "") this.#showSome();
    const words = trayWords(this.#photos);
    const pending = this.#photos.some(isPending);
    this.querySelector(".summary").textContent = words;
    if (!pending && this.#wasPending) this.#say(words);
    if (pending && !this.#wasPending) this.#say(`${this.#photos.length} photos. Asking the model.`);
    this.#wasPending = pending;
    this.#button("cancel").hidden = !pending;
    this.#button("again").hidden = pending || !this.#photos.some(canBeAskedAgain);
    this.#showOutage();
  }

  #showOutage() {
    const held = this.#photos.find(isHeld);
    const outage = this.querySelector(".outage");
    outage.hidden = !held;
    if (!held) {
      this.#due = null;
      return;
    }
    const { title } = problemWords(held.state.problem);
    const words = `${title}. Your photos are still here, and are sent by themselves.`;
    if (this.#due === null) this.#say(words);
    if (this.#due === held.state.retryAt) return;
    this.#due = held.state.retryAt;
    outage.querySelector("p").textContent = words;
    render(outage.querySelector(".countdown"), html`<retry-countdown data-due="${this.#due}"></retry-countdown>`);
  }

  #press(button) {
    if (!button || button.closest("retry-countdown")) return;
    const { all, act } = button.dataset;
    if (all === "cancel" || all === "again") this.querySelector("h2").focus(); // the button goes
    if (all === "cancel") return this.#tell("cancel", { photos: this.#photos.filter(isPending) });
    if (all === "again") return this.#tell("again", { photos: this.#photos.filter(canBeAskedAgain) });
    if (all === "remove") return this.#tell("remove", { photos: this.#photos });
    const photo = this.#photos.find(({ id }) => id === Number(button.closest("li").dataset.id));
    if (act) this.#tell(act, { photos: [photo] });
    else this.#tell("open", { photo });
  }

  #button(action) {
    return this.querySelector(`[data-all="${action}"]`);
  }

  #say(words) {
    this.querySelector("[role=status]").textContent = words;
  }

  #tell(type, detail) {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }
}

/** The nearest card that is seen, rather after than before. */
function neighbour(card) {
  const cards = [...card.parentElement.children];
  const place = cards.indexOf(card);
  return [...cards.slice(place + 1), ...cards.slice(0, place).reverse()].find((other) => other.checkVisibility());
}

function isHeld({ state }) {
  return state.kind === "failed" && state.retryAt !== null;
}

function canBeAskedAgain({ state }) {
  return state.kind === "cancelled" || (state.kind === "failed" && problemWords(state.problem).retry);
}

customElements.define("photo-tray", PhotoTray);
