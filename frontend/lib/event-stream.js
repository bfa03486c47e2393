/**
 * Server-sent events read from a fetch. EventSource hides the heartbeat comments and the status of a refusal; a page that
 * wants to say "stale since" needs both.
 * Source: https://html.spec.whatwg.org/multipage/server-sent-events.html#event-stream-interpretation
 */

const MAX_EVENT_CHARACTERS = 4_000_000; // a report is some 100 KB; a stream that never ends its event must not fill memory

/** Text in, events out: `{ type, data }` for an event, `{ type: "comment" }` for a sign of life. */
export class EventStreamParser {
  #rest = "";
  #type = "";
  #data = [];
  #characters = 0;

  *push(text) {
    // The last line is kept until its end arrives; a CR at the very end may still be half of a CRLF.
    const lines = (this.#rest + text).split(/\r\n|\n|\r(?!$)/);
    this.#rest = lines.pop();
    for (const line of lines) {
      const event = this.#takeLine(line);
      if (event) yield event;
    }
    if (this.#characters + this.#rest.length > MAX_EVENT_CHARACTERS) throw new RangeError("an event without an end");
  }

  #takeLine(line) {
    if (line === "") return this.#dispatch();
    if (line.startsWith(":")) return { type: "comment" };
    const [, field, value] = /^([^:]*)(?:: ?(.*))?$/s.exec(line);
    if (field === "event") this.#type = value ?? "";
    if (field === "data") {
      this.#data.push(value ?? "");
      this.#characters += line.length;
    }
    return null; // id and retry: a report is a whole, nothing has to be resumed
  }

  #dispatch() {
    const event = this.#data.length > 0 ? { type: this.#type || "message", data: this.#data.join("\n") } : null;
    this.#type = "";
    this.#data = [];
    this.#characters = 0;
    return event;
  }
}

/** The events of a response's body, one by one, until the server ends it. */
export async function* readEvents(body) {
  const parser = new EventStreamParser();
  const reader = body.pipeThrough(new TextDecoderStream()).getReader(); // the decoder also drops a byte order mark
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      yield* parser.push(value);
    }
  } finally {
    await reader.cancel().catch(() => {}); // already broken: nothing left to cancel
  }
}
