/**
 * fetch() that also tells how much of a request's body is sent, which the browser's own cannot: sending(onProgress) is one,
 * and calls onProgress with 0..1.
 */
export function sending(onProgress) {
  return (url, { method, headers, body, signal }) =>
    new Promise((resolve, reject) => {
      signal.throwIfAborted();
      const request = new XMLHttpRequest();
      request.open(method, url);
      request.responseType = "blob";
      for (const [name, value] of Object.entries(headers)) request.setRequestHeader(name, value);
      request.upload.addEventListener("progress", ({ loaded, total }) => total > 0 && onProgress(loaded / total));
      request.addEventListener("load", () => resolve(answer(request)));
      request.addEventListener("error", () => reject(new TypeError("the request failed"))); // as fetch says it
      signal.addEventListener("abort", () => {
        request.abort();
        reject(signal.reason);
      });
      request.send(body);
    });
}

function answer(request) {
  const lines = request.getAllResponseHeaders().trim().split("\r\n");
  const headers = lines.filter(Boolean).map((line) => line.split(/: (.*)/s).slice(0, 2));
  return new Response(request.response, { status: request.status, headers });
}
