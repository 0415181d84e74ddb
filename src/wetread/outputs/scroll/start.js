// outputs/scroll/start.js: the page begins; what goes wrong is said in it.

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
  const canvas = viewer.canvas;
  listenToWheel(viewer, controls, canvas);
  listenToMouse(viewer, controls, canvas);
  listenToFingers(viewer, controls, canvas);
  listenToKeys(viewer, controls);
  new ResizeObserver(() => viewer.refresh()).observe(canvas);
  window.addEventListener("unhandledrejection", (event) => {
    event.preventDefault();
    fail(event.reason.message);
  });
  window.wetread = { viewer, controls, firstPictureMs: null };
  viewer.go(viewer.number).then(() => requestAnimationFrame(() => requestAnimationFrame(() => {
    const message = element("message");
    message.hidden = !message.classList.contains("fault");  // one may have been said meanwhile
    window.wetread.firstPictureMs = performance.now();
  })));
}

start();
