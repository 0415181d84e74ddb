// pages/scroll/code.js: texts of pages/slice_code.py become values again.

"use strict";

async function inflated(text) {
  const packed = atob(text);
  const bytes = new Uint8Array(packed.length);
  for (let i = 0; i < packed.length; i++) bytes[i] = packed.charCodeAt(i);
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

// (rows * columns) Int16Array: what stands in the text is what left, above and corner did not
// foresee; the sums wrap around as int16 do.
async function readCodes(text, rows, columns) {
  const planes = await inflated(text);
  const count = rows * columns;
  const codes = new Int16Array(count);
  for (let row = 0, at = 0; row < rows; row++) {
    let left = 0, corner = 0;
    for (let column = 0; column < columns; column++, at++) {
      const above = row ? codes[at - columns] : 0;
      const low = left < above ? left : above, high = left < above ? above : left;
      const foreseen = corner >= high ? low : corner <= low ? high : left + above - corner;
      const folded = planes[at] | (planes[count + at] << 8);
      codes[at] = foreseen + ((folded >>> 1) ^ -(folded & 1));
      left = codes[at];
      corner = above;
    }
  }
  return codes;
}

// (entries) Float32Array, or null where the codes are the values.
async function readTable(text) {
  return text ? new Float32Array((await inflated(text)).buffer) : null;
}

// The value of a code of a slice.
function valueOf({ table }, code) {
  return table ? table[code + 32768] : code;
}

// Bits, the first pixel in the lowest; null for an empty mask.
async function readMask(text) {
  return text ? inflated(text) : null;
}
