// The page: what a person sets, and the frame that follows from it.

const $ = id => document.getElementById(id);
const content = JSON.parse($("content").textContent);
const { frames, classes, shape } = content, sized = shape[0] * shape[1] * shape[2];
const state = { frame: 0, off: new Set(classes.filter(c => c.id === 0 || c.id === UNKNOWN || c.name === "ceiling").map(c => c.id)),
  yaw: 0, pitch: 1, distance: 8, target: [0, 0, 1], look: "over" };
const arrays = {};
const FIELD_OF_VIEW = 40 * Math.PI / 180, SIDE_BY_SIDE = .8;

$("title").textContent = document.title;
const grid = (name, i) => arrays[name] && arrays[name].subarray(i * sized, (i + 1) * sized);
const checked = id => $(id).checked && !$(id).closest("label").hidden;
const mode = () => +document.querySelector("[name=colour]:checked").value;
const cut = () => state.look === "camera" ? shape[2] : +$("cut").value;

// The legend counts the voxels of the frame's grid.
const rows = new Map(classes.map(c => {
  const label = document.createElement("label"), box = document.createElement("input"), patch = document.createElement("i");
  const name = document.createElement("span"), count = document.createElement("small");
  box.type = "checkbox"; box.checked = !state.off.has(c.id); box.dataset.label = c.id;
  box.addEventListener("change", () => { state.off[box.checked ? "delete" : "add"](c.id); changed(); });
  patch.style.background = `rgb(${c.colour})`; name.textContent = c.name;
  label.append(box, patch, name, count); $("classes").append(label);
  return [c.id, { label, box, count }];
}));
const setAll = on => classes.forEach(c => {
  const optional = c.id === 0 || c.id === UNKNOWN;
  if (optional && on) return;
  rows.get(c.id).box.checked = on; state.off[on ? "delete" : "add"](c.id);
});
$("all").addEventListener("click", () => { setAll(true); changed(); });
$("none").addEventListener("click", () => { setAll(false); changed(); });

const count = () => {
  const found = new Uint32Array(256);
  for (const label of grid("grids", state.frame)) found[label]++;
  rows.forEach((row, id) => {
    row.count.textContent = found[id] ? (found[id] < 10000 ? found[id].toLocaleString("en") : `${Math.round(found[id] / 1000)} k`) : "";
    row.label.classList.toggle("absent", !found[id]);
  });
};

// The picture with its labels over it.
const colours = new Uint8Array(256 * 3).fill(128);
classes.forEach(c => colours.set(c.colour, c.id * 3));
const overlay = document.createElement("canvas");
const drawPicture = () => {
  const canvas = $("picture"), pen = canvas.getContext("2d"), [h, w] = content.labels;
  pen.globalAlpha = 1; pen.imageSmoothingEnabled = true;
  if (arrays.pictures[state.frame]) pen.drawImage(arrays.pictures[state.frame], 0, 0, canvas.width, canvas.height);
  overlay.width = w; overlay.height = h;
  const image = new ImageData(w, h), labels = arrays.labels, start = state.frame * w * h;
  for (let i = 0; i < w * h; i++) {
    const label = labels[start + i];
    image.data.set(colours.subarray(label * 3, label * 3 + 3), i * 4);
    image.data[i * 4 + 3] = label === UNKNOWN || state.off.has(label) && label !== 1 ? 0 : 255;
  }
  overlay.getContext("2d").putImageData(image, 0, 0);
  pen.globalAlpha = $("opacity").value / 100; pen.imageSmoothingEnabled = false;
  pen.drawImage(overlay, 0, 0, canvas.width, canvas.height);
};

const canvas = $("view");
const COARSE = .7;  // of sharpness; from here down, faces in rows are one and few points are drawn, spread evenly as they lie along Morton's curve
let gl, programs, buffers, table, waiting = false;

// A processor that draws instead of a graphics card has no time for smooth edges.
const inSoftware = () => {
  const tried = document.createElement("canvas").getContext("webgl2"), told = tried && tried.getExtension("WEBGL_debug_renderer_info");
  const name = told ? String(tried.getParameter(told.UNMASKED_RENDERER_WEBGL)) : "";
  if (tried) tried.getExtension("WEBGL_lose_context")?.loseContext();
  return /swiftshader|llvmpipe|software|basic render/i.test(name);
};

