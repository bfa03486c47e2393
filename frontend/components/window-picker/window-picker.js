/**
 * How far the dashboard looks back.
 *
 *   <window-picker><nav …><a href="/dashboard?window=1h" data-window="1h">1 hour</a>…</nav></window-picker>
 *
 * Method: show(name, address) marks the window shown, and gives each choice the page's `address`, { pathname, search }, with
 * its own window. Event: "window-chosen", detail { name }.
 * The choices are links: they can be opened in a new tab, kept as a bookmark, and work before this script arrives.
 */
import { addressWith } from "../../lib/address.js";

class WindowPicker extends HTMLElement {
  connectedCallback() {
    this.addEventListener("click", (event) => {
      const link = event.target.closest("a[data-window]");
      if (!link || event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
      event.preventDefault();
      this.dispatchEvent(new CustomEvent("window-chosen", { detail: { name: link.dataset.window } }));
    });
  }

  show(name, address) {
    for (const link of this.querySelectorAll("a[data-window]")) {
      link.href = addressWith(address, { window: link.dataset.window });
      if (link.dataset.window === name) link.setAttribute("aria-current", "true");
      else link.removeAttribute("aria-current");
    }
  }
}

customElements.define("window-picker", WindowPicker);
