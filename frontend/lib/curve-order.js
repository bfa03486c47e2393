/**
 * The places 0..length-1 in an order that shows the shape of a curve early: the ends, the middle, then the middles between.
 * `length` is a power of two, plus one.
 */
export function coarseToFine(length) {
  const seen = new Set([0, length - 1]);
  for (let step = length - 1; step >= 1; step /= 2) {
    for (let place = 0; place <= length - 1; place += step) seen.add(place);
  }
  return [...seen];
}
