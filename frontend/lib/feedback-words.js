/** What is asked after an answer, and what each of the two replies means. Returns: { question, replies: [{ label, words }] } */
export function feedbackQuestion({ label, certain }) {
  if (!certain) return { question: "What is it really?", replies: [{ label: "cat", words: "A cat" }, { label: "non-cat", words: "Not a cat" }] };
  const replies =
    label === "cat"
      ? [{ label: "cat", words: "Yes, a cat" }, { label: "non-cat", words: "No, not a cat" }]
      : [{ label: "non-cat", words: "Yes, not a cat" }, { label: "cat", words: "No, a cat" }];
  return { question: "Was this right?", replies };
}

const FAILURES = {
  404: "It was not noted: this answer is too long ago for the service to remember it.",
  429: "It was not noted: many people are asking right now. Press again in a moment.",
  503: "It was not noted: the answer itself may not be counted yet. Press again in a moment.",
  network: "It was not noted: there is no connection to the service. Press again when it is back.",
  timeout: "It may not be noted: the service did not confirm it in time. Press again to be sure.",
};

/** Why the reply was not taken, and what to do. */
export function feedbackProblemWords({ reason }) {
  return FAILURES[reason] ?? "It was not noted: something went wrong on our side. Press again in a moment.";
}

/** What is said once it was taken. */
export function feedbackThanks({ changed }) {
  return changed ? "Changed: only your last reply counts." : "Thank you, noted. If that was a slip, press the other one.";
}
