import { Problem, problemFromResponse } from "./problem.js";

/** The successful answer to a request. Throws: Problem; the caller's own reason if the caller aborted. */
export async function request(url, { fetch = globalThis.fetch, ...options } = {}) {
  let response;
  try {
    response = await fetch(url, options);
  } catch (error) {
    throw problemFromFailure(error);
  }
  if (!response.ok) throw await problemFromResponse(response);
  return response;
}

/** The JSON of a successful answer, all of it within the deadline. Throws as request() does. */
export async function requestJson(url, { deadlineSeconds, signal, ...options }) {
  const deadline = AbortSignal.timeout(deadlineSeconds * 1000);
  const response = await request(url, { ...options, signal: signal ? AbortSignal.any([signal, deadline]) : deadline });
  try {
    return await response.json();
  } catch (error) {
    throw error instanceof SyntaxError ? new Problem("unreadable") : problemFromFailure(error);
  }
}

/** What a fetch or the reading of its body threw, as a Problem; an abort that somebody asked for stays what it is. */
export function problemFromFailure(error) {
  if (error?.name === "TimeoutError") return new Problem("timeout");
  if (error instanceof TypeError) return new Problem("network"); // fetch says every network failure with a TypeError
  return error;
}
