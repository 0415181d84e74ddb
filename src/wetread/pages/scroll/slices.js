// pages/scroll/slices.js: slices are decoded when they are looked at, and few are kept.

"use strict";

const KEPT_BYTES = 96e6; // of decoded slices and masks, at most

class Slices {
  constructor(series) {
    this.series = series;
    this.kept = new Map(); // number -> {codes, table, masks}; the last used stands last
    this.underWay = new Map();
    this.bytes = 0;
    this.most = KEPT_BYTES;
  }

  // The decoded slice where it is at hand, else undefined.
  ready(number) {
    const slice = this.kept.get(number);
    if (slice) {
      this.kept.delete(number);
      this.kept.set(number, slice);
    }
    return slice;
  }

  async get(number) {
    if (this.ready(number)) return this.kept.get(number);
    if (!this.underWay.has(number)) {
      const decoding = this.decode(number).finally(() => this.underWay.delete(number));
      this.underWay.set(number, decoding);
    }
    return this.underWay.get(number);
  }

  async decode(number) {
    const text = await this.text(number);
    let slice;
    try {
      slice = await readSlice(text, this.series);
    } catch {
      throw new Error(`slice ${number + 1} cannot be unpacked: the file is cut or changed`);
    }
    this.kept.set(number, slice);
    this.bytes += bytesOf(slice);
    for (const [oldest, old] of this.kept) {
      if (this.bytes <= this.most || oldest === number) break;
      this.kept.delete(oldest);
      this.bytes -= bytesOf(old);
    }
    return slice;
  }

  // The text of a slice stands in the page, perhaps further down than the browser has read.
  async text(number) {
    for (;;) {
      const loaded = document.readyState !== "loading";
      const element = document.getElementById(`slice-${number}`);
      if (element && (loaded || element.nextElementSibling)) return element.textContent;
      if (loaded) throw new Error(`slice ${number + 1} is not in this page: the file is cut`);
      await new Promise((wait) => setTimeout(wait, 10));
    }
  }
}

async function readSlice(text, { rows, columns }) {
  const [pixels, entries, ...texts] = text.split("\n");
  return {
    codes: await readCodes(pixels, rows, columns),
    table: await readTable(entries),
    masks: await Promise.all(texts.map(readMask)),
  };
}

// Whether a bit of a mask is set; never of a mask that is null.
function isSet(bits, at) {
  return Boolean(bits) && ((bits[at >> 3] >> (at & 7)) & 1) === 1;
}

function bytesOf({ codes, masks }) {
  return masks.reduce((sum, bits) => sum + (bits ? bits.length : 0), codes.byteLength);
}
