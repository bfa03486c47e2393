/**
 * Columns and rows as CSV, with the names first; a value that is missing is an empty field.
 * Source: RFC 4180.
 */
export function csv({ columns, rows }) {
  return [columns, ...rows].map((row) => row.map(field).join(",") + "\r\n").join("");
}

function field(value) {
  const text = String(value ?? "");
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
