import { count } from "./format.js";

/**
 * Whether every answered prediction is accounted for.
 * Returns: { status: "ok" | "waiting" | "broken", words }
 */
export function pipelineVerdict({ answered, balanced, lag, pending, buffered, dropped }) {
  if (balanced === false) return { status: "broken", words: "The counts do not add up: some predictions are missing or counted twice." };
  if (dropped > 0) return { status: "broken", words: `${count(dropped)} predictions were answered but could not be counted.` };
  const waiting = (lag ?? 0) + (pending ?? 0) + (buffered ?? 0);
  if (waiting > 0) return { status: "waiting", words: `${count(waiting)} predictions are on their way into these numbers.` };
  if (!answered) return { status: "ok", words: "Nothing to count yet." };
  return { status: "ok", words: "Every answered prediction is counted, each once." };
}
