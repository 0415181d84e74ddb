// pages/scroll/input.js: wheel, mouse, fingers and keys.

"use strict";

const WINDOW_PIXELS = 300; // a drag of so many CSS pixels doubles the width
const PAGE_SLICES = 10;
const WHEEL_PIXELS = 40; // of a trackpad's fine steps, for one slice
const DECIDED_PIXELS = 12; // two fingers: what moves first by so much says what is meant

// Across: the width; down: the center. from: the window when the drag began.
function dragWindow(viewer, from, across, down) {
  const { step } = viewer.series;
  const pixel = Math.max(step, from.width / WINDOW_PIXELS);
  const whole = (value) => Math.round(value / step) * step;
  viewer.setWindow({
    center: whole(from.center + down * pixel), width: whole(from.width + across * pixel),
  });
}

function listenToWheel(viewer, controls, canvas) {
  let rest = 0;
  canvas.addEventListener("wheel", (event) => {
    event.preventDefault();
    if (event.ctrlKey) {
      viewer.zoomAt(Math.exp(-event.deltaY / 300), event.offsetX, event.offsetY);
      return;
    }
    const pixels = event.deltaMode ? event.deltaY * WHEEL_PIXELS : event.deltaY;
    const notch = Math.abs(pixels) >= WHEEL_PIXELS;
    rest = notch ? 0 : rest + pixels;
    const steps = notch ? Math.sign(pixels) : Math.trunc(rest / WHEEL_PIXELS);
    rest -= notch ? 0 : steps * WHEEL_PIXELS;
    if (steps) viewer.go(viewer.number + steps);
  }, { passive: false });
}

function listenToMouse(viewer, controls, canvas, measures) {
  let drag = null;
  canvas.addEventListener("contextmenu", (event) => event.preventDefault());
  canvas.addEventListener("pointerdown", (event) => {
    if (event.pointerType === "touch") return;
    canvas.setPointerCapture(event.pointerId);
    const pans = controls.hand || event.shiftKey || event.button === 1;
    const plain = measures.tool ? "measure" : "window";
    const does = event.button === 2 ? "zoom" : pans ? "pan" : plain;
    const [x, y] = [event.offsetX, event.offsetY];
    if (does === "measure") measures.begin(x, y);
    drag = { does, x, y, lastX: x, lastY: y, from: { ...viewer.window } };
  });
  canvas.addEventListener("pointermove", (event) => {
    if (event.pointerType === "touch") return;
    const [x, y] = (controls.pointer = [event.offsetX, event.offsetY]);
    if (measures.tool && (drag === null || drag.does === "measure")) measures.move(x, y, drag !== null);
    if (drag === null) return controls.tellUnder();
    if (drag.does === "window") dragWindow(viewer, drag.from, x - drag.x, y - drag.y);
    if (drag.does === "pan") viewer.movePan(x - drag.lastX, y - drag.lastY);
    if (drag.does === "zoom") viewer.zoomAt(Math.exp((drag.lastY - y) / 200), drag.x, drag.y);
    [drag.lastX, drag.lastY] = [x, y];
  });
  canvas.addEventListener("pointerup", (event) => {
    if (drag && drag.does === "measure") measures.end(event.offsetX, event.offsetY);
    drag = null;
  });
  canvas.addEventListener("pointercancel", () => { drag = null; });
  canvas.addEventListener("pointerleave", (event) => {
    if (event.pointerType === "touch") return; // what a finger pointed at stays told
    controls.pointer = null;
    controls.tellUnder();
  });
}

