import { requestJson } from "./request.js";

const DEADLINE_SECONDS = 15;

/**
 * Say what a photo really showed: "cat" or "non-cat". Said again, it replaces what was said before.
 *
 * Throws: Problem; its reason is 404 when the prediction is not remembered any more
 */
export function giveFeedback({ predictionId, label }, { fetch } = {}) {
  return requestJson("/api/feedback", {
    method: "POST",
    headers: { "Content-Type": "application/json", Accept: "application/json" },
    body: JSON.stringify({ prediction_id: predictionId, label }),
    deadlineSeconds: DEADLINE_SECONDS,
    fetch,
  });
}
