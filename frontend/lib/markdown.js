/**
 * Markdown, as much of it as model cards need, as HTML whose every word is escaped: headings, paragraphs, lists, tables,
 * **bold**, `code` and [links](…).
 *
 * Links lead to the web only: a relative one is of a repository that is not here, and stays words. Images are left out.
 * Headings begin at the third level, below those of the page.
 */
import { html } from "./html.js";

/**
 * A text in sections, each with what stands under a heading of the second level.
 *
 * Returns: [{ heading, blocks }]; the first is what comes before all of these headings, its own heading null.
 */
export function markdownSections(text) {
  const sections = [{ heading: null, blocks: [] }];
  for (const block of blocks(text)) {
    if (/^## /.test(block)) sections.push({ heading: rendered(block), blocks: [] });
    else sections.at(-1).blocks.push(rendered(block));
  }
  return sections;
}

function blocks(text) {
  return text
    .split(/\n{2,}/)
    .map((block) => block.trim())
    .filter((block) => block && !/^!\[[^\]]*\]\([^)]*\)$/.test(block));
}

function rendered(block) {
  const heading = /^(#{1,6}) (.+)$/.exec(block);
  if (heading) return headingOf(heading[1].length, inline(heading[2]));
  if (/^\|.*\|\n\|[-| :]+\|/.test(block)) return table(block.split("\n"));
  if (block.startsWith("- ")) return html`<ul>${block.split(/\n(?=- )/).map((item) => html`<li>${inline(item.slice(2))}</li>`)}</ul>`;
  return html`<p>${inline(block)}</p>`;
}

function headingOf(level, content) {
  if (level === 1) return html`<h3>${content}</h3>`;
  if (level === 2) return html`<h4>${content}</h4>`;
  return html`<h5>${content}</h5>`;
}

function table([head, , ...rows]) {
  const cells = (row) => row.replace(/^\||\|$/g, "").split("|").map((cell) => inline(cell.trim()));
  return html`<div class="table" tabindex="0" role="region" aria-label="Table by ${head.split("|")[1].trim()}"><table>
    <thead><tr>${cells(head).map((cell) => html`<th scope="col">${cell}</th>`)}</tr></thead>
    <tbody>${rows.map((row) => html`<tr>${cells(row).map((cell) => html`<td>${cell}</td>`)}</tr>`)}</tbody>
  </table></div>`;
}

const MARKS = [
  [/!\[[^\]]*\]\([^)]*\)/, () => null],
  [/`([^`]+)`/, ([, code]) => html`<code>${code}</code>`],
  [/\*\*([^*]+)\*\*/, ([, words]) => html`<strong>${words}</strong>`],
  [/\[([^\]]+)\]\((https:\/\/[^)\s]+)\)/, ([, words, address]) => html`<a href="${address}" rel="noopener noreferrer">${words}</a>`],
  [/\[([^\]]+)\]\([^)\s]*\)/, ([, words]) => html`${words}`],
];

/** The earliest mark of a text, and the text around it, which may hold others. */
function inline(text) {
  const found = MARKS.map(([pattern, show]) => ({ match: pattern.exec(text), show }))
    .filter(({ match }) => match)
    .sort((one, other) => one.match.index - other.match.index);
  if (found.length === 0) return [text];
  const [{ match, show }] = found;
  return [text.slice(0, match.index), show(match), ...inline(text.slice(match.index + match[0].length))];
}
