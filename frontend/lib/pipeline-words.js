import { count, counted } from "./format.js";

/**
 * Whether every answered prediction is accounted for.
 * `balanced` is null where that cannot be told, for instance before any publisher has said how many it answered.
 * Returns: { status: "ok" | "waiting" | "broken", words }
 */
export function pipelineVerdict({ answered, balanced, lag, pending, buffered, dropped, lost }) {
  if (balanced === false) return { status: "broken", words: "The counts do not add up: some predictions are missing or counted twice." };
  if (dropped + lost > 0) return { status: "broken", words: `${counted(dropped + lost, "prediction was", "predictions were")} answered but could not be counted.` };
  const waiting = lag + pending + buffered;
  if (waiting > 0) return { status: "waiting", words: `${counted(waiting, "prediction is on its way", "predictions are on their way")} into these numbers.` };
  if (answered === 0) return { status: "ok", words: "Nothing to count yet." };
  if (balanced === null) return { status: "waiting", words: "Whether every prediction is counted cannot be told right now." };
  return { status: "ok", words: "Every answered prediction is counted, each once." };
}

/** Why predictions were dropped, the most frequent reason first: "buffer full 12, shutdown 1"; without any, what it means. */
export function dropReasons(byReason = {}) {
  const reasons = Object.entries(byReason).filter(([, value]) => value > 0);
  if (reasons.length === 0) return "given up by the service";
  return reasons.sort(([, one], [, other]) => other - one).map(([name, value]) => `${name.replaceAll("_", " ")} ${count(value)}`).join(", ");
}
