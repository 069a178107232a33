// Layers of the networks on plain typed arrays, a step of a few rows at a time; as sketchgen/models/numpy_layers.py.
//
// A matrix of rows is a Float32Array, row after row. Sequences are (step, row, unit).

const HEADS = 4;
const CAPACITY = 64;

export const sigmoid = (x) => 1 / (1 + Math.exp(-x));

/** Some rows of a matrix, in that order. */
export function takeRows(values, width, rows) {
  const found = new values.constructor(rows.length * width);
  rows.forEach((row, n) => found.set(values.subarray(row * width, (row + 1) * width), n * width));
  return found;
}

export class Linear {
  /**
   * @param {Float32Array} weight a row for each output
   * @param {Float32Array | null} bias
   * @param {number} inputs
   */
  constructor(weight, bias, inputs) {
    Object.assign(this, { weight, bias, inputs, outputs: weight.length / inputs });
  }

  /** Several layers of these names, which read the same, as one. */
  static of(weights, ...names) {
    const join = (part) => {
      const each = names.map((name) => weights.get(`${name}.${part}`).data);
      const found = new Float32Array(each.reduce((sum, one) => sum + one.length, 0));
      each.reduce((first, one) => (found.set(one, first), first + one.length), 0);
      return found;
    };
    return new Linear(join("weight"), join("bias"), weights.get(`${names[0]}.weight`).shape[1]);
  }

  /** The last outputs alone. */
  last(count) {
    const { weight, bias, inputs, outputs } = this, first = outputs - count;
    return new Linear(weight.subarray(first * inputs), bias.subarray(first), inputs);
  }

  /** The outputs for some rows; a row's sums do not depend on the others. */
  apply(values, rows, first = 0) {
    const found = new Float32Array(rows * this.outputs), input = room(rows * this.inputs);
    // Numbers are converted to doubles once, not in each of the sums.
    input.set(values.subarray(first, first + rows * this.inputs));
    if (rows === 1) this.#one(input, found);
    else this.#pairs(input, rows, found);
    return found;
  }

  // Four outputs at once; beyond the last one, that one again.
  #one(input, found) {
    const { weight, bias, inputs, outputs } = this, last = outputs - 1;
    for (let o = 0; o < outputs; o += 4) {
      const o1 = Math.min(o + 1, last), o2 = Math.min(o + 2, last), o3 = Math.min(o + 3, last);
      const k = o * inputs, l = o1 * inputs, m = o2 * inputs, n = o3 * inputs;
      let s0 = 0, s1 = 0, s2 = 0, s3 = 0;
      for (let i = 0; i < inputs; i++) {
        const value = input[i];
        s0 += weight[k + i] * value;
        s1 += weight[l + i] * value;
        s2 += weight[m + i] * value;
        s3 += weight[n + i] * value;
      }
      found[o3] = s3 + (bias ? bias[o3] : 0);
      found[o2] = s2 + (bias ? bias[o2] : 0);
      found[o1] = s1 + (bias ? bias[o1] : 0);
      found[o] = s0 + (bias ? bias[o] : 0);
    }
  }

  // Two rows and four outputs at once: as many sums as a processor has room for.
  #pairs(input, rows, found) {
    const { weight, bias, inputs, outputs } = this, last = outputs - 1, l = inputs, m = l + inputs, n = m + inputs;
    if (tile.length < 4 * inputs) tile = new Float64Array(4 * inputs);
    const four = tile;
    for (let o = 0; o < outputs; o += 4) {
      const o1 = Math.min(o + 1, last), o2 = Math.min(o + 2, last), o3 = Math.min(o + 3, last);
      const p = bias ? bias[o] : 0, q = bias ? bias[o1] : 0, r = bias ? bias[o2] : 0, t = bias ? bias[o3] : 0;
      four.set(weight.subarray(o * inputs, (o + 4) * inputs));
      for (let row = 0; row < rows; row += 2) {
        const other = Math.min(row + 1, rows - 1), a = row * inputs, b = other * inputs, at = row * outputs, to = other * outputs;
        let s0 = 0, s1 = 0, s2 = 0, s3 = 0, t0 = 0, t1 = 0, t2 = 0, t3 = 0;
        for (let i = 0; i < inputs; i++) {
          const x = input[a + i], y = input[b + i], u = four[i], v = four[l + i], w = four[m + i], z = four[n + i];
          s0 += u * x;
          t0 += u * y;
          s1 += v * x;
          t1 += v * y;
          s2 += w * x;
          t2 += w * y;
          s3 += z * x;
          t3 += z * y;
        }
        found[at + o3] = s3 + t;
        found[at + o2] = s2 + r;
        found[at + o1] = s1 + q;
        found[at + o] = s0 + p;
        found[to + o3] = t3 + t;
        found[to + o2] = t2 + r;
        found[to + o1] = t1 + q;
        found[to + o] = t0 + p;
      }
    }
  }
}

