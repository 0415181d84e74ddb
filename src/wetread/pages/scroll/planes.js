// pages/scroll/planes.js: sagittal, coronal and axial planes, every voxel where its slice lies.

"use strict";

const MOST_VOXELS = 600e6; // of a volume in memory: 1.2 GB as int16

// All slices of the series in one block, and the grid they lie in, along row, column and normal.
class Block {
  constructor(series) {
    this.series = series;
    const { rows, columns, spacing: [down, across], planes } = series;
    this.steps = [across, down, planes.step];
    const least = [0, 1, 2].map((axis) => Math.min(...planes.offsets.map((at) => at[axis])));
    const most = [0, 1, 2].map((axis) => Math.max(...planes.offsets.map((at) => at[axis])));
    const own = [columns, rows, 1];
    this.size = own.map((count, axis) =>
      count + Math.round((most[axis] - least[axis]) / this.steps[axis]));
    this.origin = planes.origin.map((start, lps) => start +
      planes.axes.reduce((sum, along, axis) => sum + along[lps] * least[axis], 0));
    // Of each slice: how far its first column and row lie inside the grid, in grid steps.
    this.shifts = planes.offsets.map((at) =>
      [0, 1].map((axis) => Math.round((at[axis] - least[axis]) / this.steps[axis])));
    this.nearest = this.slicesOnGrid(planes.offsets.map((at) => at[2] - least[2]));
    this.slices = [];
  }

  // For each row of the grid the slice that lies there; -1 where the next is too far away.
  slicesOnGrid(positions) {
    const step = this.steps[2];
    return Array.from({ length: this.size[2] }, (_, at) => {
      let best = 0;
      for (let k = 1; k < positions.length; k++) {
        if (Math.abs(positions[k] - at * step) < Math.abs(positions[best] - at * step)) best = k;
      }
      const { reach } = this.series.planes;
      return Math.abs(positions[best] - at * step) <= reach[best] ? best : -1;
    });
  }

  async load(slices, tell) {
    const { rows, columns, masks } = this.series;
    const count = this.series.slices.length;
    if (count * rows * columns > MOST_VOXELS) {
      throw new Error("this series is too large to be held at once for other planes");
    }
    for (let k = 0; k < count; k++) {
      this.slices.push(await slices.get(k));
      if (k % 8 === 7) tell(`Reading ${k + 1} of ${count} slices …`);
    }
    this.exact = this.slices.every((slice) => !slice.table);
    this.masks = masks.length;
  }

  // The slice `number` of a made plane: codes, table, masks, and where no voxel lies.
  plane({ across, down, through }, number) {
    const [[a, signA], [b, signB], [t, signT]] = [across, down, through];
    const [width, height] = [this.size[a], this.size[b]];
    const values = new (this.exact ? Int16Array : Float32Array)(width * height);
    const bytes = (width * height + 7) >> 3;
    const missing = new Uint8Array(bytes);
    const masks = Array.from({ length: this.masks }, () => new Uint8Array(bytes));
    const { rows, columns } = this.series;
    const index = [0, 0, 0];
    index[t] = signT > 0 ? number : this.size[t] - 1 - number;
    for (let y = 0, at = 0; y < height; y++) {
      index[b] = signB > 0 ? y : height - 1 - y;
      for (let x = 0; x < width; x++, at++) {
        index[a] = signA > 0 ? x : width - 1 - x;
        const k = this.nearest[index[2]];
        const column = k < 0 ? -1 : index[0] - this.shifts[k][0];
        const row = k < 0 ? -1 : index[1] - this.shifts[k][1];
        if (column < 0 || row < 0 || column >= columns || row >= rows) {
          missing[at >> 3] |= 1 << (at & 7);
          continue;
        }
        const slice = this.slices[k], from = row * columns + column;
        values[at] = valueOf(slice, slice.codes[from]);
        slice.masks.forEach((bits, m) => {
          if (isSet(bits, from)) masks[m][at >> 3] |= 1 << (at & 7);
        });
      }
    }
    return { ...(this.exact ? { codes: values, table: null } : coded(values)), masks, missing };
  }
}

