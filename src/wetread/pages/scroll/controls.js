// pages/scroll/controls.js: buttons, sliders and what is said around the picture.

"use strict";

const CHIPS = 10; // presets with a key of their own: 1 to 9, then 0
const WIDTH_STEPS = 1000; // the slider of the width counts in equal factors

const element = (id) => document.getElementById(id);

// A number with so many decimals, and a true minus.
function told(value, digits) {
  const text = value.toFixed(digits);
  return text.replace("-", Number(text) ? "−" : "");
}

// The decimals that a number has, of seven digits.
function decimals(value) {
  return (String(Number(value.toPrecision(7))).split(".")[1] || "").length;
}

// What a curve is called to somebody who points at a window.
const CURVE_WORDS = {
  linear_exact: "a straight line", linear: "DICOM's LINEAR curve (nearly a straight line)",
  sigmoid: "a sigmoid curve", sigmoid_eps: "a sigmoid curve that is black at its lower end",
  exclusive: "a straight line, black above the window",
};

class Controls {
  constructor(viewer) {
    this.viewer = viewer;
    this.pointer = null; // where the cursor is, CSS pixels of the canvas
    this.hand = false; // dragging moves the picture
    this.playing = null;
    this.edges();
    this.windows();
    this.masks();
    this.bar();
    viewer.after = () => this.tell();
  }

  get series() {
    return this.viewer.series;
  }

  edges() {
    for (const side of ["left", "right", "top", "bottom"]) {
      element(side).textContent = this.series.letters[side] || "";
    }
    element("unit").textContent = this.series.unit;
  }

  windows() {
    const { viewer, series } = this;
    const [low, high] = series.range;
    this.widest = Math.max(high - low, 2 * series.step);
    Object.assign(element("center"), { min: low, max: high, step: series.step });
    Object.assign(element("width"), { min: 0, max: WIDTH_STEPS, step: 1 });
    this.presets = series.presets.map((preset, number) => {
      const button = document.createElement("button");
      const key = number < CHIPS ? `${(number + 1) % 10}` : "";
      button.innerHTML = "<span></span><kbd></kbd>";
      button.firstChild.textContent = preset.name.replaceAll("_", " ");
      button.lastChild.textContent = key;
      const whose = /^file/.test(preset.name) ? "the file's own window: " : "";
      button.title = `${whose}${preset.center} / ${preset.width}, ${CURVE_WORDS[preset.curve]}`;
      button.onclick = () => this.choose(number);
      element(number < CHIPS ? "presets" : "more-presets").append(button);
      return button;
    });
    element("more").hidden = series.presets.length <= CHIPS;
    const change = (part) => (event) => {
      const value = Number.parseFloat(event.target.value);
      if (Number.isFinite(value)) viewer.setWindow({ [part]: value });
      if (event.type === "change") event.target.blur(); // keys are the viewer's again
    };
    element("center").oninput = change("center");
    element("center-number").onchange = change("center");
    element("width-number").onchange = change("width");
    element("width").oninput = (event) =>
      viewer.setWindow({ width: this.widthAt(Number(event.target.value)) });
    element("invert").onclick = () => this.invert();
    element("hand").onclick = () => this.take(!this.hand);
    element("reset").onclick = () => viewer.reset();
    element("ask").onclick = () => element("help").showModal();
  }

  choose(number) {
    if (!this.series.presets[number]) return;
    this.viewer.window = { ...this.series.presets[number] };
    this.viewer.refresh();
  }

  invert() {
    this.viewer.inverted = !this.viewer.inverted;
    this.viewer.refresh();
  }

  take(hand) {
    this.hand = hand;
    this.tell();
  }

  widthAt(step) {
    const factor = this.widest / this.series.step;
    const width = this.series.step * factor ** (step / WIDTH_STEPS);
    return Math.max(1, Math.round(width / this.series.step)) * this.series.step;
  }

  stepOf(width) {
    const { step: least } = this.series;
    return (WIDTH_STEPS * Math.log(width / least)) / Math.log(this.widest / least);
  }

  masks() {
    const { viewer } = this;
    if (!viewer.masks.length) return;
    this.boxes = viewer.masks.map((mask) => {
      const label = document.createElement("label");
      label.innerHTML = '<input type="checkbox"><i></i><span></span>';
      const [box, spot, name] = label.children;
      spot.style.background = `rgb(${mask.colour})`;
      name.textContent = mask.name;
      box.onchange = () => {
        mask.on = box.checked;
        viewer.masksOn ||= box.checked;
        viewer.refresh();
      };
      element("masks").append(label);
      return box;
    });
    element("opacity").oninput = (event) => {
      viewer.opacity = Number(event.target.value);
      viewer.refresh();
    };
  }

