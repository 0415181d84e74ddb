// pages/scroll/start.js: the page begins; what goes wrong is said in it.

"use strict";

function fail(message) {
  element("message").hidden = false;
  element("message").classList.add("fault");
  element("message").textContent = message;
}

function start() {
  if (typeof DecompressionStream === "undefined") {
    fail(
      "This browser cannot unpack the slices (it lacks DecompressionStream). " +
      "Chrome and Edge from 80, Safari from 16.4 and Firefox from 113 can.");
    return;
  }
  const viewer = new Viewer(JSON.parse(element("series").textContent), element("screen"));
  const controls = new Controls(viewer);
  const planes = new PlaneChoice(viewer, controls);
  const finder = new Finder(viewer, planes);
  const measures = new Measures(viewer, planes);
  const canvas = viewer.canvas;
  viewer.after = () => { controls.tell(); finder.tell(); };
  listenToWheel(viewer, controls, canvas);
  listenToMouse(viewer, controls, canvas, measures);
  listenToFingers(viewer, controls, canvas, measures);
  listenToKeys(viewer, controls, measures);
  new ResizeObserver(() => viewer.refresh()).observe(canvas);
  window.addEventListener("unhandledrejection", (event) => {
    event.preventDefault();
    fail(event.reason.message);
  });
  window.wetread = { viewer, controls, planes, finder, measures, firstPictureMs: null };
  finder.follow();
  viewer.go(viewer.number).then(() => requestAnimationFrame(() => requestAnimationFrame(() => {
    const message = element("message");
    message.hidden = !message.classList.contains("fault");  // one may have been said meanwhile
    window.wetread.firstPictureMs = performance.now();
  })));
}

start();
