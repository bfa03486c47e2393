/**
 * The answerer that the visitor chose: the service, or the device once `onDevice` (a Preference) is on. What the device needs is
 * fetched when it is asked for the first time, so that nobody else waits for it.
 */
export function switchedAnswerer({ onDevice, service, loadDevice }) {
  let device = null;

  function deviceOnce() {
    const loading = (device ??= loadDevice());
    loading.catch(() => {
      if (device === loading) device = null; // the next one tries again
    });
    return loading;
  }

  return {
    async predict(photo, options) {
      return (onDevice.value ? await deviceOnce() : service).predict(photo, options);
    },

    /** Have ready what the device needs. Resolves to: whether it is kept for when the service is away. */
    async prepareDevice(options) {
      return (await deviceOnce()).prepare(options);
    },

    /** The device says nothing of where it looked. */
    get explain() {
      return onDevice.value ? null : service.explain;
    },

    giveFeedback: service.giveFeedback, // asked only about what the service answered
  };
}