let input = new Float64Array(0), tile = new Float64Array(0);

// Room for the inputs of one product.
function room(count) {
  if (input.length < count) input = new Float64Array(2 * count);
  return input;
}

/** Hochreiter and Schmidhuber 1997 with the forget gate of Gers et al. 2000; gates in torch's order. */
export class Lstm {
  constructor(weights, name) {
    const inputs = weights.get(`${name}.weight_ih_l0`), recurrent = weights.get(`${name}.weight_hh_l0`);
    const other = weights.get(`${name}.bias_hh_l0`).data;
    const bias = weights.get(`${name}.bias_ih_l0`).data.map((value, n) => value + other[n]);
    this.width = recurrent.shape[1];
    this.widths = [this.width, this.width];
    this.inputs = new Linear(inputs.data, bias, inputs.shape[1]);
    this.recurrent = new Linear(recurrent.data, null, this.width);
  }

  begin(rows) {
    return this.widths.map((width) => new Float32Array(rows * width));
  }

  step(inputs, state, rows) {
    const after = this.#next(this.inputs.apply(inputs, rows), 0, state, rows);
    return [after[0], after];
  }

  /** Outputs of some steps from the beginning, and the state after them. */
  run(inputs, count, rows) {
    const projected = this.inputs.apply(inputs, count * rows), each = rows * this.width;
    const outputs = new Float32Array(count * each);
    let state = this.begin(rows);
    for (let n = 0; n < count; n++) {
      state = this.#next(projected, n * 4 * each, state, rows);
      outputs.set(state[0], n * each);
    }
    return [outputs, state];
  }

  #next(projected, first, [hidden, cell], rows) {
    const { width } = this, gates = this.recurrent.apply(hidden, rows);
    const after = new Float32Array(rows * width), kept = new Float32Array(rows * width);
    for (let row = 0; row < rows; row++) {
      for (let n = 0, i = row * 4 * width, at = row * width; n < width; n++, i++, at++) {
        const enter = sigmoid(gates[i] + projected[first + i]);
        const forget = sigmoid(gates[i + width] + projected[first + i + width]);
        const candidate = Math.tanh(gates[i + 2 * width] + projected[first + i + 2 * width]);
        const leave = sigmoid(gates[i + 3 * width] + projected[first + i + 3 * width]);
        kept[at] = forget * cell[at] + enter * candidate;
        after[at] = leave * Math.tanh(kept[at]);
      }
    }
    return [after, kept];
  }
}

/** A gated linear recurrence; see `Gated` in sketchgen/models/layers.py. */
export class Gated {
  constructor(weights, name) {
    this.lookBack = weights.get(`${name}.look_back`).data;
    this.gates = Linear.of(weights, `${name}.gates`);
    this.width = this.gates.outputs / 3;
    this.widths = [this.width, this.lookBack.length];
    this.adds = this.width === this.lookBack.length;
  }

  begin(rows) {
    return this.widths.map((width) => new Float32Array(rows * width));
  }

  step(inputs, [hidden, before], rows) {
    const gates = this.#read(inputs, before, rows);
    const after = new Float32Array(rows * this.width), output = new Float32Array(rows * this.width);
    this.#next(gates, 0, inputs, 0, hidden, after, output, 0, rows);
    return [output, [after, inputs]];
  }

  run(inputs, count, rows) {
    const each = rows * this.lookBack.length, size = rows * this.width;
    const before = new Float32Array(inputs.length);
    before.set(inputs.subarray(0, inputs.length - each), each);
    const gates = this.#read(inputs, before, count * rows), outputs = new Float32Array(count * size);
    let hidden = new Float32Array(size);
    for (let n = 0; n < count; n++) {
      const after = new Float32Array(size);
      this.#next(gates, n * 3 * size, inputs, n * each, hidden, after, outputs, n * size, rows);
      hidden = after;
    }
    return [outputs, [hidden, inputs.slice((count - 1) * each)]];
  }

