/**
 * A Problem in the words of somebody who came to ask about a cat: what happened, and what to do about it.
 * `retry` says whether the same photo, sent again, may well be answered.
 */

const WORDS = {
  400: {
    title: "The photo did not arrive whole",
    advice: "The upload was empty or damaged on its way. Choose the photo again; if it has 0 bytes on your device, it is empty there too.",
    retry: true,
  },
  404: {
    title: "This model is not served any more",
    advice: "Your photo is still here: reload the page for the models that are, and choose it again.",
    retry: false,
  },
  413: {
    title: "This file is too large",
    advice: "It is more than the service takes, and this browser could not make it smaller. Send a smaller copy: a screenshot of the photo will do.",
    retry: false,
  },
  415: {
    title: "This is not a photo we can read",
    advice: "Whatever its name says, its content is none of JPEG, PNG, WebP, GIF, BMP, TIFF, AVIF or HEIC. Choose another file.",
    retry: false,
  },
  422: {
    title: "This photo is broken or has too many pixels",
    advice: "Part of it may be missing, for instance after a download that was cut short. Open it on your device to check, save it again at a smaller size, or choose another one.",
    retry: false,
  },
  429: {
    title: "Many people are asking right now",
    advice: "Your photo is still here, and is sent again by itself.",
    retry: true,
  },
  502: {
    title: "The model cannot be reached",
    advice: "The part of the service that looks at photos is away. Your photo is still here, and is sent again by itself.",
    retry: true,
  },
  503: {
    title: "The model is not ready",
    advice: "It is starting, or has more to do than it can. Your photo is still here, and is sent again by itself.",
    retry: true,
  },
  504: {
    title: "The answer took too long",
    advice: "The service gave up waiting. Your photo is still here: try again.",
    retry: true,
  },
  network: {
    title: "No connection to the service",
    advice: "Check that you are online. Your photo is still here, and is sent by itself when the connection is back.",
    retry: true,
  },
  gone: {
    title: "This file cannot be read any more",
    advice: "It was moved, changed or deleted after it was chosen. Choose it again.",
    retry: false,
  },
  undecodable: {
    title: "This browser cannot read the file",
    advice: "It may be damaged, no photo at all, or of a kind that only the service reads, such as HEIC or TIFF: for those, switch off “Keep my photo on this device”.",
    retry: false,
  },
  timeout: {
    title: "No answer came",
    advice: "The connection may be very slow. Your photo is still here: try again.",
    retry: true,
  },
  unreadable: {
    title: "The answer made no sense",
    advice: "Something between you and the service answered in its place, such as the sign-in page of a public network. Check the connection, then try again.",
    retry: true,
  },
};

const REFUSED = {
  title: "The service refused this request",
  advice: "Reload the page and choose the photo again.",
  retry: false,
};

const BROKEN = {
  title: "Something went wrong on our side",
  advice: "Your photo is still here: try again in a moment.",
  retry: true,
};

/** Returns: { title, advice, retry } */
export function problemWords(problem) {
  return WORDS[problem.reason] ?? (problem.reason >= 500 ? BROKEN : REFUSED);
}

/** The same for somebody who only watches: why there is nothing new, and what happens now. */
export function connectionWords({ reason }) {
  if (reason === 404) return "There are no numbers about such a model: choose another one.";
  return `${CONNECTION_WORDS[reason] ?? "The monitor cannot be reached."} Trying again by itself.`;
}

const CONNECTION_WORDS = {
  network: "No connection to the service.",
  timeout: "The service does not answer.",
  429: "The service is busy.",
  503: "The monitor cannot get at its numbers.",
};