// Values as codes and their table, as slices have them; above 65536 different ones the nearest.
function coded(values) {
  let table = Float32Array.from(new Set(values)).sort();
  if (table.length > 65536) {
    const [low, high] = [table[0], table[table.length - 1]];
    table = Float32Array.from({ length: 65536 }, (_, k) => low + ((high - low) * k) / 65535);
  }
  const codes = Int16Array.from(values, (value) => {
    let [low, high] = [0, table.length - 1];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (table[middle] < value) low = middle + 1;
      else high = middle;
    }
    return low - 32768;
  });
  return { codes, table };
}

// The slices of a made plane, made when they are looked at; stands where Slices stands.
class MadeSlices {
  constructor(block, made) {
    [this.block, this.made, this.kept] = [block, made, new Map()];
    this.underWay = new Map();
  }

  ready(number) {
    if (!this.kept.has(number)) {
      if (this.kept.size >= 16) this.kept.delete(this.kept.keys().next().value);
      this.kept.set(number, this.block.plane(this.made, number));
    }
    return this.kept.get(number);
  }

  async get(number) {
    return this.ready(number);
  }
}

// A made plane as the viewer takes a series.
function madeSeries(series, block, made) {
  const ways = [made.across, made.down, made.through];
  const along = ways.map(([axis, sign]) =>
    series.planes.axes[axis].map((part) => part * sign * block.steps[axis]));
  const corner = block.origin.map((start, lps) => ways.reduce((sum, [axis, sign], k) =>
    sum - (sign < 0 ? (block.size[axis] - 1) * along[k][lps] : 0), start));
  const [[a], [b], [t]] = ways;
  const slices = Array.from({ length: block.size[t] }, (_, number) => {
    const origin = corner.map((start, lps) => start + number * along[2][lps]);
    const position = origin.reduce((sum, mm, lps) => sum + (mm * along[2][lps]) / block.steps[t], 0);
    return { origin, position };
  });
  return {
    ...series, rows: block.size[b], columns: block.size[a], slices, letters: made.letters,
    spacing: [block.steps[b], block.steps[a]], alongRow: along[0], alongColumn: along[1],
    sops: [], instances: [],
  };
}

// Which plane is shown: 0 the one that was acquired, 1 and 2 those that are made of it.
class PlaneChoice {
  constructor(viewer, controls) {
    [this.viewer, this.controls] = [viewer, controls];
    [this.own, this.ownSlices] = [viewer.series, viewer.slices];
    [this.chosen, this.block, this.places] = [0, null, []];
    for (const button of this.buttons) {
      button.onclick = () => this.choose(Number(button.dataset.plane));
    }
  }

  get buttons() {
    return [...document.querySelectorAll("#planes button")];
  }

  async load() {
    if (this.loading) return this.loading;
    const note = element("planes-said").textContent;
    const block = new Block(this.own);
    this.loading = block.load(this.ownSlices, (said) => { element("planes-said").textContent = said; })
      .then(() => { this.block = block; element("planes-said").textContent = note; })
      .catch((error) => { element("planes-said").textContent = error.message; });
    return this.loading;
  }

  // number: the slice to show; else where this plane was left, or its middle.
  async choose(which, number = null) {
    if (which && !this.block) await this.load();
    if (which && !this.block) return; // why stands beside the buttons
    const { viewer, controls } = this;
    if (which === this.chosen) {
      if (number !== null) await viewer.go(number);
      return;
    }
    controls.play(false);
    this.places[this.chosen] = viewer.number;
    this.chosen = which;
    const made = which ? this.own.planes.made[which - 1] : null;
    const series = made ? madeSeries(this.own, this.block, made) : this.own;
    const slices = made ? new MadeSlices(this.block, made) : this.ownSlices;
    const start = number ?? this.places[which] ?? Math.floor(series.slices.length / 2);
    const shown = viewer.show(series, slices, start);
    controls.edges();
    controls.count();
    controls.tell();
    for (const button of this.buttons) {
      button.ariaPressed = Number(button.dataset.plane) === which;
    }
    await shown;
  }
}
