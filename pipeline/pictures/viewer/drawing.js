// Drawing with WebGL 2: three programs, for voxels' faces, points and thick lines. Matrices are by columns.

const mul = (a, b) => {
  const out = new Float32Array(16);
  for (let c = 0; c < 4; c++) for (let r = 0; r < 4; r++) {
    let sum = 0;
    for (let k = 0; k < 4; k++) sum += a[k * 4 + r] * b[c * 4 + k];
    out[c * 4 + r] = sum;
  }
  return out;
};
const minus = (a, b) => [a[0] - b[0], a[1] - b[1], a[2] - b[2]];
const cross = (a, b) => [a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]];
const dot = (a, b) => a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
const unit = a => { const n = Math.hypot(...a) || 1; return a.map(v => v / n); };
const moved = (m, p) => [0, 1, 2].map(r => m[r] * p[0] + m[4 + r] * p[1] + m[8 + r] * p[2] + m[12 + r]);

const perspective = (fov, aspect, near, far) => {
  const f = 1 / Math.tan(fov / 2);
  return new Float32Array([f / aspect, 0, 0, 0, 0, f, 0, 0, 0, 0, (far + near) / (near - far), -1, 0, 0, 2 * far * near / (near - far), 0]);
};
const looking = (eye, at, up) => {
  const back = unit(minus(eye, at)), right = unit(cross(up, back)), top = cross(back, right);
  return new Float32Array([right[0], top[0], back[0], 0, right[1], top[1], back[1], 0, right[2], top[2], back[2], 0,
    -dot(right, eye), -dot(top, eye), -dot(back, eye), 1]);
};

// The polynomial that Google published for its colour map Turbo, evaluated here for heat from 0 to 1.
const TURBO = `vec3 turbo(float x) {
  vec4 v = vec4(1., x, x * x, x * x * x); vec2 w = v.zw * v.z;
  return clamp(vec3(dot(v, vec4(.1357, 4.6154, -42.6603, 132.1311)) + dot(w, vec2(-152.9424, 59.2864)),
    dot(v, vec4(.0914, 2.1942, 4.8430, -14.1850)) + dot(w, vec2(4.2773, 2.8296)),
    dot(v, vec4(.1067, 12.6419, -60.5820, 110.3628)) + dot(w, vec2(-89.9031, 27.3482))), 0., 1.);
}`;

const FACES = [`#version 300 es
precision highp float; precision highp int;
layout(location=0) in uvec4 place; layout(location=1) in uvec4 kind;
uniform mat4 clip, world; uniform vec3 colours[16]; uniform int mode; uniform float alpha;
out vec3 colour; out vec2 corner; out float shade;
${TURBO}
void main() {
  int side = int(place.w), axis = side / 2, u = (axis + 1) % 3, v = (axis + 2) % 3;
  ivec2 at = ivec2(gl_VertexID & 1, gl_VertexID >> 1 & 1);
  if (side % 2 == 1) at = at.yx;  // so that every side goes round the same way, seen from outside
  int cu = at.x, cv = at.y;
  corner = vec2(at) * (axis == 1 ? vec2(kind.w, 1.) : vec2(1., kind.w));
  vec3 p = vec3(place.xyz);
  if (side % 2 == 0) p[axis] += 1.;
  p[u] += corner.x; p[v] += corner.y;
  gl_Position = clip * world * vec4(p, 1.);
  float open = float((kind.y >> uint(2 * (cv * 2 + cu))) & 3u) / 3.;
  float side_light = axis == 2 ? (side == 4 ? 1. : .62) : (axis == 0 ? .88 : .79);
  shade = side_light * mix(.66, 1., open);
  colour = mode == 2 ? (kind.z == 0u ? vec3(.8) : turbo(float(kind.z - 1u) / 253.)) : colours[int(kind.x)];
}`, `#version 300 es
precision highp float;
in vec3 colour; in vec2 corner; in float shade; uniform float alpha; out vec4 said;
void main() {
  vec2 within = fract(corner), edge = min(within, 1. - within), wide = fwidth(corner);
  float line = 1. - smoothstep(0., 1.3, min(edge.x / wide.x, edge.y / wide.y));
  float fine = clamp(.12 / max(wide.x, wide.y), 0., 1.);
  said = vec4(colour * shade * (1. - .22 * line * fine), alpha < 1. ? alpha + .25 * line * fine : 1.);
}`];

const POINTS = [`#version 300 es
precision highp float; precision highp int;
layout(location=0) in vec3 step; layout(location=1) in vec4 filmed; layout(location=2) in uvec4 kind;
uniform mat4 clip; uniform vec3 low; uniform float size, pixels, cut; uniform vec3 colours[16]; uniform int mode; uniform uint shown;
out vec3 colour;
void main() {
  vec3 p = low + step * size;
  gl_Position = clip * vec4(p, 1.);
  gl_PointSize = clamp(pixels / gl_Position.w, 1.5, 14.);
  if (p.z > cut || (shown >> kind.x & 1u) == 0u) gl_Position = vec4(2., 2., 2., 1.);
  colour = mode == 1 ? filmed.rgb : colours[int(kind.x)];
}`, `#version 300 es
precision highp float;
in vec3 colour; out vec4 said;
void main() { if (length(gl_PointCoord - .5) > .5) discard; said = vec4(colour, 1.); }`];

