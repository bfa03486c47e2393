/**
 * html`<p title="${title}">${words}</p>`: text of HTML whose every value is escaped.
 *
 * A value may also be another html`…`, an array of them, or null, undefined or false, which leave nothing behind.
 * Attributes must be quoted: the escaping is made for text and for quoted attributes.
 */

const ENTITIES = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;" };

class SafeHtml {
  constructor(text) {
    this.text = text;
  }

  toString() {
    return this.text;
  }
}

function escaped(value) {
  if (value === null || value === undefined || value === false) return "";
  if (value instanceof SafeHtml) return value.text;
  if (Array.isArray(value)) return value.map(escaped).join("");
  return String(value).replace(/[&<>"']/g, (character) => ENTITIES[character]);
}

export function html(strings, ...values) {
  return new SafeHtml(strings.reduce((text, string, index) => text + escaped(values[index - 1]) + string));
}

const rendered = new WeakMap();

/** Show the HTML in the element. Only what html`…` made is taken, so that nothing unescaped can slip in. */
export function render(element, content) {
  if (!(content instanceof SafeHtml)) throw new TypeError("render() takes only what html`…` made");
  element.innerHTML = content.text;
  rendered.set(element, content.text);
}

/** The same, unless it is what was rendered last: what somebody selected or focused in it stays. */
export function update(element, content) {
  if (!(content instanceof SafeHtml) || rendered.get(element) !== content.text) render(element, content);
}
