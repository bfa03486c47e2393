/**
 * An answerer looks at photos and says what they show. This one asks the service.
 *
 *   predict(photo, { model, signal, onProgress }) -> prediction, as POST /predict answers it
 *   explain(photo, { model, method, signal })     -> explanation, as POST /explain answers it; null instead of a function where
 *                                                    the answerer cannot explain
 *   giveFeedback({ predictionId, label })         -> asked only about a prediction whose prediction_id is not null
 *
 * `photo` is a File, `model` a name or null for the default. `onProgress(share)` is told how much of the work before the
 * answer is done, 0..1; an answerer that cannot tell never calls it.
 * All of them throw: Problem; the signal's own reason once it is aborted.
 */
import { explain } from "../api/explain.js";
import { giveFeedback } from "../api/feedback.js";
import { predict } from "../api/predict.js";

export const service = { predict, explain, giveFeedback };
