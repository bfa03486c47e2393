/**
 * Why a request brought nothing to show.
 *
 * `reason` is the status code of the answer, or one of
 *   "network"     no answer came at all
 *   "undecodable" the photo is of a kind that only the service can read
 *   "timeout"     the deadline of the page passed
 *   "unreadable"  an answer came, but not one of this service (a captive portal, a proxy's page)
 */
export class Problem extends Error {
  constructor(reason, { title = "", detail = "", requestId = "", retryAfterSeconds = null } = {}) {
    super(`${reason} ${title}`.trim());
    this.name = "Problem";
    Object.assign(this, { reason, title, detail, requestId, retryAfterSeconds });
  }
}

/** The problem of an answer that is not a success: RFC 9457 where the body is one, else the status alone. */
export async function problemFromResponse(response) {
  const body = await problemBody(response);
  const text = (value) => (typeof value === "string" ? value : "");
  return new Problem(response.status, {
    title: text(body.title),
    detail: text(body.detail),
    requestId: text(body.request_id) || (response.headers.get("X-Request-ID") ?? ""),
    retryAfterSeconds: retryAfterSeconds(response.headers.get("Retry-After")),
  });
}

async function problemBody(response) {
  if (!response.headers.get("Content-Type")?.startsWith("application/problem+json")) return {};
  try {
    return (await response.json()) ?? {};
  } catch {
    return {}; // the status says enough
  }
}

function retryAfterSeconds(header) {
  return header !== null && /^\d+$/.test(header.trim()) ? Number(header) : null;
}
