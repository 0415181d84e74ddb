// pages/windows_page.js: draws the curves and reads them under the pointer.
"use strict";

const data = JSON.parse(document.getElementById("data").textContent);
const bytes = (text) => Uint8Array.from(atob(text), (c) => c.charCodeAt(0)).buffer;
const curves = data.modes.map((mode) => mode.curves.map((text) => new Uint16Array(bytes(text))));
const sliceHu = new Int16Array(bytes(data.slice.hu));
const chart = document.getElementById("chart");
const pointer = document.getElementById("pointer");
const plots = [...chart.querySelectorAll("canvas.plot")];
const rows = [...chart.querySelectorAll(".mode")];
const seen = [...document.querySelectorAll(".seen")];
const INK = "#22303a", MUTED = "#5f6e77", RULE = "#dcdad2";
const CHANNELS = ["#cf3131", "#2b9a4b", "#2f62d0"], GREY = "#444c53";
const FONT = "12px system-ui, sans-serif";
const STRIP = 14; // px of the colours below the curves

// A range's axis: straight, or drawn together far from its middle so that soft tissue has room.
const straight = (low, high) => ({ low, high, bend: (hu) => hu, back: (x) => x });
const RANGES = {
  all: {
    low: -1024, high: 2000,
    bend: (hu) => Math.asinh((hu - 40) / 50), back: (x) => 40 + 50 * Math.sinh(x),
  },
  chest: straight(-1024, 500),
  head: straight(-20, 120),
  bone: straight(-100, 2000),
};
const TICKS = [-1000, -500, -250, -100, 0, 40, 80, 150, 300, 600, 1000, 2000];
let range = RANGES.all, hu = 40;

const place = (value, width) => {
  const [from, to] = [range.bend(range.low), range.bend(range.high)];
  return ((range.bend(value) - from) / (to - from)) * width;
};
const valueAt = (x, width) => {
  const [from, to] = [range.bend(range.low), range.bend(range.high)];
  return range.back(from + (x / width) * (to - from));
};
const clamped = (value) => Math.max(data.first_hu, Math.min(data.last_hu, Math.round(value)));
const at = (curve, value) => curve[clamped(value) - data.first_hu] / 65535;
const css = (values) => {
  const [r, g, b] = (values.length === 3 ? values : [values[0], values[0], values[0]])
    .map((value) => Math.round(value * 255));
  return `rgb(${r},${g},${b})`;
};

function fresh(canvas) {
  const scale = window.devicePixelRatio || 1;
  const width = canvas.clientWidth, height = canvas.clientHeight;
  canvas.width = Math.round(width * scale);
  canvas.height = Math.round(height * scale);
  const pen = canvas.getContext("2d");
  pen.setTransform(scale, 0, 0, scale, 0, 0);
  pen.font = FONT;
  return { pen, width, height };
}

function ticks() {
  if (range.bend(2) - range.bend(1) !== 1) return TICKS;
  const span = range.high - range.low;
  const step = [10, 20, 50, 100, 200, 250, 500].find((one) => span / one <= 11) || 500;
  const first = Math.ceil(range.low / step) * step;
  return Array.from({ length: Math.floor((range.high - first) / step) + 1 }, (_, i) => first + i * step);
}

function drawAxis(pen, width, height) {
  pen.textAlign = "center";
  let free = -1e9;
  for (const tick of ticks()) {
    const x = place(tick, width), text = String(tick).replace("-", "−"), half = pen.measureText(text).width / 2;
    pen.fillStyle = RULE;
    pen.fillRect(x, height - 20, 1, 5);
    if (x - half < free) continue;
    const middle = Math.max(half, Math.min(width - half, x));
    pen.fillStyle = MUTED;
    pen.fillText(text, middle, height - 4);
    free = middle + half + 6;
  }
}

