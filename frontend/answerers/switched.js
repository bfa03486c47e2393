/**
 * The answerer that the visitor chose: the service, or the device once `onDevice` (a Preference) is on. What the device needs is
 * fetched when it is asked for the first time, so that nobody else waits for it.
 */
export function switchedAnswerer({ onDevice, service, loadDevice }) {
  let device = null;

  return {
    async predict(photo, options) {
      if (!onDevice.value) return service.predict(photo, options);
      device ??= loadDevice();
      return (await device).predict(photo, options);
    },

    /** The device says nothing of where it looked. */
    get explain() {
      return onDevice.value ? null : service.explain;
    },

    giveFeedback: service.giveFeedback, // asked only about what the service answered
  };
}
