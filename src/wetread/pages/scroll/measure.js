// pages/scroll/measure.js: distances, angles and regions, drawn with the mouse or a finger.

"use strict";

const POINTS = { distance: 2, angle: 3, ellipse: 2, rectangle: 2, freehand: Infinity };
const HINTS = {
  distance: "Drag from end to end, or click both.",
  angle: "Click three points; the second is the corner.",
  ellipse: "Drag a box around it.", rectangle: "Drag it.", freehand: "Draw around it.",
};
const STILL_PIXELS = 4; // less is a click, more a drag
const LINE = "#ffd75e";

class Measures {
  constructor(viewer, planes) {
    [this.viewer, this.planes] = [viewer, planes];
    [this.tool, this.draft, this.done] = [null, null, []];
    for (const button of document.querySelectorAll("#tools button[data-tool]")) {
      button.onclick = () => this.take(button.dataset.tool);
    }
    element("clear").onclick = () => this.remove(() => false);
    viewer.over = (context) => this.draw(context);
    this.hint();
  }

  // Take a tool, or lay it down where it is the one in hand.
  take(tool) {
    this.tool = tool === this.tool ? null : tool;
    this.draft = null;
    for (const button of document.querySelectorAll("#tools button[data-tool]")) {
      button.ariaPressed = button.dataset.tool === this.tool;
    }
    this.hint();
    this.viewer.refresh();
  }

  hint() {
    const unknown = this.viewer.series.spacing ? "" : "The size of a pixel is not known: in pixels.";
    element("measure-said").textContent = [HINTS[this.tool] || "", unknown].filter(Boolean).join(" ");
  }

  // A point of the picture under CSS pixels of the canvas.
  pointAt(x, y) {
    const [across, down] = this.viewer.scale, [left, top] = this.viewer.corner;
    return [(x - left) / across, (y - top) / down];
  }

  begin(x, y) {
    const point = this.pointAt(x, y);
    this.down = [x, y];
    if (this.draft) this.draft.points[this.draft.points.length - 1] = point;
    else this.draft = { kind: this.tool, points: [point, point], ...this.where() };
    this.viewer.refresh();
  }

  move(x, y, pressed) {
    if (!this.draft) return;
    const { points, kind } = this.draft;
    if (kind === "freehand" && pressed) points.push(this.pointAt(x, y));
    else points[points.length - 1] = this.pointAt(x, y);
    this.viewer.refresh();
  }

  end(x, y) {
    if (!this.draft) return;
    const { points, kind } = this.draft;
    const still = Math.hypot(x - this.down[0], y - this.down[1]) < STILL_PIXELS;
    const first = points.length === 2 && this.draft.clicked !== true;
    this.draft.clicked = true;
    if (kind === "freehand") return points.length > 3 ? this.finish() : this.drop();
    if (still && first) return; // the first click: the next point follows the cursor
    points[points.length - 1] = this.pointAt(x, y);
    if (points.length === POINTS[kind]) this.finish();
    else points.push(this.pointAt(x, y));
  }

  drop() {
    this.draft = null;
    this.viewer.refresh();
  }

  where() {
    return { plane: this.planes.chosen, number: this.viewer.number };
  }

  finish() {
    const slice = this.viewer.slices.ready(this.draft.number);
    const here = this.where();
    if (slice && here.plane === this.draft.plane && here.number === this.draft.number) {
      this.done.push({ ...this.draft, lines: this.said(this.draft, slice) });
    }
    this.draft = null;
    this.list();
  }

  // What was measured, a line each: in mm and the series' unit, in pixels where no size is known.
  said({ kind, points }, slice) {
    const { series } = this.viewer;
    const spacing = series.spacing || [1, 1], unit = series.spacing ? "mm" : "px";
    if (kind === "distance") return [`${told(lengthOf(points, spacing), 1)} ${unit}`];
    if (kind === "angle") return [`${told(angleOf(points, spacing), 1)}°`];
    const area = areaOf(kind, points, spacing);
    const found = valuesInside(kind, points, slice, series);
    const size = `area ${told(area, 1)} ${unit}², ${found.count} pixel${found.count === 1 ? "" : "s"}`;
    if (!found.count) return [size];
    const digits = Math.max(1, series.digits);
    return [
      `mean ${told(found.mean, digits)} ${series.unit}, SD ${told(found.sd, digits)}`,
      `${told(found.least, series.digits)} to ${told(found.most, series.digits)} ${series.unit}`, size];
  }

  remove(keep) {
    this.done = this.done.filter(keep);
    this.draft = null;
    this.list();
  }

  list() {
    element("measured").replaceChildren(...this.done.map((mark) => {
      const item = document.createElement("li");
      item.innerHTML = "<button></button><button aria-label=\"Take away\" title=\"Take away\">×</button>";
      const name = mark.kind[0].toUpperCase() + mark.kind.slice(1);
      const plane = document.querySelector(`#planes [data-plane="${mark.plane}"]`);
      const at = [plane && mark.plane ? plane.textContent : "", `slice ${mark.number + 1}`];
      item.firstChild.textContent =
        [`${name}, ${at.filter(Boolean).join(" ").toLowerCase()}`, ...mark.lines].join("\n");
      item.firstChild.title = "Go to it";
      item.firstChild.onclick = () => this.planes.choose(mark.plane, mark.number);
      item.lastChild.onclick = () => this.remove((other) => other !== mark);
      return item;
    }));
    this.viewer.refresh();
  }

  draw(context) {
    const here = this.where();
    const marks = [...this.done, ...(this.draft ? [this.draft] : [])].filter(
      (mark) => mark.plane === here.plane && mark.number === here.number);
    for (const mark of marks) this.drawOne(context, mark);
  }

  drawOne(context, { kind, points, lines = [] }) {
    const [across, down] = this.viewer.scale, [left, top] = this.viewer.corner;
    const path = points.map(([x, y]) => [left + x * across, top + y * down]);
    const [[x, y], [u, v]] = path;
    context.beginPath();
    if (kind === "rectangle") context.rect(x, y, u - x, v - y);
    else if (kind === "ellipse") {
      const radii = [Math.abs(u - x) / 2, Math.abs(v - y) / 2];
      context.ellipse((x + u) / 2, (y + v) / 2, ...radii, 0, 0, 2 * Math.PI);
    } else path.forEach(([a, b], k) => (k ? context.lineTo(a, b) : context.moveTo(a, b)));
    if (kind === "freehand" && lines.length) context.closePath();
    for (const [colour, width] of [["#000a", 3.5], [LINE, 1.5]]) {
      [context.strokeStyle, context.lineWidth] = [colour, width];
      context.stroke();
    }
    context.font = "12px system-ui, sans-serif";
    const [labelX, labelY] = path.reduce((best, point) => (point[0] > best[0] ? point : best));
    lines.forEach((line, k) => {
      [context.strokeStyle, context.lineWidth, context.fillStyle] = ["#000c", 3, LINE];
      context.strokeText(line, labelX + 8, labelY + 4 + 15 * k);
      context.fillText(line, labelX + 8, labelY + 4 + 15 * k);
    });
  }
}
