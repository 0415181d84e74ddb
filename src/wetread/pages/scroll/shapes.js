// pages/scroll/shapes.js: lengths, angles and what lies inside a shape; no drawing here.

"use strict";

// Points are [column, row] of the picture, a voxel from k to k + 1; spacing is [rows, columns] mm,
// [1, 1] where it is not known. Of a bounding shape the points are two opposite corners.

function lengthOf([a, b], [down, across]) {
  return Math.hypot((b[0] - a[0]) * across, (b[1] - a[1]) * down);
}

// Degrees between the two legs that meet in the second point.
function angleOf([a, corner, b], [down, across]) {
  const leg = (to) => [(to[0] - corner[0]) * across, (to[1] - corner[1]) * down];
  const [[x, y], [u, v]] = [leg(a), leg(b)];
  return (Math.abs(Math.atan2(x * v - y * u, x * u + y * v)) * 180) / Math.PI;
}

// The shape's own area, not that of its voxels.
function areaOf(kind, points, [down, across]) {
  const [a, b] = points;
  const box = Math.abs((b[0] - a[0]) * (b[1] - a[1])) * down * across;
  if (kind === "rectangle") return box;
  if (kind === "ellipse") return (Math.PI / 4) * box;
  const twice = points.reduce((sum, [x, y], k) => {
    const [u, v] = points[(k + 1) % points.length];
    return sum + x * v - u * y;
  }, 0);
  return (Math.abs(twice) / 2) * down * across;
}

function isInside(kind, points, x, y) {
  if (kind === "freehand") return isInsidePolygon(points, x, y);
  const [a, b] = points;
  const [left, right] = [Math.min(a[0], b[0]), Math.max(a[0], b[0])];
  const [top, bottom] = [Math.min(a[1], b[1]), Math.max(a[1], b[1])];
  if (kind === "rectangle") return x >= left && x < right && y >= top && y < bottom;
  const across = (2 * x - left - right) / (right - left);
  const down = (2 * y - top - bottom) / (bottom - top);
  return across * across + down * down <= 1;
}

function isInsidePolygon(points, x, y) {
  let inside = false;
  for (let k = 0, last = points.length - 1; k < points.length; last = k++) {
    const [[a, b], [c, d]] = [points[k], points[last]];
    if (b > y !== d > y && x < ((c - a) * (y - b)) / (d - b) + a) inside = !inside;
  }
  return inside;
}

// {count, mean, sd, least, most} of the voxels whose middle lies inside; sd over all of them (n).
function valuesInside(kind, points, slice, { rows, columns }) {
  const xs = points.map((point) => point[0]), ys = points.map((point) => point[1]);
  const range = (parts, most) =>
    [Math.max(0, Math.floor(Math.min(...parts))), Math.min(most, Math.ceil(Math.max(...parts)))];
  const [[left, right], [top, bottom]] = [range(xs, columns), range(ys, rows)];
  const found = [];
  for (let row = top; row < bottom; row++) {
    for (let column = left; column < right; column++) {
      const at = row * columns + column;
      if (!isInside(kind, points, column + 0.5, row + 0.5) || isSet(slice.missing, at)) continue;
      found.push(valueOf(slice, slice.codes[at]));
    }
  }
  const count = found.length;
  const mean = found.reduce((sum, value) => sum + value, 0) / count;
  const square = found.reduce((sum, value) => sum + (value - mean) ** 2, 0) / count;
  const [least, most] = found.reduce(
    ([low, high], value) => [Math.min(low, value), Math.max(high, value)], [Infinity, -Infinity]);
  return { count, mean, sd: Math.sqrt(square), least, most };
}
