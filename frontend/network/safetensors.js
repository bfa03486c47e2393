/**
 * A safetensors file as named arrays: eight bytes with the length of a JSON header, the header, the numbers.
 *
 * Returns: Map name -> { shape: [numbers], values: Float32Array }, the arrays being views of the buffer.
 * Throws: DamagedModel, before anything of a file that is not whole is used.
 * Source: the format's description, https://huggingface.co/docs/safetensors
 */
import { DamagedModel } from "./damaged-model.js";

const PREFIX_BYTES = 8;
const NUMBER_BYTES = 4;

export function readSafetensors(buffer) {
  const { entries, start } = readHeader(buffer);
  const arrays = new Map();
  for (const [name, { dtype, shape, data_offsets: [from, to] = [] }] of entries) {
    if (dtype !== "F32") throw new DamagedModel(`${name} is ${dtype}, expected F32`);
    const length = shape.reduce((product, size) => product * size, 1);
    if (to - from !== length * NUMBER_BYTES || !(from >= 0) || start + to > buffer.byteLength) throw new DamagedModel(`${name} does not fit its place`);
    arrays.set(name, { shape, values: numbers(buffer, start + from, length) });
  }
  return arrays;
}

function readHeader(buffer) {
  if (buffer.byteLength < PREFIX_BYTES) throw new DamagedModel("too short for a safetensors file");
  const headerBytes = new DataView(buffer).getBigUint64(0, true);
  if (headerBytes > BigInt(buffer.byteLength - PREFIX_BYTES)) throw new DamagedModel("ends within its header");
  const start = PREFIX_BYTES + Number(headerBytes);
  try {
    const header = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(new Uint8Array(buffer, PREFIX_BYTES, Number(headerBytes))));
    return { entries: Object.entries(header).filter(([name]) => name !== "__metadata__"), start };
  } catch (error) {
    throw new DamagedModel(`the header cannot be read: ${error.message}`);
  }
}

/** A view where the place allows it, else a copy: typed arrays begin at multiples of their numbers' size. */
function numbers(buffer, offset, length) {
  if (offset % NUMBER_BYTES === 0) return new Float32Array(buffer, offset, length);
  return new Float32Array(buffer.slice(offset, offset + length * NUMBER_BYTES));
}
