// pages/scroll/viewer.js: what is shown: one slice in a window, at a place and a size.

"use strict";

const SMOOTH_BELOW = 6; // screen pixels a voxel; above, voxels are shown as they are
const NOTHING = [22, 26, 29]; // where no voxel lies
const AHEAD = 3; // slices decoded on either side of the one that is shown

class Viewer {
  constructor(series, canvas) {
    this.series = series;
    this.slices = new Slices(series);
    this.canvas = canvas;
    this.picture = document.createElement("canvas"); // the slice, a pixel a voxel
    this.picture.width = series.columns;
    this.picture.height = series.rows;
    this.context = this.picture.getContext("2d", { willReadFrequently: true });
    this.image = this.context.createImageData(series.columns, series.rows);
    this.pixels = new Uint32Array(this.image.data.buffer);
    this.number = series.start;
    this.shown = null; // the number of the slice that is on the screen
    this.masks = series.masks.map((mask) => ({ ...mask, on: true }));
    this.masksOn = true;
    this.opacity = 0.4;
    this.after = () => {}; // called when something was drawn
    this.over = () => {}; // (context) draws over the picture, in CSS pixels of the canvas
    this.reset();
  }

  reset() {
    this.window = { ...this.series.presets[this.series.preset] };
    this.inverted = this.series.inverted;
    this.zoom = 1;
    this.pan = [0, 0]; // CSS pixels
    this.refresh();
  }

  // Show other slices: those of a plane that was made, or the series' own again.
  show(series, slices, number) {
    [this.series, this.slices, this.number, this.shown] = [series, slices, number, null];
    [this.picture.width, this.picture.height] = [series.columns, series.rows];
    this.image = this.context.createImageData(series.columns, series.rows);
    this.pixels = new Uint32Array(this.image.data.buffer);
    [this.zoom, this.pan, this.greysKey] = [1, [0, 0], null];
    return this.go(number);
  }

  get count() {
    return this.series.slices.length;
  }

  async go(number) {
    this.number = Math.max(0, Math.min(this.count - 1, Math.round(number)));
    const wanted = this.number;
    this.after();
    if (!this.slices.ready(wanted)) await this.slices.get(wanted);
    if (wanted === this.number) this.refresh(); // else another one is wanted by now
  }

  setWindow(window) {
    const least = this.window.curve === "linear" ? 1 : this.series.step;
    this.window = { ...this.window, name: "", ...window };
    this.window.width = Math.max(least, this.window.width);
    this.refresh();
  }

  // Draw before the screen is next painted, once, however often it is asked for.
  refresh() {
    if (this.frame) return;
    this.frame = requestAnimationFrame(() => {
      this.frame = null;
      const slice = this.slices.ready(this.number);
      if (slice) {
        this.render(slice);
        this.shown = this.number;
        this.lookAhead();
      }
      this.place();
      this.after();
    });
  }

  render(slice) {
    const key = JSON.stringify([this.window, this.inverted, slice.table && this.number]);
    if (key !== this.greysKey) {
      this.greys = greysOf(this.window, slice, this.inverted);
      this.greysKey = key;
    }
    const masks = this.masks
      .map((mask, k) => ({ bits: slice.masks[k], colour: mask.colour, on: mask.on }))
      .filter((mask) => this.masksOn && mask.on && mask.bits);
    paint(this.pixels, slice.codes, this.greys, masks, this.opacity);
    if (slice.missing) tint(this.pixels, slice.missing, NOTHING, 1);
    this.context.putImageData(this.image, 0, 0);
  }

  async lookAhead() {
    const from = this.number;
    for (let step = 1; step <= AHEAD; step++) {
      for (const number of [from + step, from - step]) {
        if (this.number !== from) return; // the eye went on
        if (number >= 0 && number < this.count) await this.slices.get(number);
      }
    }
  }

  // CSS pixels a voxel, across and down: the physical aspect, fitted to the stage, zoomed.
  get scale() {
    const [down, across] = this.series.spacing || [1, 1];
    const { clientWidth, clientHeight } = this.canvas;
    const fit = Math.min(
      clientWidth / (this.series.columns * across), clientHeight / (this.series.rows * down));
    return [fit * across * this.zoom, fit * down * this.zoom];
  }

  // The CSS pixel of the picture's upper left corner.
  get corner() {
    const [across, down] = this.scale;
    return [
      (this.canvas.clientWidth - across * this.series.columns) / 2 + this.pan[0],
      (this.canvas.clientHeight - down * this.series.rows) / 2 + this.pan[1],
    ];
  }

  place() {
    const ratio = window.devicePixelRatio || 1;
    const width = Math.round(this.canvas.clientWidth * ratio);
    const height = Math.round(this.canvas.clientHeight * ratio);
    if (this.canvas.width !== width) this.canvas.width = width;
    if (this.canvas.height !== height) this.canvas.height = height;
    const context = this.canvas.getContext("2d");
    const [across, down] = this.scale, [left, top] = this.corner;
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.fillStyle = "#000";
    context.fillRect(0, 0, width, height);
    context.imageSmoothingEnabled = across * ratio < SMOOTH_BELOW;
    context.imageSmoothingQuality = "high";
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.drawImage(
      this.picture, left, top, across * this.series.columns, down * this.series.rows);
    this.over(context);
  }

  // Zoom so that what lies under (x, y), CSS pixels of the canvas, stays there.
  zoomAt(factor, x, y) {
    const zoom = Math.max(0.2, Math.min(40, this.zoom * factor));
    const middle = [this.canvas.clientWidth / 2, this.canvas.clientHeight / 2];
    this.pan = [x, y].map((at, axis) => {
      const from = at - middle[axis];
      return from - (from - this.pan[axis]) * (zoom / this.zoom);
    });
    this.zoom = zoom;
    this.refresh();
  }

  movePan(across, down) {
    this.pan = [this.pan[0] + across, this.pan[1] + down];
    this.refresh();
  }

  // {row, column, value, place} under (x, y), CSS pixels of the canvas; null beside the picture.
  at(x, y) {
    const [across, down] = this.scale, [left, top] = this.corner;
    const column = Math.floor((x - left) / across), row = Math.floor((y - top) / down);
    const inside = column >= 0 && row >= 0 && column < this.series.columns && row < this.series.rows;
    const slice = this.slices.kept.get(this.number);
    if (!inside || !slice || this.shown !== this.number) return null;
    const { origin } = this.series.slices[this.number];
    const at = row * this.series.columns + column;
    if (isSet(slice.missing, at)) return null;
    const masks = this.masks.filter((mask, k) => isSet(slice.masks[k], at));
    const { alongRow, alongColumn } = this.series;
    const place = origin && alongRow &&
      origin.map((start, axis) => start + column * alongRow[axis] + row * alongColumn[axis]);
    return { row, column, value: valueOf(slice, slice.codes[at]), place, masks };
  }
}