// Each tissue a bar in the first lane where it and its name find room.
function drawTissues(canvas) {
  const wide = canvas.clientWidth, lane = 19, measure = canvas.getContext("2d");
  measure.font = FONT;
  const ends = [], placed = [];
  for (const tissue of data.tissues) {
    if (tissue.high_hu < range.low || tissue.low_hu > range.high) continue;
    const left = Math.max(0, place(Math.max(tissue.low_hu, range.low), wide));
    const right = Math.max(left + 3, place(Math.min(tissue.high_hu, range.high), wide));
    const text = measure.measureText(tissue.name).width;
    const inside = right - left > text + 8;
    const before = !inside && right + 5 + text > wide; // the name stands left of its bar
    const from = before ? left - text - 5 : left;
    const to = before || inside ? right : right + 5 + text;
    let number = ends.findIndex((taken) => taken.every(([a, b]) => to + 6 < a || from > b + 6));
    if (number < 0) number = ends.push([]) - 1;
    ends[number].push([from, to]);
    const name = inside ? left + 4 : before ? from : right + 5;
    placed.push({ tissue, left, right, name, inside, y: number * lane + 3 });
  }
  canvas.style.height = `${ends.length * lane + 28}px`;
  const { pen, width, height } = fresh(canvas);
  pen.textAlign = "left";
  for (const { tissue, left, right, name, inside, y } of placed) {
    pen.fillStyle = tissue.colour;
    pen.fillRect(left, y, right - left, lane - 5);
    pen.fillStyle = inside ? "#fff" : INK;
    pen.fillText(tissue.name, name, y + 11);
  }
  drawAxis(pen, width, height);
}

function drawBars(pen, bars, xOf, width, height) {
  const most = Math.cbrt(Math.max(...bars.counts, 1)); // air and bone are worlds apart
  pen.fillStyle = "#7f97a3";
  bars.counts.forEach((count, number) => {
    const left = xOf(bars.low + number * bars.step), right = xOf(bars.low + (number + 1) * bars.step);
    if (!count || right < 0 || left > width) return;
    const tall = Math.max(1, (Math.cbrt(count) / most) * (height - 4));
    pen.fillRect(left, height - tall, Math.max(0.8, right - left), tall);
  });
}

function drawCounts(canvas) {
  const { pen, width, height } = fresh(canvas);
  drawBars(pen, data.hu_histogram, (value) => place(value, width), width, height);
}

function drawStored(canvas) {
  const { pen, width, height } = fresh(canvas), bars = data.stored_histogram;
  const low = bars.low, span = bars.counts.length * bars.step;
  const xOf = (value) => ((value - low) / span) * width;
  drawBars(pen, bars, xOf, width, height - 22);
  const step = [16, 50, 100, 250, 500, 1000, 2000, 5000, 10000].find((one) => span / one <= width / 70) || 20000;
  pen.fillStyle = MUTED;
  for (let tick = Math.ceil(low / step) * step; tick <= low + span; tick += step) {
    const text = String(tick).replace("-", "−"), half = pen.measureText(text).width / 2;
    pen.textAlign = "center";
    pen.fillText(text, Math.max(half, Math.min(width - half, xOf(tick))), height - 5);
  }
}

function drawMode(canvas, channels) {
  const { pen, width, height } = fresh(canvas), tall = height - STRIP - 5;
  for (const tissue of data.tissues) {
    const left = place(Math.max(tissue.low_hu, range.low), width);
    const right = place(Math.min(tissue.high_hu, range.high), width);
    if (right <= left) continue;
    pen.globalAlpha = 0.1;
    pen.fillStyle = tissue.colour;
    pen.fillRect(left, 0, right - left, tall + 1);
  }
  pen.globalAlpha = 1;
  pen.fillStyle = RULE;
  pen.fillRect(0, tall, width, 1);
  const [first, last] = [clamped(range.low), clamped(range.high)];
  const alike = channels.every((curve) => curve.every((value, n) => value === channels[0][n]));
  pen.lineWidth = 1.7;
  pen.lineJoin = "round";
  (alike ? channels.slice(0, 1) : channels).forEach((curve, number) => {
    pen.strokeStyle = alike ? GREY : CHANNELS[number];
    pen.beginPath();
    for (let value = first; value <= last; value++) {
      pen.lineTo(place(value, width), 1.5 + (1 - at(curve, value)) * (tall - 3));
    }
    pen.stroke();
  });
  for (let x = 0; x < width; x++) {
    pen.fillStyle = css(channels.map((curve) => at(curve, valueAt(x + 0.5, width))));
    pen.fillRect(x, height - STRIP, 1.2, STRIP);
  }
}

