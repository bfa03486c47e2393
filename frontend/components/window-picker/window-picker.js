/**
 * How far the dashboard looks back.
 *
 *   <window-picker><nav …><a href="/dashboard?window=1h" data-window="1h">1 hour</a>…</nav></window-picker>
 *
 * Property: `value`, the name of the window shown. Event: "window-chosen", detail { address }.
 * The choices are links: they can be opened in a new tab, kept as a bookmark, and work before this script arrives.
 */
class WindowPicker extends HTMLElement {
  connectedCallback() {
    this.addEventListener("click", (event) => {
      const link = event.target.closest("a[data-window]");
      if (!link || event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
      event.preventDefault();
      const detail = { address: link.href };
      this.dispatchEvent(new CustomEvent("window-chosen", { detail }));
    });
  }

  set value(name) {
    for (const link of this.querySelectorAll("a[data-window]")) {
      if (link.dataset.window === name) link.setAttribute("aria-current", "true");
      else link.removeAttribute("aria-current");
    }
  }
}

customElements.define("window-picker", WindowPicker);
