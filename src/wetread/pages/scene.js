// pages/scene.js: surfaces to turn, in plain WebGL 2. No library, nothing fetched.
"use strict";
(() => {
  const scene = JSON.parse(document.getElementById("scene").textContent);
  const canvas = document.getElementById("view");
  const gl = canvas.getContext("webgl2", { antialias: true, alpha: false });
  if (!gl) {
    document.getElementById("without").hidden = false;
    canvas.hidden = true;
    return;
  }

  const VERTEX = `#version 300 es
    in vec3 place; in vec3 normal;
    uniform mat4 eye; uniform mat3 turn;
    out vec3 facing;
    void main() { facing = turn * normal; gl_Position = eye * vec4(place, 1.0); }`;
  const FRAGMENT = `#version 300 es
    precision highp float;
    in vec3 facing; uniform vec4 colour; out vec4 shown;
    void main() {
      vec3 n = normalize(gl_FrontFacing ? facing : -facing);
      float light = 0.28 + 0.62 * max(dot(n, normalize(vec3(-0.35, 0.45, 0.85))), 0.0)
                  + 0.16 * max(dot(n, normalize(vec3(0.7, -0.2, 0.4))), 0.0);
      float gleam = pow(max(n.z, 0.0), 40.0) * 0.10;
      float rim = colour.a < 1.0 ? 0.75 * pow(1.0 - abs(n.z), 2.0) : 0.0;
      shown = vec4(colour.rgb * light + gleam, min(1.0, colour.a * (1.0 + rim)));
    }`;

  function program() {
    const made = gl.createProgram();
    for (const [kind, text] of [[gl.VERTEX_SHADER, VERTEX], [gl.FRAGMENT_SHADER, FRAGMENT]]) {
      const shader = gl.createShader(kind);
      gl.shaderSource(shader, text);
      gl.compileShader(shader);
      gl.attachShader(made, shader);
    }
    gl.bindAttribLocation(made, 0, "place");
    gl.bindAttribLocation(made, 1, "normal");
    gl.linkProgram(made);
    return made;
  }

  const bytes = (text) => Uint8Array.from(atob(text), (c) => c.charCodeAt(0)).buffer;

  // Points come as int16 steps of scene.step_mm from scene.center_mm; the view works in mm.
  function upload(part) {
    const steps = new Int16Array(bytes(part.points)), faces = new Uint32Array(bytes(part.faces));
    const points = Float32Array.from(steps, (value) => value * scene.step_mm);
    const normals = new Float32Array(points.length);
    for (let f = 0; f < faces.length; f += 3) {
      const [a, b, c] = [3 * faces[f], 3 * faces[f + 1], 3 * faces[f + 2]];
      const u = [0, 1, 2].map((i) => points[b + i] - points[a + i]);
      const v = [0, 1, 2].map((i) => points[c + i] - points[a + i]);
      const n = [u[1] * v[2] - u[2] * v[1], u[2] * v[0] - u[0] * v[2], u[0] * v[1] - u[1] * v[0]];
      for (const corner of [a, b, c]) for (let i = 0; i < 3; i++) normals[corner + i] += n[i];
    }
    const array = gl.createVertexArray();
    gl.bindVertexArray(array);
    [points, normals].forEach((values, at) => {
      gl.bindBuffer(gl.ARRAY_BUFFER, gl.createBuffer());
      gl.bufferData(gl.ARRAY_BUFFER, values, gl.STATIC_DRAW);
      gl.enableVertexAttribArray(at);
      gl.vertexAttribPointer(at, 3, gl.FLOAT, false, 0, 0);
    });
    gl.bindBuffer(gl.ELEMENT_ARRAY_BUFFER, gl.createBuffer());
    gl.bufferData(gl.ELEMENT_ARRAY_BUFFER, faces, gl.STATIC_DRAW);
    return { ...part, array, count: faces.length, on: true, points: null, faces: null };
  }

  let use, where, parts;
  function begin() {
    use = program();
    where = Object.fromEntries(
      ["eye", "turn", "colour"].map((name) => [name, gl.getUniformLocation(use, name)]));
    parts = scene.parts.map(upload);
  }

  // The turn is a rotation from patient (LPS) to screen (right, up, towards the eye).
  const VIEWS = {
    front: [[1, 0, 0], [0, 0, 1], [0, -1, 0]],
    back: [[-1, 0, 0], [0, 0, 1], [0, 1, 0]],
    left: [[0, 1, 0], [0, 0, 1], [1, 0, 0]],
    right: [[0, -1, 0], [0, 0, 1], [-1, 0, 0]],
    above: [[-1, 0, 0], [0, -1, 0], [0, 0, 1]],
    below: [[1, 0, 0], [0, -1, 0], [0, 0, -1]],
  };
  let turn, zoom;
  const by = (a, b) => a.map((row) => [0, 1, 2].map(
    (j) => row[0] * b[0][j] + row[1] * b[1][j] + row[2] * b[2][j]));
  function rotate(right, up) {
    const [cr, sr, cu, su] = [Math.cos(right), Math.sin(right), Math.cos(up), Math.sin(up)];
    turn = by(by([[1, 0, 0], [0, cu, -su], [0, su, cu]], [[cr, 0, sr], [0, 1, 0], [-sr, 0, cr]]), turn);
    show();
  }
  function face(name) { turn = VIEWS[name]; show(); }
  function scale(times) { zoom = Math.min(12, Math.max(0.4, zoom * times)); show(); }
  function reset() { zoom = 1; turn = VIEWS.front; rotate(-0.6, 0.25); }

  // The patient's sides at the edges of the view; a second letter from 30 degrees on.
  function lettersOf(direction) {
    return [0, 1, 2].sort((a, b) => Math.abs(direction[b]) - Math.abs(direction[a]))
      .filter((axis, place) => place === 0 || Math.abs(direction[axis]) >= 0.5)
      .map((axis) => ["RL", "AP", "FH"][axis][direction[axis] > 0 ? 1 : 0]).join("");
  }
  function tellSides() {
    const [right, up] = turn, back = (direction) => direction.map((part) => -part);
    const sides = { right, left: back(right), top: up, bottom: back(up) };
    for (const [edge, direction] of Object.entries(sides)) {
      document.getElementById(edge).textContent = lettersOf(direction);
    }
  }

  let waiting = false;
  function show() {
    if (!waiting) { waiting = true; requestAnimationFrame(draw); }
  }
  function draw() {
    waiting = false;
    const dots = Math.min(2, window.devicePixelRatio || 1);
    const [width, height] = [canvas.clientWidth * dots | 0, canvas.clientHeight * dots | 0];
    if (canvas.width !== width || canvas.height !== height) {
      canvas.width = width;
      canvas.height = height;
    }
    gl.viewport(0, 0, width, height);
    gl.clearColor(0.086, 0.11, 0.133, 1);
    gl.clear(gl.COLOR_BUFFER_BIT | gl.DEPTH_BUFFER_BIT);
    const size = zoom / scene.radius_mm, least = Math.min(width, height);
    const [sx, sy, sz] = [size * least / width, size * least / height, -0.1 * size];
    const eye = [0, 1, 2].flatMap((j) => [turn[0][j] * sx, turn[1][j] * sy, turn[2][j] * sz, 0]);
    gl.useProgram(use);
    gl.uniformMatrix4fv(where.eye, false, [...eye, 0, 0, 0, 1]);
    gl.uniformMatrix3fv(where.turn, false, [0, 1, 2].flatMap((j) => turn.map((row) => row[j])));
    gl.enable(gl.DEPTH_TEST);
    gl.blendFunc(gl.SRC_ALPHA, gl.ONE_MINUS_SRC_ALPHA);
    const seen = parts.filter((part) => part.on && part.opacity > 0);
    for (const part of seen.filter((one) => one.opacity >= 1)) surface(part);
    // What shines through comes after, the far side first, and hides nothing.
    gl.enable(gl.BLEND);
    gl.enable(gl.CULL_FACE);
    gl.depthMask(false);
    for (const side of [gl.FRONT, gl.BACK]) {
      gl.cullFace(side);
      for (const part of seen.filter((one) => one.opacity < 1)) surface(part);
    }
    gl.depthMask(true);
    gl.disable(gl.CULL_FACE);
    gl.disable(gl.BLEND);
    tellSides();
    canvas.dataset.drawn = 1 + Number(canvas.dataset.drawn || 0);
  }
  function surface(part) {
    gl.uniform4f(where.colour, ...part.colour, part.opacity);
    gl.bindVertexArray(part.array);
    gl.drawElements(gl.TRIANGLES, part.count, gl.UNSIGNED_INT, 0);
  }

  // One pointer turns, two pinch; a double click begins anew.
  const down = new Map();
  const apart = () => { const [a, b] = [...down.values()]; return Math.hypot(a.x - b.x, a.y - b.y); };
  canvas.addEventListener("pointerdown", (event) => {
    canvas.setPointerCapture(event.pointerId);
    down.set(event.pointerId, { x: event.clientX, y: event.clientY });
  });
  canvas.addEventListener("pointermove", (event) => {
    const before = down.get(event.pointerId);
    if (!before) return;
    const [dx, dy, wide] = [event.clientX - before.x, event.clientY - before.y, down.size > 1 ? apart() : 0];
    down.set(event.pointerId, { x: event.clientX, y: event.clientY });
    if (wide) scale(apart() / wide);
    else rotate(dx * 0.01, dy * 0.01);
  });
  for (const name of ["pointerup", "pointercancel"]) {
    canvas.addEventListener(name, (event) => down.delete(event.pointerId));
  }
  canvas.addEventListener("dblclick", reset);
  canvas.addEventListener("wheel", (event) => {
    event.preventDefault();
    scale(Math.exp(-event.deltaY * 0.0015));
  }, { passive: false });

  const KEYS = {
    ArrowLeft: () => rotate(-0.1, 0), ArrowRight: () => rotate(0.1, 0),
    ArrowUp: () => rotate(0, -0.1), ArrowDown: () => rotate(0, 0.1),
    "+": () => scale(1.15), "=": () => scale(1.15), "-": () => scale(1 / 1.15), r: reset,
  };
  window.addEventListener("keydown", (event) => {
    if (event.target.type === "range" || event.ctrlKey || event.metaKey || event.altKey) return;
    const box = document.querySelectorAll("input[type=checkbox]")[Number(event.key) - 1];
    if (box) box.click();
    else if (KEYS[event.key]) KEYS[event.key]();
    else return;
    event.preventDefault();
  });
  for (const button of document.querySelectorAll("button[data-view]")) {
    button.addEventListener("click", () => face(button.dataset.view));
  }
  document.getElementById("reset").addEventListener("click", reset);
  for (const row of document.querySelectorAll("[data-part]")) {
    const part = () => parts[Number(row.dataset.part)];
    row.querySelector("input[type=checkbox]").addEventListener("change", (event) => {
      part().on = event.target.checked;
      show();
    });
    row.querySelector("input[type=range]").addEventListener("input", (event) => {
      part().opacity = scene.parts[Number(row.dataset.part)].opacity = event.target.value / 100;
      show();
    });
  }
  new ResizeObserver(show).observe(canvas);
  canvas.addEventListener("webglcontextlost", (event) => event.preventDefault());
  canvas.addEventListener("webglcontextrestored", () => { begin(); show(); });
  begin();
  reset();
})();
