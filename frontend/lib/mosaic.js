/**
 * An array of activations as one picture: its maps side by side, all on one scale, so that strong ones look strong.
 *
 * Numbers without a place are squares of one dot. Negative numbers, which only networks without a rectifier have, show as nothing.
 * Returns: { width, height, alpha: 0..255 a dot, active: how many maps have any dot that shows, total }
 */
const GAP = 1;

export function mosaic({ shape, values }) {
  const [mapHeight, mapWidth, total] = shape.length === 3 ? shape : [1, 1, shape[0]];
  const columns = Math.min(total, Math.ceil(Math.sqrt(2 * total)));
  const rows = Math.ceil(total / columns);
  const width = columns * (mapWidth + GAP) - GAP;
  const height = rows * (mapHeight + GAP) - GAP;
  const alpha = new Uint8ClampedArray(width * height);
  const strongest = values.reduce((largest, value) => Math.max(largest, value), 0) || 1;
  const active = new Set();
  values.forEach((value, index) => {
    const map = index % total;
    const place = Math.floor(index / total);
    const x = (map % columns) * (mapWidth + GAP) + (place % mapWidth);
    const y = Math.floor(map / columns) * (mapHeight + GAP) + Math.floor(place / mapWidth);
    alpha[y * width + x] = 255 * Math.sqrt(Math.max(value, 0) / strongest); // the square root shows weak ones too
    if (alpha[y * width + x] > 0) active.add(map);
  });
  return { width, height, alpha, active: active.size, total };
}