const start3d = () => {
  const software = inSoftware();
  gl = canvas.getContext("webgl2", { antialias: !software, alpha: false });
  if (!gl) return false;
  if (software) sharpness = sharpest = .6;
  programs = { faces: new Program(gl, FACES), points: new Program(gl, POINTS), lines: new Program(gl, LINES) };
  buffers = { points: pointAttributes(gl), path: lineAttributes(gl), floor: lineAttributes(gl) };
  buffers.few = pointAttributes(gl, { every: 21, of: buffers.points });
  for (const side of ["grids", "truth"]) buffers[side] = { solid: faceAttributes(gl), rows: faceAttributes(gl), glass: faceAttributes(gl) };
  buffers.points.fill(pointsOf(arrays.cloud, content.cloud.points), content.cloud.points);
  table = new Float32Array(SLOTS * 3).fill(.5);
  classes.forEach(c => table.set(c.colour.map(v => v / 255), slot(c.id) * 3));
  return true;
};

const fillGrids = () => {
  const solid = new Uint8Array(256), glass = new Uint8Array(256), heat = grid("words", state.frame);
  classes.forEach(c => { if (!state.off.has(c.id)) (c.id === 0 || c.id === UNKNOWN ? glass : solid)[c.id] = 1; });
  for (const side of ["grids", "truth"]) {
    const labels = grid(side, state.frame);
    if (!labels) continue;
    const faces = facesOf(labels, heat, shape, solid, cut(), null);
    const inRows = rowsOf(faces);
    buffers[side].solid.fill(faces, faces.length / 8);
    buffers[side].rows.fill(inRows, inRows.length / 8);
    const clear = glass[0] || glass[UNKNOWN] ? facesOf(labels, null, shape, glass, cut(), solid) : new Uint8Array(0);
    buffers[side].glass.fill(clear, clear.length / 8);
  }
  Object.assign(document.body.dataset, { faces: buffers.grids.solid.count + buffers.grids.glass.count, rows: buffers.grids.rows.count });
};

const fillLines = () => {
  const path = pathLines(frames, state.frame), bounds = [[1e9, 1e9], [-1e9, -1e9]], voxels = frames[state.frame].voxels;
  const hold = p => { for (const a of [0, 1]) { bounds[0][a] = Math.min(bounds[0][a], p[a]); bounds[1][a] = Math.max(bounds[1][a], p[a]); } };
  frames.forEach(f => { hold(f.camera.slice(12)); hold(moved(f.voxels, [0, 0, 0])); hold(moved(f.voxels, shape)); });
  const floor = floorLines(...bounds, voxels, shape);
  buffers.path.fill(path.bytes(), path.parts.length);
  buffers.floor.fill(floor.bytes(), floor.parts.length);
};

// Where the person stands: around a target, or where the camera of the frame stood.
const eye = () => {
  if (state.look === "camera") {
    const m = frames[state.frame].camera, centre = m.slice(12, 15);
    return { from: centre, view: looking(centre, moved(m, [0, 0, 1]), m.slice(4, 7).map(v => -v)), fov: 2 * Math.atan(240 / frames[state.frame].focal[1]) };
  }
  const { yaw, pitch, distance, target } = state, flat = Math.cos(pitch) * distance;
  const from = [target[0] - flat * Math.sin(yaw), target[1] - flat * Math.cos(yaw), target[2] + distance * Math.sin(pitch)];
  const up = pitch > 1.55 ? [Math.sin(yaw), Math.cos(yaw), 0] : [0, 0, 1];
  return { from, view: looking(from, target, up), fov: FIELD_OF_VIEW };
};

