import assert from "node:assert/strict";
import { test } from "node:test";
import { photosFromTransfer } from "../photos/photos-from-transfer.js";

const MOST = 20;
const file = (name) => ({ kind: "file", type: "image/png", webkitGetAsEntry: () => ({ isDirectory: false }), getAsFile: () => name });
const folder = (entry) => ({ kind: "file", type: "", webkitGetAsEntry: () => entry, getAsFile: () => null });
const fileEntry = (name) => ({ name, isFile: true, isDirectory: false, file: (resolve) => resolve(name) });
const taken = (...items) => photosFromTransfer({ items }, { most: MOST });

/** A folder whose entries come in batches of two, as a browser gives them in batches of a hundred. */
function folderEntry(name, ...entries) {
  return {
    name,
    isFile: false,
    isDirectory: true,
    createReader: () => {
      const left = [...entries];
      return { readEntries: (resolve) => resolve(left.splice(0, 2)) };
    },
  };
}

test("one dropped file is a photo, whatever its name, and several are several", async () => {
  assert.deepEqual(await taken(file("cat")), { photos: ["cat"], hint: null });
  assert.deepEqual(await taken(file("a.jpg"), file("b.txt")), { photos: ["a.jpg", "b.txt"], hint: null });
});

test("the photos of a folder are taken by their names, those of the folders in it too, and nothing else", async () => {
  const pets = folderEntry("pets", fileEntry("cat10.jpg"), fileEntry("cat9.JPG"), fileEntry("notes.txt"), folderEntry("more", fileEntry("dog.heic")), fileEntry(".DS_Store"));
  assert.deepEqual(await taken(folder(pets), file("x.png")), { photos: ["cat9.JPG", "cat10.jpg", "dog.heic", "x.png"], hint: null });
});

test("a folder without photos says so", async () => {
  const found = await taken(folder(folderEntry("texts", fileEntry("notes.txt"))));
  assert.deepEqual(found.photos, []);
  assert.match(found.hint, /no photo/);
});

test("no more photos are taken than asked for, and that is said", async () => {
  const many = Array.from({ length: MOST + 1 }, (_, index) => fileEntry(`${index}.jpg`));
  const found = await taken(folder(folderEntry("many", ...many)));
  assert.equal(found.photos.length, MOST);
  assert.match(found.hint, /first 20/);
});

test("a folder that holds itself ends", async () => {
  const loop = folderEntry("loop", fileEntry("cat.jpg"));
  const inner = { ...loop, createReader: () => folderEntry("", fileEntry("cat.jpg"), inner).createReader() };
  assert.equal((await taken(folder(inner))).photos.length, 12);
});

test("a folder with very many files is not looked through to its end", async () => {
  const texts = Array.from({ length: 6000 }, (_, index) => fileEntry(`${index}.txt`));
  const found = await taken(folder(folderEntry("home", fileEntry("0.jpg"), ...texts)));
  assert.deepEqual(found.photos, ["0.jpg"]);
  assert.match(found.hint, /very many/);
});

test("a folder that may not be read is one without photos", async () => {
  const locked = { name: "locked", isDirectory: true, createReader: () => ({ readEntries: (resolve, reject) => reject(new Error("no")) }) };
  assert.deepEqual((await taken(folder(locked))).photos, []);
});

test("an image copied from a page, with its words beside it, is a photo", async () => {
  assert.deepEqual((await taken({ kind: "string", type: "text/html" }, file("image.png"))).photos, ["image.png"]);
});

test("a link is explained, and pasted words are none of our business", async () => {
  assert.match((await taken({ kind: "string", type: "text/uri-list" })).hint, /link/);
  assert.equal(await taken({ kind: "string", type: "text/plain" }), null);
});

test("what was dropped is read before the event is over", async () => {
  const items = [file("cat.jpg")];
  const found = photosFromTransfer({ items }, { most: MOST });
  items.length = 0;
  assert.deepEqual((await found).photos, ["cat.jpg"]);
});
