/**
 * history.csv, which training writes a line of at each validation, as rows of numbers; a field that is not a number is null.
 *
 * Returns: [{ step, images, loss, … }]; empty for a text that is not such a file.
 */
export function trainingHistory(text) {
  const [head, ...lines] = text.trim().split(/\r?\n/);
  const columns = head.split(",").map((name) => name.trim());
  if (!columns.includes("images")) return [];
  return lines.filter(Boolean).map((line) => {
    const fields = line.split(",");
    return Object.fromEntries(columns.map((name, index) => [name, number(fields[index])]));
  });
}

function number(field = "") {
  const value = Number(field);
  return field.trim() === "" || !Number.isFinite(value) ? null : value;
}

/** The points of a column over the pictures seen so far, without those that are missing. */
export function points(history, column) {
  return history.filter((row) => row.images !== null && row[column] !== null).map((row) => [row.images, row[column]]);
}
