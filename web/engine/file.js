// Reads a model: model.json, which says all, and model.bin, its weights.

const FORMAT = "sketchgen-web-model", VERSION = 1;

/**
 * @param {string | URL} url of the folder
 * @param {{onProgress?: (part: {loaded: number, total: number}) => void, signal?: AbortSignal}} options
 */
export async function read(url, { onProgress, signal }) {
  const folder = absolute(url), about = parsed(await bytesOf(new URL("model.json", folder), { signal }), folder);
  const { file, bytes, sha256: sum } = about.weights;
  const data = await bytesOf(new URL(file, folder), { signal, total: bytes, onProgress });
  if (data.length !== bytes) {
    throw new Error(`${file} is cut off: it has ${data.length} of ${bytes} bytes; load it again`);
  }
  if (sha256(data) !== sum) throw new Error(`${file} does not belong to this model.json, or is damaged; load both again`);
  const weights = new Map();
  for (const entry of about.tensors) weights.set(entry.name, { shape: entry.shape, data: tensor(data.buffer, entry) });
  return { about, weights };
}

function absolute(url) {
  const base = globalThis.document ? document.baseURI : globalThis.location ? location.href : undefined;
  const found = new URL(String(url), base);
  if (!found.pathname.endsWith("/")) found.pathname += "/";
  return found;
}

function parsed(bytes, folder) {
  let about = null;
  try {
    about = JSON.parse(new TextDecoder().decode(bytes));
  } catch {
    throw new Error(`${folder}model.json is no JSON, or cut off; export the model again`);
  }
  if (!about || about.format !== FORMAT) throw new Error(`${folder} holds no model; write one with sketchgen export web`);
  if (about.version !== VERSION) throw new Error(`${folder} is of version ${about.version}, this engine reads ${VERSION}; export it again`);
  return about;
}

async function bytesOf(url, { signal, total, onProgress }) {
  if (url.protocol === "file:") {
    const { readFile } = await import("node:fs/promises");
    return new Uint8Array(await readFile(url)).slice();
  }
  const answer = await fetch(url, { signal });
  if (!answer.ok) throw new Error(`${url} cannot be loaded (${answer.status})`);
  if (!onProgress) return new Uint8Array(await answer.arrayBuffer());
  const parts = [], reader = answer.body.getReader();
  let loaded = 0;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) break;
    parts.push(value);
    loaded += value.length;
    onProgress({ loaded, total });
  }
  const found = new Uint8Array(loaded);
  parts.reduce((at, part) => (found.set(part, at), at + part.length), 0);
  return found;
}

function tensor(buffer, { shape, type, offset, scale }) {
  const count = shape.reduce((one, two) => one * two, 1);
  if (type === "float32") return new Float32Array(buffer, offset, count);
  if (type === "float16") return Float32Array.from(new Uint16Array(buffer, offset, count), float16);
  if (type !== "int8") throw new Error(`this engine reads no weights of type ${type}; export the model again`);
  const scales = new Float32Array(buffer, scale, shape[0]), width = count / shape[0], found = new Float32Array(count);
  const whole = new Int8Array(buffer, offset, count);
  for (let row = 0, i = 0; row < shape[0]; row++) for (let n = 0; n < width; n++, i++) found[i] = whole[i] * scales[row];
  return found;
}

const POWERS = Float64Array.from({ length: 32 }, (_, exponent) => 2 ** (exponent - 25));

function float16(bits) {
  const exponent = (bits >> 10) & 31, part = bits & 1023;
  const value = exponent ? POWERS[exponent] * (1024 + part) : POWERS[1] * part;
  return bits & 0x8000 ? -value : value;
}

/** SHA-256 (FIPS 180-4), hexadecimal; the browser's own exists only on pages that come by https. */
export function sha256(data) {
  const fraction = (root) => Math.floor((root % 1) * 2 ** 32), primes = [];
  for (let n = 2; primes.length < 64; n++) if (primes.every((prime) => n % prime)) primes.push(n);
  const k = Int32Array.from(primes, (prime) => fraction(Math.cbrt(prime)));
  const state = Int32Array.from(primes.slice(0, 8), (prime) => fraction(Math.sqrt(prime)));
  const length = data.length, blocks = (length + 8 >> 6) + 1, rest = new Uint8Array((blocks << 6) - (length & ~63));
  rest.set(data.subarray(length & ~63));
  rest[length & 63] = 0x80;
  const end = new DataView(rest.buffer);
  end.setUint32(rest.length - 8, Math.floor(length / 2 ** 29));
  end.setUint32(rest.length - 4, length << 3);
  const w = new Int32Array(64), whole = new DataView(data.buffer, data.byteOffset, length);
  for (let at = 0; at < length >> 6; at++) digest(state, w, k, whole, at << 6);
  for (let at = 0; at < rest.length; at += 64) digest(state, w, k, end, at);
  return Array.from(state, (word) => (word >>> 0).toString(16).padStart(8, "0")).join("");
}

function digest(state, w, k, view, at) {
  const turn = (x, n) => (x >>> n) | (x << (32 - n));
  for (let n = 0; n < 16; n++) w[n] = view.getInt32(at + 4 * n);
  for (let n = 16; n < 64; n++) {
    const x = w[n - 15], y = w[n - 2];
    w[n] = w[n - 16] + w[n - 7] + (turn(x, 7) ^ turn(x, 18) ^ (x >>> 3)) + (turn(y, 17) ^ turn(y, 19) ^ (y >>> 10));
  }
  let a = state[0], b = state[1], c = state[2], d = state[3], e = state[4], f = state[5], g = state[6], h = state[7];
  for (let n = 0; n < 64; n++) {
    const one = (h + (turn(e, 6) ^ turn(e, 11) ^ turn(e, 25)) + ((e & f) ^ (~e & g)) + k[n] + w[n]) | 0;
    const two = ((turn(a, 2) ^ turn(a, 13) ^ turn(a, 22)) + ((a & b) ^ (a & c) ^ (b & c))) | 0;
    h = g;
    g = f;
    f = e;
    e = (d + one) | 0;
    d = c;
    c = b;
    b = a;
    a = (one + two) | 0;
  }
  [a, b, c, d, e, f, g, h].forEach((word, n) => (state[n] += word));
}
