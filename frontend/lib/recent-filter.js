/**
 * Which of the recent predictions are shown. A filter is { answer, sure, said, min, max }, each a text as in the address and
 * in the form, "" for any: answer "cat" or "non-cat"; sure "yes" or "no"; said "right", "wrong" or "nothing", by what people
 * said of it; min and max the confidence in percent.
 */

const CHOICES = { answer: ["cat", "non-cat"], sure: ["yes", "no"], said: ["right", "wrong", "nothing"] };
const LIMITS = ["min", "max"];

export const NO_FILTER = Object.freeze({ answer: "", sure: "", said: "", min: "", max: "" });

/** The filter that the address asks for; what makes no sense there counts as not asked for. */
export function filterFromAddress(search) {
  const query = new URLSearchParams(search);
  return readFilter((name) => query.get(name));
}

/** The filter from wherever `read(name)` finds its texts. */
export function readFilter(read) {
  const filter = { ...NO_FILTER };
  for (const [name, choices] of Object.entries(CHOICES)) if (choices.includes(read(name))) filter[name] = read(name);
  for (const name of LIMITS) if (isPercentage(read(name))) filter[name] = read(name);
  return filter;
}

function isPercentage(text) {
  return /^\d{1,3}(\.\d{1,2})?$/.test(text ?? "") && Number(text) <= 100;
}

export function isFiltering(filter) {
  return Object.values(filter).some((value) => value !== "");
}

export function matches({ label, certain, confidence, feedback }, { answer, sure, said, min, max }) {
  return (
    (answer === "" || label === answer) &&
    (sure === "" || certain === (sure === "yes")) &&
    (said === "" || saidOf({ label, feedback }) === said) &&
    (min === "" || confidence * 100 >= Number(min)) &&
    (max === "" || confidence * 100 <= Number(max))
  );
}

/** What people said of an answer: "right", "wrong" or "nothing". */
export function saidOf({ label, feedback }) {
  if (feedback === null) return "nothing";
  return feedback === label ? "right" : "wrong";
}