const LINES = [`#version 300 es
precision highp float;
layout(location=0) in vec3 from; layout(location=1) in vec3 to; layout(location=2) in vec4 tint;
uniform mat4 clip; uniform vec2 screen; uniform float width;
out vec4 colour;
void main() {
  vec4 a = clip * vec4(from, 1.), b = clip * vec4(to, 1.);
  float near = .02;
  if (a.w < near && b.w < near) { gl_Position = vec4(2., 2., 2., 1.); return; }
  if (a.w < near) a = mix(a, b, (near - a.w) / (b.w - a.w));
  if (b.w < near) b = mix(b, a, (near - b.w) / (a.w - b.w));
  vec2 along = (b.xy / b.w - a.xy / a.w) * screen;
  vec2 across = length(along) > 0. ? normalize(vec2(-along.y, along.x)) : vec2(0.);
  vec4 p = (gl_VertexID & 1) == 0 ? a : b;
  p.xy += across * ((gl_VertexID >> 1 & 1) == 0 ? 1. : -1.) * width / screen * p.w;
  gl_Position = p; colour = tint;
}`, `#version 300 es
precision highp float;
in vec4 colour; out vec4 said;
void main() { said = colour; }`];

class Program {
  constructor(gl, sources) {
    this.id = gl.createProgram();
    [gl.VERTEX_SHADER, gl.FRAGMENT_SHADER].forEach((type, i) => {
      const shader = gl.createShader(type);
      gl.shaderSource(shader, sources[i]); gl.compileShader(shader);
      gl.attachShader(this.id, shader);
      if (!gl.getShaderParameter(shader, gl.COMPILE_STATUS) && !gl.isContextLost()) throw new Error(gl.getShaderInfoLog(shader));
    });
    gl.linkProgram(this.id);
    this.at = new Proxy({}, { get: (kept, name) => kept[name] ??= gl.getUniformLocation(this.id, name) });
  }
}

// A buffer with the layout of its attributes: [components, type, normalised or "int", offset]. every: of so many one.
class Attributes {
  constructor(gl, stride, parts, { every = 1, of = null } = {}) {
    this.gl = gl; this.held = 0; this.every = every;
    this.array = gl.createVertexArray(); this.buffer = of ? of.buffer : gl.createBuffer(); this.of = of;
    gl.bindVertexArray(this.array); gl.bindBuffer(gl.ARRAY_BUFFER, this.buffer);
    parts.forEach(([n, type, how, offset], i) => {
      gl.enableVertexAttribArray(i);
      if (how === "int") gl.vertexAttribIPointer(i, n, type, stride * every, offset);
      else gl.vertexAttribPointer(i, n, type, how, stride * every, offset);
    });
    gl.bindVertexArray(null);
  }
  get count() { return Math.floor((this.of || this).held / this.every); }
  fill(bytes, count) {
    this.gl.bindBuffer(this.gl.ARRAY_BUFFER, this.buffer);
    this.gl.bufferData(this.gl.ARRAY_BUFFER, bytes, this.gl.DYNAMIC_DRAW);
    this.held = count;
  }
  draw() { this.gl.bindVertexArray(this.array); this.gl.drawArrays(this.gl.POINTS, 0, this.count); }
}

// Four corners each, of which two triangles are made. Not instances: where a processor draws, each costs 20 microseconds.
class Quads extends Attributes {
  constructor(gl, stride, parts) { super(gl, stride, parts); this.indices = gl.createBuffer(); this.stride = stride; this.room = 0; }
  fill(bytes, count) {
    const words = this.stride / 4, each = new Uint32Array(bytes.slice().buffer), corners = new Uint32Array(count * words * 4);
    for (let i = 0; i < count; i++) for (let c = 0; c < 4; c++) for (let w = 0; w < words; w++) corners[(i * 4 + c) * words + w] = each[i * words + w];
    super.fill(corners, count);
    if (count <= this.room) return;
    this.room = count;
    const order = new Uint32Array(count * 6);
    for (let i = 0; i < count; i++) order.set([i * 4, i * 4 + 1, i * 4 + 2, i * 4 + 2, i * 4 + 1, i * 4 + 3], i * 6);
    const gl = this.gl;
    gl.bindVertexArray(this.array); gl.bindBuffer(gl.ELEMENT_ARRAY_BUFFER, this.indices);
    gl.bufferData(gl.ELEMENT_ARRAY_BUFFER, order, gl.STATIC_DRAW); gl.bindVertexArray(null);
  }
  draw() { this.gl.bindVertexArray(this.array); this.gl.drawElements(this.gl.TRIANGLES, this.held * 6, this.gl.UNSIGNED_INT, 0); }
}

const lineAttributes = gl => new Quads(gl, 28, [[3, gl.FLOAT, false, 0], [3, gl.FLOAT, false, 12], [4, gl.UNSIGNED_BYTE, true, 24]]);
const faceAttributes = gl => new Quads(gl, 8, [[4, gl.UNSIGNED_BYTE, "int", 0], [4, gl.UNSIGNED_BYTE, "int", 4]]);
const pointAttributes = (gl, thinned) => new Attributes(gl, 12, [[3, gl.UNSIGNED_SHORT, false, 0], [4, gl.UNSIGNED_BYTE, true, 6], [1, gl.UNSIGNED_BYTE, "int", 9]], thinned);
