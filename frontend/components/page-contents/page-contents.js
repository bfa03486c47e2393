/**
 * The sections of a long page, as links that stay at its top, with the one marked that is being read.
 *
 *   <page-contents><nav aria-label="On this page"><ul><li><a href="#photo-heading">…</a></li></ul></nav></page-contents>
 *
 * Accessibility: native links; the mark is said too (aria-current). The page keeps room for them above whatever it scrolls to
 * (scroll-padding), so that they cover nothing that has the focus.
 */
const READ_PART = "-25% 0px -70% 0px"; // of the window: the line below its upper quarter, which one section crosses at a time

class PageContents extends HTMLElement {
  #links = new Map(); // from a section to its link
  #observer = null;

  connectedCallback() {
    for (const link of this.querySelectorAll("a")) this.#links.set(document.querySelector(link.hash).closest("section"), link);
    this.#observer = new IntersectionObserver((entries) => this.#mark(entries), { rootMargin: READ_PART });
    for (const section of this.#links.keys()) this.#observer.observe(section);
  }

  disconnectedCallback() {
    this.#observer.disconnect();
  }

  #mark(entries) {
    const read = entries.findLast(({ isIntersecting }) => isIntersecting);
    if (!read) return; // between two sections the one before stays marked
    const link = this.#links.get(read.target);
    for (const other of this.#links.values()) other.toggleAttribute("aria-current", false);
    link.setAttribute("aria-current", "true");
    // Only sideways, and only here: scrollIntoView() would stop a page that scrolls.
    const list = this.querySelector("ul");
    const [outer, inner] = [list.getBoundingClientRect(), link.getBoundingClientRect()];
    list.scrollLeft += inner.left + inner.width / 2 - (outer.left + outer.width / 2);
  }
}

customElements.define("page-contents", PageContents);
