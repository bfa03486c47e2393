/**
 * What somebody dropped or pasted, as one photo or as a sentence saying why there is none in it.
 *
 * Takes a DataTransfer, during the event (it is emptied afterwards).
 * Returns: { photo: File } or { hint: string }; null if there is nothing that was meant as a photo, such as pasted words.
 */
export function photoFromTransfer(transfer) {
  const items = [...transfer.items];
  const files = items.filter((item) => item.kind === "file");
  if (files.some((item) => item.webkitGetAsEntry?.()?.isDirectory)) {
    return { hint: "That is a folder. Open it and take one photo from it." };
  }
  if (files.length > 1) return { hint: "One photo at a time, please." };
  if (files.length === 1) return { photo: files[0].getAsFile() };
  if (items.some((item) => item.type === "text/uri-list")) {
    return { hint: "That was a link to a photo, not the photo itself. Save the photo first, or copy the image and paste it here." };
  }
  return null;
}