// One finger scrolls, or measures where a tool is in hand; two change the window, or zoom and move where they pinch.
function listenToFingers(viewer, controls, canvas, measures) {
  const fingers = new Map();
  let start = null;
  const begin = () => {
    const points = [...fingers.values()];
    start = { ...spread(points), number: viewer.number, from: { ...viewer.window }, does: null };
  };
  const move = (points) => {
    const now = spread(points);
    const [across, down] = [now.x - start.x, now.y - start.y];
    if (points.length === 1 && measures.tool) measures.move(now.x, now.y, true);
    else if (points.length === 1) {
      const pixels = Math.min(24, Math.max(4, canvas.clientHeight / viewer.count));
      if (controls.hand) viewer.movePan(now.x - start.lastX, now.y - start.lastY);
      else viewer.go(start.number + Math.trunc(down / pixels));
    } else {
      if (!start.does && Math.abs(now.apart - start.apart) > DECIDED_PIXELS) start.does = "pinch";
      if (!start.does && Math.hypot(across, down) > DECIDED_PIXELS) start.does = "window";
      if (start.does === "window") dragWindow(viewer, start.from, across, down);
      if (start.does === "pinch") {
        viewer.movePan(now.x - start.lastX, now.y - start.lastY);
        viewer.zoomAt(now.apart / start.lastApart, now.x, now.y);
      }
    }
    Object.assign(start, { lastX: now.x, lastY: now.y, lastApart: now.apart });
  };
  const at = (event) => {
    const box = canvas.getBoundingClientRect();
    return [event.clientX - box.left, event.clientY - box.top];
  };
  canvas.addEventListener("pointerdown", (event) => {
    if (event.pointerType !== "touch") return;
    canvas.setPointerCapture(event.pointerId);
    fingers.set(event.pointerId, at(event));
    controls.pointer = at(event);
    controls.tellUnder();
    if (measures.tool && fingers.size === 1) measures.begin(...at(event));
    if (measures.tool && fingers.size === 2) measures.drop();
    begin();
  });
  // Two fingers that move together tell it one after the other: look when both have.
  let asked = null;
  const moved = () => {
    cancelAnimationFrame(asked);
    if (asked && fingers.size) move([...fingers.values()].slice(0, 2));
    asked = null;
  };
  canvas.addEventListener("pointermove", (event) => {
    if (!fingers.has(event.pointerId)) return;
    fingers.set(event.pointerId, at(event));
    asked ||= requestAnimationFrame(moved);
  });
  const end = (event) => {
    if (!fingers.has(event.pointerId)) return;
    moved();
    if (measures.tool && fingers.size === 1) measures.end(...at(event));
    fingers.delete(event.pointerId);
    if (fingers.size) begin();
  };
  canvas.addEventListener("pointerup", end);
  canvas.addEventListener("pointercancel", end);
}

function spread([first, second = first]) {
  const [x, y] = [(first[0] + second[0]) / 2, (first[1] + second[1]) / 2];
  const apart = Math.max(1, Math.hypot(first[0] - second[0], first[1] - second[1]));
  return { x, y, apart, lastX: x, lastY: y, lastApart: apart };
}

function listenToKeys(viewer, controls, measures) {
  const middle = () => [viewer.canvas.clientWidth / 2, viewer.canvas.clientHeight / 2];
  const by = (steps) => () => viewer.go(viewer.number + steps);
  const keys = {
    ArrowDown: by(1), ArrowRight: by(1), ArrowUp: by(-1), ArrowLeft: by(-1),
    PageDown: by(PAGE_SLICES), PageUp: by(-PAGE_SLICES),
    Home: () => viewer.go(0), End: () => viewer.go(viewer.count - 1),
    i: () => controls.invert(), m: () => controls.toggleMasks(), r: () => viewer.reset(),
    p: () => controls.take(!controls.hand), " ": () => controls.play(!controls.playing),
    "+": () => viewer.zoomAt(1.25, ...middle()), "=": () => viewer.zoomAt(1.25, ...middle()),
    "-": () => viewer.zoomAt(0.8, ...middle()),
    d: () => measures.take("distance"), a: () => measures.take("angle"),
    e: () => measures.take("ellipse"), q: () => measures.take("rectangle"),
    f: () => measures.take("freehand"), Escape: () => measures.take(null),
    Delete: () => measures.remove((mark) => mark !== measures.done.at(-1)),
    g: () => { element("wanted").focus(); element("wanted").select(); },
    "?": () => (element("help").open ? element("help").close() : element("help").showModal()),
  };
  for (let digit = 0; digit < 10; digit++) keys[digit] = () => controls.choose((digit + 9) % 10);
  document.addEventListener("pointerup", ({ target }) => {
    if (target.type === "range") target.blur(); // after a drag the keys are the viewer's again
  });
  document.addEventListener("keydown", (event) => {
    const { target } = event;
    const helps = element("help").open && event.key !== "?";
    const types = target.type === "number" || target.type === "text";
    const own = types || target.tagName === "SELECT" || helps;
    const dial = target.type === "range" && target.id !== "slices";
    const slides = dial && /^Arrow|^Page|^Home$|^End$/.test(event.key);
    const presses = target.tagName === "BUTTON" && event.key === " ";
    const act = keys[event.key];
    if (!act || own || slides || presses || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    act();
  });
}
