// What is drawn: arrays of the page unpacked, the faces of a grid that show, and lines.

const bytesOf = id => Uint8Array.from(atob(document.getElementById(id).textContent), c => c.charCodeAt(0));
const unpacked = async id => {
  const stream = new Blob([bytesOf(id)]).stream().pipeThrough(new DecompressionStream("deflate-raw"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
};

const UNKNOWN = 255, SLOTS = 16;
const slot = label => label === UNKNOWN ? SLOTS - 1 : Math.min(label, SLOTS - 2);  // of a table of colours

// Points as WebGL takes them, 12 bytes each: x, y, z in steps (uint16), red, green, blue, label, nothing.
const pointsOf = (planes, count) => {
  const out = new Uint8Array(count * 12), places = new Uint16Array(out.buffer);
  let x = 0, y = 0, z = 0;
  for (let i = 0; i < count; i++) {
    x = x + planes[i] + (planes[3 * count + i] << 8) & 65535;
    y = y + planes[count + i] + (planes[4 * count + i] << 8) & 65535;
    z = z + planes[2 * count + i] + (planes[5 * count + i] << 8) & 65535;
    places[i * 6] = x; places[i * 6 + 1] = y; places[i * 6 + 2] = z;
    const colour = planes[6 * count + i] | planes[7 * count + i] << 8, at = i * 12;
    out[at + 6] = (colour >> 11) * 255 / 31; out[at + 7] = (colour >> 5 & 63) * 255 / 63; out[at + 8] = (colour & 31) * 255 / 31;
    out[at + 9] = slot(planes[8 * count + i]);
  }
  return out;
};

// The sides of shown voxels that no shown voxel hides, 8 bytes each: x, y, z, side, label, light of its corners, heat, length.
// Sides: +x -x +y -y +z -z. A corner gets less light the more voxels stand around it in front of the face.
const facesOf = (labels, heat, [nx, ny, nz], shown, cut, glass) => {
  const size = [nx, ny, nz], jump = [ny * nz, nz, 1];
  const solid = (x, y, z) => x >= 0 && y >= 0 && z >= 0 && x < nx && y < ny && z < cut && shown[labels[(x * ny + y) * nz + z]];
  let out = new Uint8Array(1 << 16), end = 0;
  const at = [0, 0, 0], front = [0, 0, 0];
  for (at[0] = 0; at[0] < nx; at[0]++) for (at[1] = 0; at[1] < ny; at[1]++) for (at[2] = 0; at[2] < cut; at[2]++) {
    const index = at[0] * jump[0] + at[1] * jump[1] + at[2], label = labels[index];
    if (!shown[label]) continue;
    for (let side = 0; side < 6; side++) {
      const axis = side >> 1, step = side % 2 ? -1 : 1, next = at[axis] + step;
      const inside = next >= 0 && next < size[axis] && (axis !== 2 || next < cut);
      if (inside && shown[labels[index + step * jump[axis]]]) continue;
      if (glass && inside && glass[labels[index + step * jump[axis]]]) continue;
      let light = 0;
      if (glass) light = 255;
      else {
        const u = (axis + 1) % 3, v = (axis + 2) % 3;
        const filled = (du, dv) => {
          front[axis] = next; front[u] = at[u] + du; front[v] = at[v] + dv;
          return solid(front[0], front[1], front[2]) ? 1 : 0;
        };
        for (let corner = 0; corner < 4; corner++) {
          const du = corner & 1 ? 1 : -1, dv = corner >> 1 ? 1 : -1, a = filled(du, 0), b = filled(0, dv);
          light |= (a && b ? 0 : 3 - a - b - filled(du, dv)) << 2 * corner;
        }
      }
      if (end + 8 > out.length) { const more = new Uint8Array(out.length * 2); more.set(out); out = more; }
      out[end] = at[0]; out[end + 1] = at[1]; out[end + 2] = at[2]; out[end + 3] = side;
      out[end + 4] = slot(label); out[end + 5] = light; out[end + 6] = heat ? heat[index] : 0; out[end + 7] = 1;
      end += 8;
    }
  }
  return out.subarray(0, end);
};

// The same with faces that look alike and lie in a row as one: along z of walls, along y of floors.
const rowsOf = faces => {
  const out = faces.slice(), last = new Int32Array(6 * 256).fill(-1);
  let end = 0;
  for (let i = 0; i < faces.length; i += 8) {
    const side = faces[i + 3], light = faces[i + 5], along = side > 3 ? 1 : 2, key = side * 256 + (side > 3 ? faces[i + 2] : 0), row = last[key];
    const even = side >> 1 === 1 ? !((light ^ light >> 2) & 0x33) : (light & 15) === light >> 4;  // no darker at one end
    let joins = even && row >= 0 && out[row + along] + out[row + 7] === faces[i + along];
    for (let b = 0; joins && b < 7; b++) joins = b === along || out[row + b] === faces[i + b];
    if (joins) out[row + 7]++;
    else { out.set(faces.subarray(i, i + 8), end); last[key] = end; end += 8; }
  }
  return out.subarray(0, end);
};

class Lines {
  constructor() { this.parts = []; }
  add(from, to, colour) { this.parts.push([from, to, colour]); return this; }
  loop(points, colour) { points.forEach((p, i) => this.add(p, points[(i + 1) % points.length], colour)); return this; }
  bytes() {
    const out = new ArrayBuffer(this.parts.length * 28), numbers = new Float32Array(out), bytes = new Uint8Array(out);
    this.parts.forEach(([from, to, colour], i) => { numbers.set(from, i * 7); numbers.set(to, i * 7 + 3); bytes.set(colour, i * 28 + 24); });
    return bytes;
  }
}

const PATH = [214, 38, 40, 255], VIEW = [30, 102, 176, 255], FRAME = [90, 94, 102, 150], SQUARES = [120, 118, 110, 70];

const pathLines = (frames, current) => {
  const lines = new Lines(), centre = f => f.camera.slice(12, 15);
  frames.slice(1).forEach((frame, i) => lines.add(centre(frames[i]), centre(frame), PATH));
  frames.forEach((frame, i) => {
    const far = i === current ? .45 : .16, colour = i === current ? VIEW : [...VIEW.slice(0, 3), 110];
    const corners = [[0, 0], [640, 0], [640, 480], [0, 480]].map(([x, y]) =>
      moved(frame.camera, [(x - frame.centre[0]) / frame.focal[0] * far, (y - frame.centre[1]) / frame.focal[1] * far, far]));
    lines.loop(corners, colour);
    corners.forEach(corner => lines.add(centre(frame), corner, colour));
  });
  return lines;
};

// Squares of one metre on the floor, under all that is shown, and the box of the frame's grid.
const floorLines = (low, high, voxels, [nx, ny, nz]) => {
  const lines = new Lines(), [x0, y0] = low.map(Math.floor), [x1, y1] = high.map(Math.ceil);
  for (let x = x0; x <= x1; x++) lines.add([x, y0, 0], [x, y1, 0], SQUARES);
  for (let y = y0; y <= y1; y++) lines.add([x0, y, 0], [x1, y, 0], SQUARES);
  const corner = (x, y, z) => moved(voxels, [x * nx, y * ny, z * nz]), ring = z => [[0, 0], [1, 0], [1, 1], [0, 1]].map(([x, y]) => corner(x, y, z));
  lines.loop(ring(0), FRAME).loop(ring(1), FRAME);
  ring(0).forEach((p, i) => lines.add(p, ring(1)[i], FRAME));
  return lines;
};
