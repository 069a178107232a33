// Random numbers as numpy's Generator(Philox(key=[seed, index])) makes them, bit for bit.
//
// Philox 4x64-10: Salmon et al. 2011, "Parallel random numbers: as easy as 1, 2, 3". Normal numbers by the ziggurat of
// Marsaglia and Tsang 2000 with 256 layers. A word of 64 bits is a pair of 32, the lower one first.

const ROUNDS = 10, TWO_32 = 2 ** 32;
const M0_LOW = 0xe14c6c93, M0_HIGH = 0xd2e7470e, M1_LOW = 0x95121157, M1_HIGH = 0xca5a8263;
const W0_LOW = 0x7f4a7c15, W0_HIGH = 0x9e3779b9, W1_LOW = 0x84caa73b, W1_HIGH = 0xbb67ae85;

const LAYERS = 256, START = 3.6541528853610088, AREA = 0.004928673233974658;
const { edges, widths, heights } = ziggurat();

/** Steps whose noise is made at once: all their uniform numbers come before their normal ones. */
const NOISE_STEPS = 32;

/** Numbers in a row of noise: uniform ones for end, component and lift, two normal ones, and a uniform one more. */
export const ROW = 6;

function highOf(a, b) {
  const al = a & 0xffff, ah = a >>> 16, bl = b & 0xffff, bh = b >>> 16;
  const t = ah * bl + ((al * bl) >>> 16), u = al * bh + (t & 0xffff);
  return ah * bh + (t >>> 16) + (u >>> 16);
}

export class Philox {
  /**
   * @param {number} seed first half of the key, a whole number up to 2^53
   * @param {number} index second half
   * @param {boolean} far begin 2^128 blocks later, where no other use of the key ever gets
   */
  constructor(seed, index, far = false) {
    this.key = Uint32Array.of(seed % TWO_32, Math.floor(seed / TWO_32), index % TWO_32, Math.floor(index / TWO_32));
    this.counter = new Uint32Array(8);
    this.counter[4] = far ? 1 : 0;
    this.block = new Uint32Array(8);
    this.at = 8;
    this.low = this.high = 0;
  }

  #refill() {
    const { counter, block } = this;
    for (let n = 0; n < 8 && !(counter[n] = (counter[n] + 1) >>> 0); n++);
    block.set(counter);
    let k0 = this.key[0], k1 = this.key[1], k2 = this.key[2], k3 = this.key[3];
    for (let round = 0; round < ROUNDS; round++) {
      const a0 = block[0], a1 = block[1], b0 = block[2], b1 = block[3];
      const c0 = block[4], c1 = block[5], d0 = block[6], d1 = block[7];
      let s = highOf(M0_LOW, a0) + (Math.imul(M0_LOW, a1) >>> 0) + (Math.imul(M0_HIGH, a0) >>> 0);
      const x0 = Math.imul(M0_LOW, a0) >>> 0, x1 = s >>> 0;
      s = highOf(M0_LOW, a1) + highOf(M0_HIGH, a0) + (Math.imul(M0_HIGH, a1) >>> 0) + Math.floor(s / TWO_32);
      const x2 = s >>> 0, x3 = (highOf(M0_HIGH, a1) + Math.floor(s / TWO_32)) >>> 0;
      s = highOf(M1_LOW, c0) + (Math.imul(M1_LOW, c1) >>> 0) + (Math.imul(M1_HIGH, c0) >>> 0);
      const y0 = Math.imul(M1_LOW, c0) >>> 0, y1 = s >>> 0;
      s = highOf(M1_LOW, c1) + highOf(M1_HIGH, c0) + (Math.imul(M1_HIGH, c1) >>> 0) + Math.floor(s / TWO_32);
      const y2 = s >>> 0, y3 = (highOf(M1_HIGH, c1) + Math.floor(s / TWO_32)) >>> 0;
      block[0] = y2 ^ b0 ^ k0;
      block[1] = y3 ^ b1 ^ k1;
      block[2] = y0;
      block[3] = y1;
      block[4] = x2 ^ d0 ^ k2;
      block[5] = x3 ^ d1 ^ k3;
      block[6] = x0;
      block[7] = x1;
      s = k0 + W0_LOW;
      k1 = (k1 + W0_HIGH + (s >= TWO_32 ? 1 : 0)) >>> 0;
      k0 = s >>> 0;
      s = k2 + W1_LOW;
      k3 = (k3 + W1_HIGH + (s >= TWO_32 ? 1 : 0)) >>> 0;
      k2 = s >>> 0;
    }
    this.at = 0;
  }

  #next() {
    if (this.at === 8) this.#refill();
    this.low = this.block[this.at++];
    this.high = this.block[this.at++];
  }

  /** A number in [0, 1). */
  uniform() {
    this.#next();
    return (this.high * 2097152 + (this.low >>> 11)) / 9007199254740992;
  }

  /** A standard normal number. */
  normal() {
    for (;;) {
      this.#next();
      const { low, high } = this, layer = low & 0xff, whole = (high & 0x1fffffff) * 8388608 + (low >>> 9);
      const x = low & 0x100 ? -whole * widths[layer] : whole * widths[layer];
      if (whole < edges[layer]) return x;
      if (layer === 0) {
        for (;;) {
          const beyond = -Math.log1p(-this.uniform()) / START, y = -Math.log1p(-this.uniform());
          if (y + y > beyond * beyond) return low & 0x20000 ? -(START + beyond) : START + beyond;
        }
      }
      const height = (heights[layer - 1] - heights[layer]) * this.uniform() + heights[layer];
      if (height < Math.exp(-0.5 * x * x)) return x;
    }
  }
}

