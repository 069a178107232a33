// The distribution over the next step of each of some drawings; as sketchgen/models/numpy_mixture.py.

import { sigmoid } from "./layers.js";
import { ROW } from "./philox.js";

export const DRAW = 0, LIFT = 1, END = 2;

const CENTRE = 127.5;
const SIGMA_FLOOR = 0.2, SIGMA_CEILING = 2000, SOFTMAX_FLOOR = 1e-4, VARIANCE_FLOOR = 1e-3;
const IMPOSSIBLE = -1e9, MEAN_LIMIT = 4000, RHO_LIMIT = 0.995, PARAMETER_LIMIT = 1e4;
const USUAL_POINTS = 80, HURRY = 1 / 16, BEYOND = 0.5;
const LOG_TWO_PI = Math.log(2 * Math.PI);
const KINDS = ["weight", "mx", "my", "sx", "sy", "rho", "lift"];

const clamp = (value, low, high) => Math.min(Math.max(value, low), high);
const limited = (value) => (Number.isNaN(value) ? 0 : clamp(value, -PARAMETER_LIMIT, PARAMETER_LIMIT));
const logSigmoid = (x) => Math.min(x, 0) - Math.log1p(Math.exp(-Math.abs(x)));

function logSumExp(values, first, count) {
  let greatest = -Infinity, sum = 0;
  for (let n = first; n < first + count; n++) greatest = Math.max(greatest, values[n]);
  for (let n = first; n < first + count; n++) sum += Math.exp(values[n] - greatest);
  return Math.log(sum) + greatest;
}

/**
 * Components of each row: logit of the weight, mean and log deviation in x and y (px, log px), correlation, logit of
 * lifting the pen; and of each row the logit of ending and the number of points.
 */
export class StepDistribution {
  constructor(rows, count) {
    Object.assign(this, { rows, count });
    for (const kind of KINDS) this[kind] = new Float64Array(rows * count);
    this.end = new Float64Array(rows);
    this.points = new Int32Array(rows);
    this.densities = [];
  }

  /**
   * Reads a network's outputs.
   * @param {object} config of the network
   * @param {Float32Array} out outputs of head, sides of the box, and pointers
   * @param {number} width of a row of them
   * @param {import("./decoder.js").Pens} pens
   * @param {boolean} known whether the frame is that of the whole drawing
   * @param {import("./layers.js").Cache | null} cache holds the newest key and place already
   */
  static read(config, out, width, pens, known, cache) {
    const { components, pointers } = config, sides = config.box_components && known ? 4 : 0;
    const targets = pointers && cache ? cache.count : 0, head = headWidth(config);
    const found = new StepDistribution(pens.rows, components + sides + targets);
    for (let row = 0; row < pens.rows; row++) {
      const at = row * found.count, from = row * width;
      found.#components(config, out, from, row, pens);
      if (config.rotated) found.#rotate(at, config.rotated, pens.direction(row));
      if (sides) found.#sides(at, components, out, from + head, pens, row, config.offset_scale);
      if (targets) found.#pointers(at, components + sides, out, from + width, pens, row, cache, pointers);
    }
    return found;
  }

