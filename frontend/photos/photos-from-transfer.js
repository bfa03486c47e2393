/**
 * What somebody dropped or pasted: photos, folders of them to any depth, or a sentence saying why there is none in it.
 *
 * Takes a DataTransfer, and reads it before it returns, as it is emptied after the event; folders are read later.
 * Resolves to: { photos: [File], hint: sentence or null }; null if nothing was meant as a photo, such as pasted words.
 */
const PHOTO_NAME = /\.(jpe?g|jfif|png|webp|gif|bmp|tiff?|avif|hei[cf])$/i;
const MOST_ENTRIES = 5000; // looked at, photos or not: a dropped home folder must not keep the page busy for minutes
const DEEPEST = 12;

export async function photosFromTransfer(transfer, { most }) {
  const items = [...transfer.items];
  const things = items.filter((item) => item.kind === "file").map(fileOrFolder);
  if (things.length > 0) return collected(things, most);
  if (items.some((item) => item.type === "text/uri-list")) {
    return { photos: [], hint: "That was a link to a photo, not the photo itself. Save the photo first, or copy the image and paste it here." };
  }
  return null;
}

function fileOrFolder(item) {
  const entry = item.webkitGetAsEntry?.();
  return entry?.isDirectory ? entry : item.getAsFile();
}

async function collected(things, most) {
  const photos = [];
  const left = { photos: most, entries: MOST_ENTRIES };
  for (const thing of things) {
    for await (const photo of thing.isDirectory ? photosIn(thing, left) : [thing]) {
      if (photos.length === most) return { photos, hint: tooManyWords(most) };
      photos.push(photo);
    }
  }
  if (photos.length === 0) return { photos, hint: "There is no photo in that folder." };
  return { photos, hint: left.entries <= 0 ? "That folder holds very many files: only the first of them were looked at." : null };
}

/** What is said when there are more photos than are taken. */
export function tooManyWords(most) {
  return `Only the first ${most} photos were taken. Remove some to add others.`;
}

/** The photos in a folder and those inside it, each by its name: what else lies there was not meant. */
async function* photosIn(folder, left, depth = 1) {
  const entries = (await entriesOf(folder)).sort((one, other) => one.name.localeCompare(other.name, "en", { numeric: true }));
  for (const entry of entries) {
    if (left.entries-- <= 0) return;
    if (entry.isDirectory && depth < DEEPEST) yield* photosIn(entry, left, depth + 1);
    if (entry.isFile && PHOTO_NAME.test(entry.name)) {
      const file = await fileOf(entry);
      if (file) yield file;
    }
  }
}

/** All entries of a folder; the browser gives them in batches, the last of which is empty. None if it may not be read. */
async function entriesOf(folder) {
  const reader = folder.createReader();
  const entries = [];
  while (entries.length <= MOST_ENTRIES) {
    const batch = await new Promise((resolve) => reader.readEntries(resolve, () => resolve([])));
    if (batch.length === 0) break;
    entries.push(...batch);
  }
  return entries;
}

function fileOf(entry) {
  return new Promise((resolve) => entry.file(resolve, () => resolve(null)));
}