const drawSide = (side, left, bottom, width, height) => {
  gl.viewport(left, bottom, width, height); gl.scissor(left, bottom, width, height);
  const { view, fov } = eye(), aspect = width / height;
  const tall = state.look === "camera" ? Math.max(fov, 2 * Math.atan(Math.tan(fov / 2) * 4 / 3 / aspect)) : aspect < 1 ? 2 * Math.atan(Math.tan(fov / 2) / aspect) : fov;
  const clip = mul(perspective(tall, aspect, .05, 200), view), ratio = pixelRatio(), coarse = sharpness <= COARSE;
  const use = program => { gl.useProgram(program.id); gl.uniformMatrix4fv(program.at.clip, false, clip); return program.at; };
  const lines = (buffer, wide) => {
    if (!buffer.count) return;
    const at = use(programs.lines);
    gl.uniform2f(at.screen, width, height); gl.uniform1f(at.width, wide * ratio);
    buffer.draw();
  };
  gl.enable(gl.BLEND); gl.blendFunc(gl.SRC_ALPHA, gl.ONE_MINUS_SRC_ALPHA);
  if (checked("floor")) lines(buffers.floor, 1.2);
  const faces = (buffer, alpha) => {
    if (!buffer.count) return;
    const at = use(programs.faces);
    gl.uniformMatrix4fv(at.world, false, frames[state.frame].voxels);
    gl.uniform3fv(at.colours, table); gl.uniform1i(at.mode, mode()); gl.uniform1f(at.alpha, alpha);
    buffer.draw();
  };
  gl.disable(gl.BLEND); gl.enable(gl.CULL_FACE);
  if (checked("voxels")) faces(coarse ? buffers[side].rows : buffers[side].solid, 1);
  gl.disable(gl.CULL_FACE);
  if (checked("cloud")) {
    const at = use(programs.points);
    let shown = 0;
    classes.forEach(c => { if (!state.off.has(c.id) || c.id === UNKNOWN) shown |= 1 << slot(c.id); });
    gl.uniform3fv(at.low, content.cloud.corner); gl.uniform1f(at.size, content.cloud.step);
    const points = coarse ? buffers.few : buffers.points;
    gl.uniform1f(at.pixels, .024 * Math.cbrt(points.every) * height / 2 / Math.tan(tall / 2)); gl.uniform1f(at.cut, cut() === shape[2] ? 1e9 : cut() * content.voxel);
    gl.uniform3fv(at.colours, table); gl.uniform1i(at.mode, mode()); gl.uniform1ui(at.shown, shown >>> 0);
    points.draw();
  }
  gl.enable(gl.BLEND);
  if (checked("path") && state.look !== "camera") lines(buffers.path, 1.6);
  if (checked("voxels")) { gl.depthMask(false); faces(buffers[side].glass, .1); gl.depthMask(true); }
  return height / 2 / Math.tan(tall / 2) / ratio;
};

// While the room moves it is drawn as sharp as 30 frames a second allow, and in full once it rests.
let sharpness = 1, sharpest = 1, settled = 0, last = 0;
const resting = () => {
  const moving = sharpness;
  sharpness = 1; last = 0;
  if (gl) draw();
  sharpness = moving;
  document.body.dataset.rests = "yes";
};
const pace = () => {
  const now = performance.now(), took = now - last;
  if (last && took < 1000) sharpness = took > 36 ? Math.max(.4, sharpness * .8) : took < 22 ? Math.min(sharpest, sharpness * 1.1) : sharpness;
  last = now;
  document.body.dataset.rests = "no";
  clearTimeout(settled); settled = setTimeout(resting, 250);
};

const pixelRatio = () => (window.devicePixelRatio || 1) * sharpness;

const draw = () => {
  waiting = false;
  const ratio = pixelRatio(), width = Math.round(canvas.clientWidth * ratio), height = Math.round(canvas.clientHeight * ratio);
  if (!width || !height) return;
  if (canvas.width !== width || canvas.height !== height) { canvas.width = width; canvas.height = height; }
  gl.enable(gl.DEPTH_TEST); gl.enable(gl.SCISSOR_TEST);
  gl.scissor(0, 0, width, height); gl.clearColor(.925, .918, .894, 1); gl.clear(gl.COLOR_BUFFER_BIT | gl.DEPTH_BUFFER_BIT);
  const both = content.truth && checked("truth"), across = width / height > SIDE_BY_SIDE, label = $("true");
  const [w, h] = both ? (across ? [Math.floor(width / 2), height] : [width, Math.floor(height / 2)]) : [width, height];
  const pixels = drawSide("grids", 0, height - h, w, h);
  if (both) drawSide("truth", across ? width - w : 0, 0, w, h);
  label.hidden = !both; $("built").hidden = !both;
  label.style.left = across ? "calc(50% + .7rem)" : ""; label.style.top = across ? "" : "calc(50% + .6rem)";
  $("scale").hidden = state.look === "camera";
  const metre = pixels / state.distance, long = [.1, .2, .5, 1, 2, 5, 10].find(m => m * metre > 60) || 20;
  $("scale").firstChild.style.width = `${long * metre}px`; $("scale").lastChild.textContent = `${long} m`;
  document.body.dataset.drawn = +(document.body.dataset.drawn || 0) + 1;
};
const redraw = () => { document.body.dataset.rests = "no"; if (gl && !waiting) { waiting = true; requestAnimationFrame(() => { pace(); draw(); }); } };

