/**
 * Columns and rows as CSV, with the names first; a value that is missing is an empty field.
 *
 * Text that a spreadsheet would take for a formula gets an apostrophe in front, as names of models and the like come from
 * elsewhere; a number, negative ones too, stays one.
 * Sources: RFC 4180; OWASP, "CSV injection".
 */
export function csv({ columns, rows }) {
  return [columns, ...rows].map((row) => row.map(field).join(",") + "\r\n").join("");
}

function field(value) {
  const text = typeof value === "string" ? harmless(value) : String(value ?? "");
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

function harmless(text) {
  return /^[=+\-@\t\r\n]/.test(text) ? `'${text}` : text;
}