  toggleMasks() {
    this.viewer.masksOn = !this.viewer.masksOn;
    this.viewer.refresh();
  }

  bar() {
    element("slices").oninput = (event) => this.viewer.go(Number(event.target.value) - 1);
    element("play").onclick = () => this.play(!this.playing);
    this.count();
  }

  // As many slices as there are now.
  count() {
    element("slices").max = this.viewer.count;
    for (const id of ["bar", "slices", "play"]) element(id).hidden = this.viewer.count < 2;
  }

  // Round and round, no faster than the slices can be decoded.
  async play(on) {
    const turn = (this.playing = on ? {} : null);
    this.tell();
    while (turn && this.playing === turn) {
      const pause = 1000 / Number(element("speed").value);
      const next = (this.viewer.number + 1) % this.viewer.count;
      await Promise.all([new Promise((wait) => setTimeout(wait, pause)), this.viewer.slices.get(next)]);
      if (this.playing === turn) await this.viewer.go(next);
    }
  }

  // Everything that is said, as it is now.
  tell() {
    const { viewer, series } = this;
    const slice = series.slices[viewer.number];
    const position = slice.position === null ? "" : `${told(slice.position, 2)} mm`;
    const waits = viewer.shown === viewer.number ? "" : " …";
    element("where").innerHTML = "<b></b><span></span><span></span>";
    const [count, instance, at] = element("where").children;
    count.textContent = `${viewer.number + 1} / ${viewer.count}${waits}`;
    instance.textContent = instanceOf(series, viewer.number);
    at.textContent = position;
    instance.hidden = !instance.textContent;
    element("slices").value = viewer.number + 1;
    element("number").textContent = `${viewer.number + 1} / ${viewer.count}`;
    element("play").textContent = this.playing ? "❚❚" : "▶";
    element("play").ariaLabel = this.playing ? "Pause" : "Play";
    this.tellWindow();
    this.tellUnder();
    this.tellScale();
    element("size").textContent = viewer.zoom === 1 ? "" : `× ${viewer.zoom.toFixed(2)}`;
    element("hand").ariaPressed = this.hand;
    viewer.canvas.classList.toggle("hand", this.hand);
    (this.boxes || []).forEach((box, k) => {
      box.checked = viewer.masks[k].on && viewer.masksOn;
    });
    if (this.boxes) {
      element("opacity").value = viewer.opacity;
      element("opacity-number").textContent = `${Math.round(100 * viewer.opacity)} %`;
    }
  }

  tellWindow() {
    const { viewer, series } = this;
    const { name, center, width, curve } = viewer.window;
    const figures = [center, width].map((value) => told(value, decimals(value))).join(" / ");
    const said = [name.replaceAll("_", " "), figures, curve === "linear_exact" ? "" : curve];
    element("window").textContent =
      [...said, viewer.inverted ? "inverted" : ""].filter(Boolean).join("\n");
    element("center").value = center;
    element("width").value = this.stepOf(width);
    for (const [id, value] of [["center-number", center], ["width-number", width]]) {
      if (document.activeElement !== element(id)) element(id).value = Number(value.toPrecision(7));
    }
    element("invert").ariaPressed = viewer.inverted;
    this.presets.forEach((button, number) => {
      button.ariaPressed = name !== "" && series.presets[number].name === name;
    });
  }

  // A bar of round length, a fifth of the picture at most; none where sizes are not known.
  tellScale() {
    const { viewer, series } = this;
    element("scale").hidden = !series.spacing;
    if (!series.spacing) return;
    const pixel = viewer.scale[0] / series.spacing[1]; // CSS pixels a mm
    const most = viewer.canvas.clientWidth / 5 / pixel;
    const power = 10 ** Math.floor(Math.log10(most));
    const length = power * (most >= 5 * power ? 5 : most >= 2 * power ? 2 : 1);
    element("scale").firstChild.style.width = `${length * pixel}px`;
    element("scale").lastChild.textContent = `${Number(length.toPrecision(3))} mm`;
  }

  // The value under the cursor, where it lies, and the masks it lies in.
  tellUnder() {
    const { series } = this;
    const found = this.pointer && this.viewer.at(...this.pointer);
    element("under").innerHTML = found ? "<b></b><span></span><small></small><span></span>" : "";
    if (!found) return;
    const [value, voxel, place, masks] = element("under").children;
    value.textContent = `${told(found.value, series.digits)} ${series.unit}`;
    voxel.textContent = `column ${found.column}, row ${found.row}`;
    if (found.place) place.textContent = `${found.place.map((mm) => told(mm, 1)).join("  ")} mm LPS`;
    masks.textContent = found.masks.map((mask) => mask.name).join(", ");
  }
}
