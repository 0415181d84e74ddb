// pages/scroll/window.js: values become greys, by the curves of view/window.py.

"use strict";

const EPSILON_STEEPNESS = 2 * Math.log(254); // sigmoid_eps: 1/255 at the low end of the window

const logistic = (t) => 1 / (1 + Math.exp(-t));

const CURVES = {
  linear_exact: (value, center, width) => (value - (center - width / 2)) / width,
  linear: (value, center, width) =>
    value <= center - 0.5 - (width - 1) / 2 ? 0
      : value > center - 0.5 + (width - 1) / 2 ? 1
      : (value - (center - 0.5)) / (width - 1) + 0.5,
  sigmoid: (value, center, width) => logistic((4 * (value - center)) / width),
  sigmoid_eps: (value, center, width) => logistic((EPSILON_STEEPNESS * (value - center)) / width),
  exclusive: (value, center, width) =>
    value > center + width / 2 ? 0 : (value - (center - width / 2)) / width,
};

// Uint8Array (65536): the grey of every code of a slice, the code -32768 first.
function greysOf(window, slice, inverted) {
  const greys = new Uint8Array(65536);
  const curve = CURVES[window.curve];
  const count = slice.table ? slice.table.length : 65536;
  for (let code = -32768, at = 0; at < count; code++, at++) {
    const grey = curve(valueOf(slice, code), window.center, window.width);
    const shown = Math.min(1, Math.max(0, grey));
    greys[at] = Math.round(255 * (inverted ? 1 - shown : shown));
  }
  return greys;
}

// Paint codes into RGBA pixels (Uint32Array over them, as little-endian machines have it), then
// each mask in its colour. masks: [{bits, colour: [r, g, b]}].
function paint(pixels, codes, greys, masks, opacity) {
  for (let at = 0; at < codes.length; at++) {
    const grey = greys[codes[at] + 32768];
    pixels[at] = 0xff000000 | (grey << 16) | (grey << 8) | grey;
  }
  for (const { bits, colour } of masks) tint(pixels, bits, colour, opacity);
}

function tint(pixels, bits, colour, opacity) {
  const keep = 1 - opacity, [red, green, blue] = colour.map((part) => part * opacity);
  for (let byte = 0; byte < bits.length; byte++) {
    if (!bits[byte]) continue;
    for (let bit = 0; bit < 8; bit++) {
      if (!((bits[byte] >> bit) & 1)) continue;
      const at = byte * 8 + bit, under = pixels[at];
      const r = (under & 255) * keep + red;
      const g = ((under >> 8) & 255) * keep + green;
      const b = ((under >> 16) & 255) * keep + blue;
      pixels[at] = 0xff000000 | (b << 16) | (g << 8) | r;
    }
  }
}
