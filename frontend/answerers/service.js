/**
 * An answerer looks at photos and says what they show. This one asks the service.
 *
 *   predict(photo, { model, signal, onProgress }) -> prediction, as POST /predict answers it
 *   explain(photo, { model, method, signal })     -> explanation, as POST /explain answers it; null instead of a function where
 *                                                    the answerer cannot explain
 *   giveFeedback({ predictionId, label })         -> asked only about a prediction whose prediction_id is not null
 *
 * `photo` is a File, `model` a name or null for the default. `onProgress(share)` is told how much of the work before the
 * answer is done, 0..1; an answerer that cannot tell never calls it. A prediction about a photo that was made smaller
 * before has `shrunk_from`: { width, height }.
 * All of them throw: Problem; the signal's own reason once it is aborted.
 */
import { explain } from "../api/explain.js";
import { giveFeedback } from "../api/feedback.js";
import { predict } from "../api/predict.js";
import { Problem } from "../api/problem.js";
import { fetchUploadLimit } from "../api/upload-limit.js";
import { shrunk } from "../photos/shrinking.js";

const LARGE_BYTES = 5_000_000; // smaller ones are sent without asking first whether that is too much

/** `shrinks` is a Preference: whether large photos are made smaller before they are sent. */
export function serviceAnswerer({ shrinks }) {
  const smaller = new WeakMap(); // from a File to the promise of its smaller version: an explanation needs it again

  /** What is sent for a photo. Resolves to: { content: Blob, facts } with what the prediction should tell about it. */
  async function prepared(photo) {
    if (!shrinks.value) return { content: photo, facts: {} };
    if (!smaller.has(photo)) smaller.set(photo, shrunk(photo));
    const found = await smaller.get(photo);
    return found ? { content: found.photo, facts: { shrunk_from: { width: found.width, height: found.height } } } : { content: photo, facts: {} };
  }

  return {
    async predict(photo, options) {
      const { content, facts } = await prepared(photo);
      options.signal.throwIfAborted();
      await refuseTooLarge(content, options);
      return { ...(await sayingWhatIsGone(photo, () => predict(content, options))), ...facts };
    },

    async explain(photo, options) {
      const { content } = await prepared(photo);
      return explain(content, options);
    },

    giveFeedback,
  };
}

/** Nobody should wait for fifty megabytes to be sent, only to learn that ten are taken. Throws: Problem 413 */
async function refuseTooLarge({ size }, { signal }) {
  if (size <= LARGE_BYTES) return;
  const limit = await fetchUploadLimit({ signal });
  if (limit !== null && size > limit) throw new Problem(413);
}

/** A file that was moved after it was chosen fails as a lost connection does, but does not come back by itself. */
async function sayingWhatIsGone(photo, send) {
  try {
    return await send();
  } catch (error) {
    if (error instanceof Problem && error.reason === "network" && !(await isReadable(photo))) throw new Problem("gone");
    throw error;
  }
}

async function isReadable(photo) {
  try {
    await photo.slice(0, 1).arrayBuffer();
    return true;
  } catch {
    return false;
  }
}
