/**
 * Whether what is shown is current.
 *
 *   <live-status><p role="status"></p><p class="quiet-text"></p></live-status>
 *
 * Property: `state`, { connection: "connecting" | "live" | "polling" | "lost", since: Date | null, problem, isOther }
 * where `since` is when the data was last known to be current, null when there is none of what was asked for; `isOther`
 * says that the numbers on the page then belong to the question before.
 *
 * Accessibility: only a change of the connection is said, not each update.
 */
import { clockTime } from "../../lib/format.js";
import { connectionWords } from "../../lib/problem-words.js";

const HEADLINES = {
  connecting: () => "Connecting…",
  live: () => "Live",
  polling: () => "Updated every few seconds",
  lost: ({ since }) => (since ? `Stale since ${clockTime(since)}` : "No data"),
};

const NOTES = {
  connecting: () => "",
  live: ({ since }) => `as of ${clockTime(since)}`,
  polling: ({ since }) => `as of ${clockTime(since)}; the live connection is being tried again`,
  lost: ({ problem, isOther }) => `${connectionWords(problem)}${isOther ? " The numbers below are those asked for before." : ""}`,
};

class LiveStatus extends HTMLElement {
  set state(state) {
    const headline = HEADLINES[state.connection](state);
    const status = this.querySelector("[role=status]");
    if (status.textContent !== headline) status.textContent = headline;
    this.querySelector(".quiet-text").textContent = NOTES[state.connection](state);
    this.dataset.connection = state.connection;
  }
}

customElements.define("live-status", LiveStatus);
