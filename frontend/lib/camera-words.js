/** Why there is no picture from the camera, and what to do about it. `name` is the DOMException's. */
const WORDS = {
  NotAllowedError: "The camera is not allowed on this page. Allow it in the settings of the browser, beside the address, and try again; or choose a photo instead.",
  NotFoundError: "No camera was found. Connect one and try again, or choose a photo instead.",
  NotReadableError: "The camera does not answer; another program may be using it. Close that one and try again, or choose a photo instead.",
};

export function cameraProblemWords({ name }) {
  return WORDS[name] ?? "The camera could not be started. Try again, or choose a photo instead.";
}
