import { Problem } from "./problem.js";
import { requestJson } from "./request.js";

const DEADLINE_SECONDS = 5;

/** The longest photo in bytes that the service says it takes; null where it does not say. Throws: only the signal's reason */
export async function fetchUploadLimit({ signal, fetch } = {}) {
  try {
    const { paths } = await requestJson("/openapi.json", { deadlineSeconds: DEADLINE_SECONDS, signal, fetch });
    return paths["/predict"].post.requestBody["x-max-bytes"] ?? null;
  } catch (error) {
    if (error instanceof Problem || error instanceof TypeError) return null; // not to be had, or without it
    throw error;
  }
}
