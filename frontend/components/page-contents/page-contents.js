/**
 * The sections of a long page, as links that stay at its top, with the one marked that is being read.
 *
 *   <page-contents><nav aria-label="On this page"><ul><li><a href="#photo-heading">…</a></li></ul></nav></page-contents>
 *
 * Accessibility: native links; the mark is said too (aria-current). The page keeps room for them above whatever it scrolls to
 * (scroll-padding), so that they cover nothing that has the focus.
 */
const READ_FROM = 0.3; // of the window's height: the section that has passed this line is being read

class PageContents extends HTMLElement {
  #links = new Map(); // from a section to its link
  #marked = null;
  #frame = null;

  connectedCallback() {
    for (const link of this.querySelectorAll("a")) this.#links.set(document.querySelector(link.hash).closest("section"), link);
    document.addEventListener("scroll", this.#markSoon, { passive: true });
    this.#markSoon();
  }

  disconnectedCallback() {
    document.removeEventListener("scroll", this.#markSoon);
  }

  #markSoon = () => {
    this.#frame ??= requestAnimationFrame(() => {
      this.#frame = null;
      this.#mark(this.#links.get(this.#readSection()));
    });
  };

  /** The first as long as none is reached, the last at the end of the page, however short it is. */
  #readSection() {
    const sections = [...this.#links.keys()];
    const { scrollTop, scrollHeight, clientHeight } = document.documentElement;
    if (scrollTop > 0 && scrollTop + clientHeight >= scrollHeight - 1) return sections.at(-1);
    return sections.findLast((section) => section.getBoundingClientRect().top <= READ_FROM * clientHeight) ?? sections[0];
  }

  #mark(link) {
    if (link === this.#marked) return;
    this.#marked?.removeAttribute("aria-current");
    this.#marked = link;
    link.setAttribute("aria-current", "true");
    // Only sideways, and only here: scrollIntoView() would stop a page that scrolls.
    const list = this.querySelector("ul");
    const [outer, inner] = [list.getBoundingClientRect(), link.getBoundingClientRect()];
    list.scrollLeft += inner.left + inner.width / 2 - (outer.left + outer.width / 2);
  }
}

customElements.define("page-contents", PageContents);