  #read(inputs, before, rows) {
    const { lookBack } = this, width = lookBack.length, read = new Float32Array(inputs.length);
    for (let row = 0, i = 0; row < rows; row++) for (let n = 0; n < width; n++, i++) read[i] = inputs[i] + lookBack[n] * before[i];
    return this.gates.apply(read, rows);
  }

  #next(gates, first, inputs, input, hidden, after, output, out, rows) {
    const { width, adds } = this;
    for (let row = 0; row < rows; row++) {
      for (let n = 0, i = first + row * 3 * width, at = row * width; n < width; n++, i++, at++) {
        const leave = gates[i + width];
        after[at] = hidden[at] + sigmoid(gates[i]) * (gates[i + 2 * width] - hidden[at]);
        output[out + at] = leave * sigmoid(leave) * after[at] + (adds ? inputs[input + at] : 0);
      }
    }
  }
}

export function makeLayer(cell, weights, name) {
  if (cell === "lstm") return new Lstm(weights, name);
  if (cell === "gated") return new Gated(weights, name);
  throw new Error(`networks of ${cell} cells cannot draw here; export a checkpoint of lstm or gated cells`);
}

/** What is kept of the steps so far: keys and values of the attention, keys and places of the points. */
export class Cache {
  /** @param {{key: number, value: number, pointer: number, point: number}} widths */
  constructor(rows, widths, capacity = CAPACITY) {
    Object.assign(this, { rows, widths, capacity, count: 0 });
    for (const [name, width] of Object.entries(widths)) {
      this[name] = new (name === "point" ? Float64Array : Float32Array)(rows * capacity * width);
    }
  }

  /** Makes room for so many further steps. */
  reserve(steps) {
    if (this.count + steps <= this.capacity) return;
    const capacity = Math.max(2 * this.capacity, this.count + steps);
    this.#resize(Array.from({ length: this.rows }, (_, row) => row), capacity);
  }

  take(rows) {
    const found = Object.assign(new Cache(0, this.widths), this);
    found.#resize(rows, this.capacity);
    return found;
  }

  put(name, row, column, values, first) {
    const width = this.widths[name];
    this[name].set(values.subarray(first, first + width), (row * this.capacity + column) * width);
  }

  #resize(rows, capacity) {
    for (const [name, width] of Object.entries(this.widths)) {
      const old = this[name], fresh = new old.constructor(rows.length * capacity * width);
      rows.forEach((row, n) => {
        const first = row * this.capacity * width;
        fresh.set(old.subarray(first, first + this.count * width), n * capacity * width);
      });
      this[name] = fresh;
    }
    Object.assign(this, { rows: rows.length, capacity });
  }
}

/** Attention of each step to itself and all earlier ones: Vaswani et al. 2017, section 3.2. */
export class SelfAttention {
  constructor(weights) {
    this.asked = Linear.of(weights, ...["query", "key", "value"].map((name) => `stack.recall.${name}`));
    this.out = Linear.of(weights, "stack.recall.out");
    this.inner = this.asked.outputs / 3;
  }

  step(outputs, rows, cache) {
    const asked = this.asked.apply(outputs, rows), found = new Float32Array(rows * this.inner);
    for (let row = 0; row < rows; row++) this.#attend(asked, row, row, cache, cache.count, found);
    return this.out.apply(found, rows);
  }

  run(outputs, count, rows, cache) {
    const asked = this.asked.apply(outputs, count * rows), found = new Float32Array(count * rows * this.inner);
    for (let n = 0; n < count; n++) {
      for (let row = 0; row < rows; row++) this.#attend(asked, n * rows + row, row, cache, n, found);
    }
    return this.out.apply(found, count * rows);
  }

  // Puts key and value of a step into the cache, and writes what the step attends to.
  #attend(asked, place, row, cache, column, found) {
    const { inner } = this, width = inner / HEADS, first = place * 3 * inner, scale = 1 / Math.sqrt(width);
    cache.put("key", row, column, asked, first + inner);
    cache.put("value", row, column, asked, first + 2 * inner);
    const { key, value, capacity } = cache, share = new Float64Array(column + 1);
    for (let head = 0; head < HEADS; head++) {
      const query = first + head * width, out = place * inner + head * width;
      let greatest = -Infinity, sum = 0;
      for (let n = 0; n <= column; n++) {
        const at = (row * capacity + n) * inner + head * width;
        let score = 0;
        for (let i = 0; i < width; i++) score += asked[query + i] * key[at + i];
        share[n] = score * scale;
        greatest = Math.max(greatest, share[n]);
      }
      for (let n = 0; n <= column; n++) sum += share[n] = Math.exp(share[n] - greatest);
      for (let n = 0; n <= column; n++) {
        const at = (row * capacity + n) * inner + head * width, part = share[n] / sum;
        for (let i = 0; i < width; i++) found[out + i] += part * value[at + i];
      }
    }
  }
}
