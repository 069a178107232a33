// Layers of the networks on plain typed arrays, a step of a few rows at a time; as sketchgen/models/numpy_layers.py.
//
// A matrix of rows is a Float32Array, row after row. Sequences are (step, row, unit).

const HEADS = 4;
const CAPACITY = 64;

export const sigmoid = (x) => 0.5 + 0.5 * Math.tanh(0.5 * x);

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

  /** The outputs for some rows. Four rows and two outputs at once: a row's sums do not depend on the others. */
  apply(values, rows, first = 0) {
    const { weight, bias, inputs, outputs } = this, found = new Float32Array(rows * outputs);
    let row = 0;
    for (; row + 4 <= rows; row += 4) this.#four(values, first + row * inputs, found, row * outputs);
    for (; row < rows; row++) this.#one(values, first + row * inputs, found, row * outputs);
    return found;
  }

  // Four outputs at once.
  #one(values, a, found, at) {
    const { weight, bias, inputs, outputs } = this, last = outputs - 1;
    for (let o = 0; o < outputs; o += 4) {
      let s = 0, t = 0, u = 0, v = 0;
      // Beyond the last output the last one is made again.
      const p = o * inputs, q = Math.min(o + 1, last) * inputs;
      const r = Math.min(o + 2, last) * inputs, k = Math.min(o + 3, last) * inputs;
      for (let i = 0; i < inputs; i++) {
        const value = values[a + i];
        s += weight[p + i] * value;
        t += weight[q + i] * value;
        u += weight[r + i] * value;
        v += weight[k + i] * value;
      }
      found[at + o] = bias ? s + bias[o] : s;
      if (o + 1 < outputs) found[at + o + 1] = bias ? t + bias[o + 1] : t;
      if (o + 2 < outputs) found[at + o + 2] = bias ? u + bias[o + 2] : u;
      if (o + 3 < outputs) found[at + o + 3] = bias ? v + bias[o + 3] : v;
    }
  }

  #four(values, a, found, at) {
    const { weight, bias, inputs, outputs } = this, b = a + inputs, c = b + inputs, d = c + inputs;
    const two = at + outputs, three = two + outputs, four = three + outputs;
    let o = 0;
    for (; o + 1 < outputs; o += 2) {
      let s0 = 0, s1 = 0, s2 = 0, s3 = 0, t0 = 0, t1 = 0, t2 = 0, t3 = 0;
      const k = o * inputs, l = k + inputs;
      for (let i = 0; i < inputs; i++) {
        const v = weight[k + i], u = weight[l + i];
        const w = values[a + i], x = values[b + i], y = values[c + i], z = values[d + i];
        s0 += v * w;
        s1 += v * x;
        s2 += v * y;
        s3 += v * z;
        t0 += u * w;
        t1 += u * x;
        t2 += u * y;
        t3 += u * z;
      }
      const p = bias ? bias[o] : 0, q = bias ? bias[o + 1] : 0;
      found[at + o] = s0 + p;
      found[two + o] = s1 + p;
      found[three + o] = s2 + p;
      found[four + o] = s3 + p;
      found[at + o + 1] = t0 + q;
      found[two + o + 1] = t1 + q;
      found[three + o + 1] = t2 + q;
      found[four + o + 1] = t3 + q;
    }
    if (o < outputs) {
      [[a, at], [b, two], [c, three], [d, four]].forEach(([from, to]) => {
        let sum = 0;
        for (let i = 0, k = o * inputs; i < inputs; i++) sum += weight[k + i] * values[from + i];
        found[to + o] = bias ? sum + bias[o] : sum;
      });
    }
  }
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
    for (let i = 0; i < read.length; i++) read[i] = inputs[i] + lookBack[i % width] * before[i];
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