const changed = () => {
  drawPicture(); count();
  const f = frames[state.frame];
  $("when").textContent = `${state.frame + 1} of ${frames.length} · ${f.time.toFixed(2)} s`;
  $("height").textContent = +$("cut").value === shape[2] ? "no cut" : `${($("cut").value * content.voxel).toFixed(2)} m`;
  if (content.words) $("ramp").hidden = mode() !== 2;
  if (gl) { fillGrids(); fillLines(); redraw(); }
  document.body.dataset.frame = state.frame;
};

// The first camera stands behind the filming one and above it, on the side where fewer walls are in the way.
const lookOver = above => {
  const f = frames[state.frame], labels = grid("grids", state.frame), low = [1e9, 1e9], high = [-1, -1];
  let side = 0;
  for (let i = 0; i < sized; i++) {
    const label = labels[i], z = i % shape[2];
    if (label === 0 || label === UNKNOWN || label === 1 || z >= +$("cut").value) continue;
    const y = Math.floor(i / shape[2]) % shape[1], x = Math.floor(i / shape[2] / shape[1]);
    low[0] = Math.min(low[0], x); high[0] = Math.max(high[0], x + 1); low[1] = Math.min(low[1], y); high[1] = Math.max(high[1], y + 1);
    if (label === 3 || label === 4) side += x < shape[0] / 2 ? 1 : -1;
  }
  if (high[0] < 0) { low.fill(0); high[0] = shape[0]; high[1] = shape[1]; }
  const forward = f.camera.slice(8, 11);
  const held = [moved(f.voxels, [...low, 0]), moved(f.voxels, [...high, 0]), f.camera.slice(12, 15)];
  const [from, to] = [Math.min, Math.max].map(least => [0, 1].map(a => least(...held.map(p => p[a]))));
  state.target = [(from[0] + to[0]) / 2, (from[1] + to[1]) / 2, above ? 0 : .7];
  const wide = Math.hypot(to[0] - from[0], to[1] - from[1]) * .88;
  state.yaw = Math.atan2(forward[0], forward[1]) + (above ? 0 : side > 0 ? -.4 : .4);
  state.pitch = above ? 1.5707 : .92;
  const both = content.truth && checked("truth"), aspect = canvas.clientWidth / Math.max(1, canvas.clientHeight);
  const narrow = both ? (aspect > SIDE_BY_SIDE ? aspect / 2 : aspect * 2) : aspect;
  state.distance = Math.max(2.5, wide / 2 / Math.tan(FIELD_OF_VIEW / 2) * (narrow < 1 ? 1.02 : 1.3 / Math.min(narrow, 1.3)));
};

const goTo = look => {
  state.look = look;
  if (look !== "camera") lookOver(look === "above");
  document.querySelectorAll("[data-look]").forEach(b => b.setAttribute("aria-pressed", String(b.dataset.look === look)));
  changed();
};

