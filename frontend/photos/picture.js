/** What the browser itself can do with a photo: tell its size, and draw it smaller. */

const MOST_PIXELS = 120_000_000; // decoded, four bytes each: more than a phone's browser survives

/**
 * The size of a photo as it is shown, turned the right way, from its header alone; nothing is decoded.
 * Resolves to: { width, height } in pixels; null if this browser cannot read it.
 */
export async function sizeOf(photo) {
  const url = URL.createObjectURL(photo);
  const image = new Image();
  try {
    await new Promise((resolve, reject) => {
      image.addEventListener("load", resolve);
      image.addEventListener("error", reject);
      image.src = url;
    });
    const { naturalWidth: width, naturalHeight: height } = image;
    return width > 0 && height > 0 && width * height <= MOST_PIXELS ? { width, height } : null;
  } catch {
    return null;
  } finally {
    URL.revokeObjectURL(url);
  }
}

/**
 * A photo drawn at width x height pixels, as a JPEG; the right way up, as that is not in the file any more.
 * The pixels' values stay as they are in the file (no colour profile is applied) and what is transparent becomes white,
 * both as the service does it, so that the model's answer stays the same.
 * Resolves to: a Blob; null if this browser cannot.
 */
export async function drawnSmaller(photo, { width, height, quality }) {
  try {
    const bitmap = await createImageBitmap(photo, { ...DECODING, resizeWidth: width, resizeHeight: height, resizeQuality: "high" });
    return await encoded(bitmap, { left: 0, top: 0, width, height, quality });
  } catch {
    return null; // not decodable after all, or no memory for it
  }
}

/** The square in the middle of a photo, which is what the model sees, side x side pixels. Resolves as drawnSmaller() does. */
export async function squareOf(photo, { side, quality }) {
  const size = await sizeOf(photo);
  if (size === null) return null;
  const scale = side / Math.min(size.width, size.height);
  const [width, height] = [Math.max(side, Math.round(size.width * scale)), Math.max(side, Math.round(size.height * scale))];
  try {
    const bitmap = await createImageBitmap(photo, { ...DECODING, resizeWidth: width, resizeHeight: height, resizeQuality: "medium" });
    return await encoded(bitmap, { left: (width - side) / 2, top: (height - side) / 2, width: side, height: side, quality });
  } catch {
    return null;
  }
}

const DECODING = { imageOrientation: "from-image", colorSpaceConversion: "none" };

async function encoded(bitmap, { left, top, width, height, quality }) {
  const canvas = new OffscreenCanvas(width, height);
  const context = canvas.getContext("2d", { alpha: false });
  context.fillStyle = "white";
  context.fillRect(0, 0, width, height);
  context.drawImage(bitmap, -left, -top);
  bitmap.close();
  return canvas.convertToBlob({ type: "image/jpeg", quality });
}
