/** What is said below the switch "Keep my photo on this device" while it is on. */
export const DEVICE_WORDS = {
  waiting: "Getting the model, about two megabytes, once.",
  kept: "Ready. This page now opens and answers without a connection too.",
  ready: "Ready. Without a connection it goes on answering while this page stays open.",
  failed: "The model could not be had just now. It is asked for again with the next photo.",
};