// Hands and keys.
const listen = () => {
  const touches = new Map();
  let before = null;
  const turn = (dx, dy) => { state.yaw -= dx * .006; state.pitch = Math.min(1.5707, Math.max(-.3, state.pitch + dy * .006)); };
  const shift = (dx, dy) => {
    const step = state.distance * 2 * Math.tan(FIELD_OF_VIEW / 2) / canvas.clientHeight, s = Math.sin(state.yaw), c = Math.cos(state.yaw);
    state.target[0] -= (c * dx - s * dy) * step; state.target[1] += (s * dx + c * dy) * step;
  };
  const zoom = factor => { state.distance = Math.min(60, Math.max(.5, state.distance * factor)); };
  const free = () => { if (state.look === "camera") goTo("over"); };
  canvas.addEventListener("pointerdown", e => { canvas.setPointerCapture(e.pointerId); touches.set(e.pointerId, e); before = null; });
  const end = e => { touches.delete(e.pointerId); before = null; };
  canvas.addEventListener("pointerup", end); canvas.addEventListener("pointercancel", end);
  canvas.addEventListener("pointermove", e => {
    const last = touches.get(e.pointerId);
    if (!last) return;
    free(); touches.set(e.pointerId, e);
    if (touches.size === 1) (e.shiftKey || e.buttons & 2 ? shift : turn)(e.clientX - last.clientX, e.clientY - last.clientY);
    else {
      const [a, b] = [...touches.values()], now = { x: (a.clientX + b.clientX) / 2, y: (a.clientY + b.clientY) / 2, apart: Math.hypot(a.clientX - b.clientX, a.clientY - b.clientY) };
      if (before) { shift(now.x - before.x, now.y - before.y); zoom(before.apart / Math.max(1, now.apart)); }
      before = now;
    }
    redraw();
  });
  canvas.addEventListener("contextmenu", e => e.preventDefault());
  canvas.addEventListener("wheel", e => { e.preventDefault(); free(); zoom(Math.exp(e.deltaY * .001)); redraw(); }, { passive: false });
  canvas.addEventListener("keydown", e => {
    const keys = { ArrowLeft: () => turn(-20, 0), ArrowRight: () => turn(20, 0), ArrowUp: () => turn(0, -20), ArrowDown: () => turn(0, 20), "+": () => zoom(.9), "-": () => zoom(1.1) };
    if (keys[e.key]) { e.preventDefault(); free(); keys[e.key](); redraw(); }
  });
  document.querySelectorAll("[data-look]").forEach(b => b.addEventListener("click", () => goTo(b.dataset.look)));
  $("frame").addEventListener("input", () => { state.frame = +$("frame").value; changed(); });
  $("opacity").addEventListener("input", drawPicture);
  $("cut").addEventListener("input", changed);
  $("truth").addEventListener("change", () => { if (state.look !== "camera") lookOver(state.look === "above"); });
  document.querySelectorAll("#parts input, #colours input").forEach(box => box.addEventListener("change", changed));
  let playing = null;
  $("play").addEventListener("click", () => {
    playing = playing ? clearInterval(playing) : setInterval(() => { state.frame = (state.frame + 1) % frames.length; $("frame").value = state.frame; changed(); }, 350);
    $("play").textContent = playing ? "\u275a\u275a" : "\u25b6"; $("play").setAttribute("aria-label", playing ? "Pause" : "Play");
  });
  window.addEventListener("resize", redraw);
  canvas.addEventListener("webglcontextlost", e => { e.preventDefault(); gl = null; flat(); });
};

const flat = () => { document.body.classList.add("flat"); $("still").hidden = false; document.body.dataset.flat = "yes"; };

const decodePictures = async () => {
  const bytes = bytesOf("b-pictures");
  let from = 0;
  arrays.pictures = await Promise.all(content.pictures.map(length => createImageBitmap(new Blob([bytes.subarray(from, from += length)], { type: "image/jpeg" }))));
};

const begin = async () => {
  await Promise.all([decodePictures(), ...["labels", "grids", "cloud", "truth", "words"].map(async name => { if ($(`b-${name}`)) arrays[name] = await unpacked(`b-${name}`); })]);
  $("frame").max = frames.length - 1;
  const off = 100 * (1 / content.size - 1);
  $("true").textContent = Math.abs(off) < .5 ? "truth" : `truth, at the size that was estimated: ${Math.abs(off).toFixed(0)} % too ${off > 0 ? "large" : "small"}`;
  if (content.truth) $("truth").closest("label").hidden = false;
  if (content.words) {
    const radio = document.querySelector("[name=colour][value='2']");
    radio.closest("label").hidden = false; radio.checked = true; $("words").textContent = content.words.text;
    const [low, high] = $("ramp").querySelectorAll("span");
    low.textContent = content.words.bounds[0].toFixed(3); high.textContent = content.words.bounds[1].toFixed(3);
  }
  if (!start3d()) flat();
  listen(); goTo("over");
  document.body.dataset.ready = "yes";
};
begin().catch(error => { console.error(error); flat(); document.body.dataset.ready = "failed"; });