function draw() {
  for (const canvas of plots) {
    if (canvas.classList.contains("tissues")) drawTissues(canvas);
    else if (canvas.classList.contains("counts")) drawCounts(canvas);
    else if (canvas.classList.contains("axis")) {
      const { pen, width, height } = fresh(canvas);
      drawAxis(pen, width, height);
    } else drawMode(canvas, curves[Number(canvas.dataset.mode)]);
  }
  const stored = document.querySelector("canvas.stored");
  if (stored) drawStored(stored);
  tell();
}

function tell() {
  const canvas = plots[0], x = place(hu, canvas.clientWidth);
  pointer.style.left = `${canvas.offsetLeft + x}px`;
  pointer.style.display = x < 0 || x > canvas.clientWidth ? "none" : "";
  document.getElementById("hu").textContent = `${String(hu).replace("-", "−")} HU`;
  const names = data.tissues.filter((one) => one.low_hu <= hu && hu <= one.high_hu).map((one) => one.name);
  document.getElementById("tissue").textContent = names.join(" · ");
  chart.setAttribute("aria-valuenow", hu);
  chart.setAttribute("aria-valuetext", [`${hu} HU`, ...names].join(", "));
  rows.forEach((row, number) => {
    const values = curves[number].map((curve) => at(curve, hu));
    const grey = values.every((value) => value === values[0]);
    const [swatch, text] = row.querySelector(".value").children;
    swatch.style.background = css(values);
    text.textContent = grey
      ? values[0].toFixed(3)
      : values.map((value, n) => `${"RGB"[n]} ${value.toFixed(3)}`).join("  ");
  });
  const count = document.getElementById("count"), bars = data.hu_histogram;
  if (count) {
    const number = bars.counts[Math.floor((hu - bars.low) / bars.step)] || 0;
    count.textContent = `${number.toLocaleString("en")} pixels here`;
  }
}

function point(value) {
  hu = clamped(value);
  tell();
}

for (const kind of ["pointermove", "pointerdown"]) {
  chart.addEventListener(kind, (event) => {
    const box = plots[0].getBoundingClientRect();
    if (event.clientX < box.left || event.clientX > box.right) return;
    point(valueAt(event.clientX - box.left, box.width));
  });
}
chart.addEventListener("keydown", (event) => {
  const step = { ArrowLeft: -1, ArrowDown: -1, ArrowRight: 1, ArrowUp: 1 }[event.key];
  if (!step) return;
  event.preventDefault();
  point(hu + step * (event.shiftKey ? 10 : 1));
});
for (const button of document.querySelectorAll(".ranges button")) {
  button.addEventListener("click", () => {
    range = RANGES[button.dataset.range];
    for (const one of document.querySelectorAll(".ranges button")) one.setAttribute("aria-pressed", one === button);
    draw();
  });
}
for (const picture of seen) {
  const look = (event) => {
    const box = picture.getBoundingClientRect(), { rows: tall, columns: wide } = data.slice;
    const x = (event.clientX - box.left) / box.width, y = (event.clientY - box.top) / box.height;
    const row = Math.min(tall - 1, Math.max(0, Math.floor(y * tall)));
    const column = Math.min(wide - 1, Math.max(0, Math.floor(x * wide)));
    point(sliceHu[row * wide + column]);
    for (const one of seen) {
      const mark = one.querySelector("u");
      Object.assign(mark.style, { display: "block", left: `${100 * x}%`, top: `${100 * y}%` });
    }
  };
  picture.addEventListener("pointermove", look);
  picture.addEventListener("pointerdown", look);
}
window.addEventListener("resize", draw);
draw();
