import { csv } from "./csv.js";

/** Give the visitor a file that the page has made. */
export function download(name, text, type) {
  const url = URL.createObjectURL(new Blob([text], { type }));
  Object.assign(document.createElement("a"), { href: url, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(url)); // once the click has taken it
}

/** Give them data, { name, columns, rows }, as a file for other programs. */
export function downloadCsv({ name, ...data }) {
  download(`catnet-${name}.csv`, csv(data), "text/csv");
}