function ziggurat() {
  const edges = new Float64Array(LAYERS), widths = new Float64Array(LAYERS), heights = new Float64Array(LAYERS);
  const most = 2 ** 52, base = AREA / Math.exp(-0.5 * START * START);
  let outer = START, inner = START;
  edges[0] = Math.floor((START / base) * most);
  widths[0] = base / most;
  heights[0] = 1;
  widths[LAYERS - 1] = START / most;
  heights[LAYERS - 1] = Math.exp(-0.5 * START * START);
  for (let n = LAYERS - 2; n > 0; n--) {
    inner = Math.sqrt(-2 * Math.log(AREA / inner + Math.exp(-0.5 * inner * inner)));
    edges[n + 1] = Math.floor((inner / outer) * most);
    outer = inner;
    heights[n] = Math.exp(-0.5 * inner * inner);
    widths[n] = inner / most;
  }
  return { edges, widths, heights };
}

/** The noise of one drawing, a step after the other; see `noise_blocks` in sketchgen/completion/sampler.py. */
export class Noise {
  /**
   * @param {number} seed
   * @param {number} index of the drawing
   * @param {number} candidates rows a step
   */
  constructor(seed, index, candidates) {
    this.random = new Philox(seed, index);
    this.candidates = candidates;
    this.rows = new Float64Array(NOISE_STEPS * candidates * ROW);
    this.step = NOISE_STEPS;
  }

  /** The rows of the next step, valid until the next call; `ROW` numbers each. */
  next() {
    const { rows, random, candidates } = this;
    if (this.step === NOISE_STEPS) {
      const uniforms = candidates === 1 ? 3 : 4;
      for (let first = 0; first < rows.length; first += ROW) {
        for (let n = 0; n < uniforms; n++) rows[first + (n === 3 ? 5 : n)] = random.uniform();
      }
      for (let first = 0; first < rows.length; first += ROW) {
        rows[first + 3] = random.normal();
        rows[first + 4] = random.normal();
      }
      this.step = 0;
    }
    const each = candidates * ROW;
    return rows.subarray(this.step * each, ++this.step * each);
  }
}

/** A number in [0, 1) for a drawing, independent of its noise. */
export const firstNumber = (seed, index) => new Philox(seed, index, true).uniform();