  #components(config, out, from, row, pens) {
    const { components, offset_scale: scale } = config, softmax = config.pen === "softmax";
    const low = Math.log((softmax ? SOFTMAX_FLOOR : SIGMA_FLOOR) / scale), high = Math.log(SIGMA_CEILING / scale);
    const most = Math.min(PARAMETER_LIMIT, MEAN_LIMIT / scale), more = Math.log(scale);
    const kind = (number, n) => out[from + 1 + number * components + n];
    for (let n = 0; n < components; n++) {
      const at = row * this.count + n;
      this.weight[at] = limited(kind(0, n));
      this.mx[at] = clamp(limited(kind(1, n)), -most, most) * scale;
      this.my[at] = clamp(limited(kind(2, n)), -most, most) * scale;
      this.sx[at] = clamp(limited(kind(3, n)), low, high) + more;
      this.sy[at] = clamp(limited(kind(4, n)), low, high) + more;
      const rho = Math.tanh(limited(kind(5, n)));
      this.rho[at] = softmax ? clamp(rho, -RHO_LIMIT, RHO_LIMIT) : rho * RHO_LIMIT;
      this.lift[at] = limited(kind(6, config.pen === "component" ? n : 0));
    }
    let end = limited(out[from]);
    if (softmax) end += logSigmoid(-this.lift[row * this.count]);
    // A drawing ends only with the pen up.
    this.end[row] = pens.pen[row] === LIFT ? end : -Infinity;
    this.points[row] = pens.points[row];
  }

  // The first components stand in the frame of the last offset.
  #rotate(at, count, [cos, sin]) {
    const { mx, my, sx, sy, rho } = this;
    for (let n = at; n < at + count; n++) {
      const x = mx[n], y = my[n];
      mx[n] = cos * x - sin * y;
      my[n] = cos * y + sin * x;
      const a = Math.exp(sx[n]), b = Math.exp(sy[n]), product = rho[n] * a * b, twice = 2 * cos * sin * product;
      const vx = Math.max(cos * cos * a * a + sin * sin * b * b - twice, VARIANCE_FLOOR);
      const vy = Math.max(cos * cos * b * b + sin * sin * a * a + twice, VARIANCE_FLOOR);
      const covariance = cos * sin * (a * a - b * b) + (cos * cos - sin * sin) * product;
      rho[n] = clamp(covariance / Math.sqrt(vx * vy), -RHO_LIMIT, RHO_LIMIT);
      sx[n] = 0.5 * Math.log(vx);
      sy[n] = 0.5 * Math.log(vy);
    }
  }

  // A component at each side of the box, exact across it: left, right, top, bottom.
  #sides(at, first, out, from, pens, row, scale) {
    const total = logSumExp(this.weight, at, first), more = Math.log(scale), across = limited(out[from + 16]);
    for (let side = 0; side < 4; side++) {
      const n = at + first + side, along = clamp(limited(out[from + 4 + side]) * scale, -MEAN_LIMIT, MEAN_LIMIT);
      const spread = limited(out[from + 8 + side]) + more, axis = side >> 1;
      const there = (side % 2 ? CENTRE : -CENTRE) - pens.position[2 * row + axis];
      this.#add(n, limited(out[from + side]) + total, axis ? along : there, axis ? there : along,
        axis ? spread : across, axis ? across : spread, limited(out[from + 12 + side]));
    }
  }

  // A component at each point that is drawn already.
  #pointers(at, first, out, end, pens, row, cache, width) {
    const query = end - 2 * width, shape = query - 4, total = logSumExp(this.weight, at, first);
    const { pointer, point, capacity, count } = cache, scale = 1 / Math.sqrt(width), score = new Float64Array(count);
    for (let n = 0; n < count; n++) {
      // Not the first column, where the pen is at the frame's centre and nothing is drawn.
      const key = (row * capacity + n + 1) * width;
      for (let i = 0; i < width; i++) score[n] += pointer[key + i] * out[query + i];
      score[n] *= scale;
    }
    const sum = logSumExp(score, 0, count), x = pens.position[2 * row], y = pens.position[2 * row + 1];
    for (let n = 0; n < count; n++) {
      const place = 2 * (row * capacity + n + 1), weight = Math.max(score[n] - sum + out[shape], IMPOSSIBLE);
      this.#add(at + first + n, weight + total, point[place] - x, point[place + 1] - y,
        out[shape + 1], out[shape + 2], out[shape + 3]);
    }
  }

  #add(n, weight, x, y, sx, sy, lift) {
    this.weight[n] = weight;
    this.mx[n] = x;
    this.my[n] = y;
    this.sx[n] = clamp(sx, Math.log(SIGMA_FLOOR), Math.log(SIGMA_CEILING));
    this.sy[n] = clamp(sy, Math.log(SIGMA_FLOOR), Math.log(SIGMA_CEILING));
    this.lift[n] = lift;
  }

  /** Some rows, in that order. */
  take(rows) {
    const found = new StepDistribution(rows.length, this.count);
    rows.forEach((row, n) => {
      const part = [row * this.count, (row + 1) * this.count];
      for (const kind of KINDS) found[kind].set(this[kind].subarray(...part), n * this.count);
      found.end[n] = this.end[row];
      found.points[n] = this.points[row];
    });
    return found;
  }

  withoutEnd() {
    this.end.fill(-Infinity);
    return this;
  }

  // What log densities of a row need, made once: inverse deviations, share of x in y, root, constants with the pen down.
  #density(row) {
    if (this.densities[row]) return this.densities[row];
    const { count } = this, found = new Float64Array(5 * count), total = logSumExp(this.weight, row * count, count);
    for (let n = 0, at = row * count; n < count; n++, at++) {
      const root = Math.sqrt(1 - this.rho[at] * this.rho[at]);
      found[5 * n] = Math.exp(-this.sx[at]);
      found[5 * n + 1] = Math.exp(-this.sy[at]) / root;
      found[5 * n + 2] = this.rho[at] / root;
      found[5 * n + 3] = this.weight[at] - total - this.sx[at] - this.sy[at] - Math.log(root) - LOG_TWO_PI;
      found[5 * n + 4] = found[5 * n + 3] + logSigmoid(-this.lift[at]);
    }
    return (this.densities[row] = found);
  }

  #distance(density, row, n, x, y) {
    const at = row * this.count + n, zx = (x - this.mx[at]) * density[5 * n];
    const zy = (y - this.my[at]) * density[5 * n + 1] - density[5 * n + 2] * zx;
    return 0.5 * (zx * zx + zy * zy);
  }

  /** The log density of a step, nats; with pen END a probability, whatever the offset. */
  logProb(row, x, y, pen) {
    const stays = logSigmoid(-this.end[row]);
    if (pen === END) return stays + this.end[row];
    const density = this.#density(row), nats = scratch(this.count);
    for (let n = 0; n < this.count; n++) {
      const lift = pen === LIFT ? this.lift[row * this.count + n] : 0;
      nats[n] = density[5 * n + 4] + lift - this.#distance(density, row, n, x, y);
    }
    return stays + logSumExp(nats, 0, this.count);
  }

  /** The probability that the pen is lifted after a step of this offset. */
  liftProbability(row, x, y) {
    const density = this.#density(row), nats = scratch(this.count);
    for (let n = 0; n < this.count; n++) nats[n] = density[5 * n + 3] - this.#distance(density, row, n, x, y);
    const total = logSumExp(nats, 0, this.count);
    let sum = 0;
    for (let n = 0; n < this.count; n++) sum += Math.exp(nats[n] - total) * sigmoid(this.lift[row * this.count + n]);
    return sum;
  }

  /** Logits of a row's components; with corners they are less likely the farther they lead out of them. */
  weights(row, corners) {
    const part = this.weight.slice(row * this.count, (row + 1) * this.count);
    if (!corners) return part;
    const [left, top, right, bottom] = corners;
    return part.map((weight, n) => {
      const x = this.mx[row * this.count + n], y = this.my[row * this.count + n];
      const beyond = Math.max(left - x, x - right, 0) + Math.max(top - y, y - bottom, 0);
      return weight - BEYOND * beyond;
    });
  }

  /**
   * Draws steps of a row at a temperature, and calls `found(x, y, pen, score)` with each. The weights are raised to
   * 1/T and the variances multiplied by T (Ha and Eck 2017, equation 8); at 0 the heaviest components are taken.
   * @param {number} row
   * @param {Float64Array} noise rows of `ROW` numbers
   * @param {number} temperature
   * @param {number[] | null} corners left, top, right and bottom of what steps stay in, px from the pen
   * @param {(x: number, y: number, pen: number, score: number) => void} found
   */
  sample(row, noise, temperature, corners, found) {
    const weights = this.weights(row, corners), greatest = Math.max(...weights), { count } = this;
    const tell = (n, x, y, from, score) => {
      if (corners) {
        x = clamp(x, corners[0], corners[2]);
        y = clamp(y, corners[1], corners[3]);
      }
      found(x, y, this.#pen(row, n, noise, from, temperature), score);
    };
    if (temperature === 0) {
      const order = Array.from(weights.keys()).sort((a, b) => weights[b] - weights[a] || a - b);
      const total = logSumExp(weights, 0, count);
      for (const n of order.slice(0, noise.length / ROW)) {
        tell(n, this.mx[row * count + n], this.my[row * count + n], 0, weights[n] - total);
      }
      return;
    }
    let sum = 0;
    const reached = weights.map((weight) => (sum += Math.exp((weight - greatest) / temperature)));
    for (let from = 0; from < noise.length; from += ROW) {
      const wanted = noise[from + 1] * sum;
      let n = 0;
      while (n < count - 1 && reached[n] <= wanted) n++;
      const at = row * count + n, rho = this.rho[at], wider = 0.5 * Math.log(temperature);
      const x = this.mx[at] + Math.exp(this.sx[at] + wider) * noise[from + 3];
      const turned = rho * noise[from + 3] + Math.sqrt(1 - rho * rho) * noise[from + 4];
      tell(n, x, this.my[at] + Math.exp(this.sy[at] + wider) * turned, from, gumbel(noise[from + 5]));
    }
  }

  #pen(row, n, noise, from, temperature) {
    // A drawing longer than nearly all is led to an end, the more so the lower the temperature.
    const longer = Math.max(this.points[row] - USUAL_POINTS, 0);
    const penalty = temperature >= 1 ? 0 : HURRY * (1 - temperature) * longer;
    if (noise[from] < sigmoid(this.end[row] + penalty)) return END;
    return noise[from + 2] < sigmoid(this.lift[row * this.count + n] + penalty) ? LIFT : DRAW;
  }
}

export function headWidth({ components, pen }) {
  return (pen === "component" ? 7 * components : 6 * components + 1) + 1;
}

// The largest sum with such noise is one drawn by the exponentials of the scores.
const gumbel = (uniform) => -Math.log(-Math.log(clamp(uniform, 1e-12, 1 - 1e-12)));

let numbers = new Float64Array(128);
function scratch(count) {
  if (numbers.length < count) numbers = new Float64Array(2 * count);
  return numbers;
}
