import { clockTime } from "./format.js";

const DAY_SECONDS = 86_400;

/** What a report is about: "catnet/1, 10:05 to 11:05". */
export function reportWords({ model, window }) {
  const precision = window.seconds < DAY_SECONDS ? "minute" : "day and minute";
  return `${model.name}/${model.version}, ${clockTime(window.start, { precision })} to ${clockTime(window.end, { precision })}`;
}
