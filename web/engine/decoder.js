// The stroke model: reads a given part, and goes on from it; as sketchgen/models/numpy_stroke_model.py.

import { Cache, Linear, makeLayer, SelfAttention, sigmoid, takeRows } from "./layers.js";
import { DRAW, END, headWidth, StepDistribution } from "./mixture.js";

const CENTRE = 127.5, POSITION_SCALE = 64, LENGTH_SCALE = 4, NEAR = 200;
const INPUTS = { offsets: [0, 1, 7, 8, 9], moves: [0, 1, 7, 8, 9] };
const FEATURES = { full: 11, directed: 14, bounded: 18 };
const PARTS = { offset: 2, position: 2, start: 2, low: 2, high: 2, pen: 1, points: 1 };

/** Where the pens are after a step; lengths are px from the frame's centre. */
export class Pens {
  constructor(rows) {
    this.rows = rows;
    for (const [name, width] of Object.entries(PARTS)) {
      this[name] = new (width === 2 ? Float64Array : Int32Array)(rows * width);
    }
    this.pen.fill(END);
  }

  /** After one more step; one with pen END before the first point changes nothing. */
  advanced(offset, pen) {
    const next = new Pens(this.rows);
    next.offset.set(offset);
    next.pen.set(pen);
    for (let i = 0; i < 2 * this.rows; i++) {
      const row = i >> 1, at = this.position[i] + offset[i], first = this.pen[row] === END;
      next.position[i] = at;
      next.start[i] = this.pen[row] === DRAW ? this.start[i] : at;
      // Before the first point the pen is at the frame's centre, which is no part of the drawing.
      next.low[i] = first ? at : Math.min(this.low[i], at);
      next.high[i] = first ? at : Math.max(this.high[i], at);
    }
    for (let row = 0; row < this.rows; row++) next.points[row] = this.points[row] + (pen[row] === END ? 0 : 1);
    return next;
  }

  take(rows) {
    const found = new Pens(rows.length);
    for (const [name, width] of Object.entries(PARTS)) found[name] = takeRows(this[name], width, rows);
    return found;
  }

  /** Direction of the last offset, of length 1; to the right where the pen did not move. */
  direction(row) {
    const x = this.offset[2 * row], y = this.offset[2 * row + 1], length = Math.sqrt(x * x + y * y);
    return length > 0 ? [x / Math.max(length, 1e-9), y / Math.max(length, 1e-9)] : [1, 0];
  }

  /** What the network reads of each row. */
  features({ inputs, offset_scale: scale }, known) {
    const columns = INPUTS[inputs], width = columns ? columns.length : FEATURES[inputs];
    const found = new Float32Array(this.rows * width);
    for (let row = 0; row < this.rows; row++) {
      const all = this.#features(row, scale, known);
      if (inputs === "moves" && this.pen[row] !== END && this.#spot(row)) continue;
      for (let n = 0; n < width; n++) found[row * width + n] = all[columns ? columns[n] : n];
    }
    return found;
  }

  #features(row, scale, known) {
    const i = 2 * row, { offset, position, start, low, high } = this, pen = this.pen[row];
    const x = position[i] - start[i], y = position[i + 1] - start[i + 1];
    const square = offset[i] * offset[i] + offset[i + 1] * offset[i + 1];
    return [
      offset[i] / scale, offset[i + 1] / scale,
      position[i] / POSITION_SCALE, position[i + 1] / POSITION_SCALE,
      x / POSITION_SCALE, y / POSITION_SCALE, Math.exp((x * x + y * y) / -NEAR),
      ...[0, 1, 2].map((each) => Number(pen === each)), Number(known),
      ...this.direction(row), Math.log1p(square) / LENGTH_SCALE,
      (low[i] + CENTRE) / POSITION_SCALE, (low[i + 1] + CENTRE) / POSITION_SCALE,
      (CENTRE - high[i]) / POSITION_SCALE, (CENTRE - high[i + 1]) / POSITION_SCALE,
    ];
  }

  #spot(row) {
    const { low, high } = this;
    return low[2 * row] === high[2 * row] && low[2 * row + 1] === high[2 * row + 1];
  }
}

/** What `Decoder.advance` goes on from. */
class State {
  constructor(layers, pens, bias, known, cache) {
    Object.assign(this, { layers, pens, bias, known, cache });
  }

  take(rows, stack) {
    const layers = this.layers.map((parts, n) => parts.map((part, k) => takeRows(part, stack[n].widths[k], rows)));
    const bias = takeRows(this.bias, this.bias.length / this.pens.rows, rows);
    return new State(layers, this.pens.take(rows), bias, this.known, this.cache && this.cache.take(rows));
  }
}

/**
 * @typedef {object} Given the given part as the network reads it
 * @property {Float64Array} offset px; the first is counted from the frame's centre
 * @property {Int32Array} pen after each point
 * @property {boolean} known whether the frame is that of the whole drawing
 */

export class Decoder {
  /** @param {object} config the network's, from model.json @param {Map} weights */
  constructor(config, weights) {
    this.config = config;
    const { cell, layers } = config;
    this.nothing = weights.get("encoder.nothing").data;
    const sides = config.encoder_width ? ["forwards", "backwards"] : [];
    this.encoder = sides.map((side) => makeLayer(cell, weights, `encoder.${side}`));
    this.project = sides.length ? Linear.of(weights, "encoder.project") : null;
    this.entry = Linear.of(weights, "read");
    this.category = weights.get("category.weight").data;
    this.stack = Array.from({ length: layers }, (_, n) => makeLayer(cell, weights, `stack.layers.${n}`));
    this.attention = config.self_attention ? new SelfAttention(weights) : null;
    // One product for all that reads the layers' outputs.
    const names = ["head", ...(config.box_components ? ["border"] : [])];
    if (config.pointers) names.push("pointer.shape", "pointer.query", "pointer.key");
    this.out = Linear.of(weights, ...names);
    this.key = this.out.last(config.pointers);
    this.head = headWidth(config);
  }

  take(state, rows) {
    return state.take(rows, this.stack);
  }

  /**
   * Reads a given part but for its last point, after which its last stroke ends or goes on.
   * @param {Given} given
   * @param {number[]} categories index of each under which it is read, or that of "any"
   */
  read(given, categories) {
    const before = Math.max(given.pen.length - 1, 0), batch = categories.length, { config, nothing } = this;
    const pens = [new Pens(1)];
    for (let n = 0; n < before; n++) pens.push(pens[n].advanced(given.offset.subarray(2 * n, 2 * n + 2), [given.pen[n]]));
    const features = pens.map((each) => each.features(config, given.known));
    const { self_attention: attention, pointers } = config;
    const widths = { key: attention, value: attention, pointer: pointers, point: 2 };
    const cache = attention || pointers ? new Cache(batch, widths) : null;
    const bias = this.#told(categories, nothing), none = Array(batch).fill(0);
    let layers = this.stack.map((layer) => layer.begin(batch));
    if (before) {
      const read = joined(features.slice(0, -1)), every = Array.from({ length: before * batch }, (_, n) => Math.floor(n / batch));
      const rows = takeRows(read, read.length / before, every);
      layers = this.#replay(this.#enter(rows, joined(Array(before).fill(bias)), before * batch), pens, cache, before, batch);
    }
    return { given, categories, features, state: new State(layers, pens[before].take(none), bias, given.known, cache) };
  }

  /** The distribution of the last given point, under one of the categories that were read. */
  last({ categories, features, state }, category) {
    const row = categories.indexOf(category), code = features.length > 1 ? this.#code(features.slice(1), 1) : this.nothing;
    const one = this.take(state, [row]);
    one.bias = this.#told([category], code);
    return this.#next(one).step;
  }

  /**
   * Returns the distribution of the first step after the given part, and the state for `advance`.
   * @param {object} reading from `read`
   * @param {number[]} category of each row
   * @param {boolean[]} goingOn whether each goes on with the last given stroke
   * @returns {{step: StepDistribution, state: State}}
   */
  first({ given, categories, features, state }, category, goingOn) {
    // Rows that differ neither in category nor in going on are read once.
    const kinds = [], rows = category.map((each, row) => {
      const kind = 2 * each + Number(goingOn[row]), known = kinds.indexOf(kind);
      return known < 0 ? kinds.push(kind) - 1 : known;
    });
    const own = this.take(state, kinds.map((kind) => categories.indexOf(kind >> 1))), { known } = given, count = given.pen.length;
    let { layers, pens } = own, code = this.nothing;
    if (count) {
      ({ layers, pens } = this.#next(own).state);
      const offset = new Float64Array(2 * kinds.length).map((_, i) => given.offset[2 * count - 2 + (i & 1)]);
      pens = pens.advanced(offset, kinds.map((kind) => (kind & 1 ? DRAW : given.pen[count - 1])));
      code = this.#codes(features, pens, kinds, known);
    }
    const found = this.#next(new State(layers, pens, this.#told(kinds.map((kind) => kind >> 1), code), known, own.cache));
    return { step: found.step.take(rows), state: this.take(found.state, rows) };
  }

  // The codes of whole given parts, which differ by whether their last stroke goes on.
  #codes(features, pens, kinds, known) {
    if (!this.project) return this.nothing;
    const ends = [...new Set(kinds.map((kind) => kind & 1))], every = ends.map((end) => kinds.findIndex((kind) => (kind & 1) === end));
    const last = pens.take(every).features(this.config, known), again = features.slice(1).map((each) => joined(ends.map(() => each)));
    const code = this.#code([...again, last], ends.length);
    return takeRows(code, this.config.embedding, kinds.map((kind) => (ends.length > 1 ? ends.indexOf(kind & 1) : 0)));
  }

  // What is added to each input: the category of each row, and the code of one part or of each row's.
  #told(categories, code) {
    const { embedding } = this.config;
    return new Float32Array(categories.length * embedding).map((_, i) => {
      const unit = i % embedding, row = (i - unit) / embedding;
      return this.category[categories[row] * embedding + unit] + code[code.length > embedding ? i : unit];
    });
  }

  #code(features, batch) {
    if (!this.project) return this.nothing;
    const count = features.length, width = this.encoder[0].width;
    const ends = [features, [...features].reverse()].map((steps, side) => {
      const [outputs] = this.encoder[side].run(joined(steps), count, batch);
      return outputs.subarray((count - 1) * batch * width);
    });
    return this.project.apply(beside(ends, [width, width], batch), batch);
  }

  // The layers' states after the given steps; the cache is filled.
  #replay(inputs, pens, cache, count, batch) {
    const states = [], outputs = [];
    if (cache) cache.reserve(count + 1);
    this.stack.forEach((layer, number) => {
      const [found, state] = layer.run(inputs, count, batch);
      states.push(state);
      outputs.push(found);
      inputs = found;
      if (this.attention && number === 0) inputs = sum(found, this.attention.run(found, count, batch, cache));
    });
    if (!cache) return states;
    const { pointers } = this.config, keys = pointers ? this.key.apply(this.#beside(outputs, count * batch), count * batch) : null;
    for (let n = 0; n < count; n++) {
      for (let row = 0; row < batch; row++) {
        cache.put("point", row, n, pens[n].position, 0);
        if (keys) cache.put("pointer", row, n, keys, (n * batch + row) * pointers);
      }
    }
    cache.count = count;
    return states;
  }

  #beside(outputs, rows) {
    return beside(outputs, this.stack.map((layer) => layer.width), rows);
  }

  #enter(features, bias, rows) {
    const entered = this.entry.apply(features, rows);
    for (let i = 0; i < entered.length; i++) {
      const value = entered[i] + bias[i];
      entered[i] = value * sigmoid(value);
    }
    return entered;
  }

  /** Takes one step (px, pen) of each row; the old state must not be gone on from: both share their cache. */
  advance(offset, pen, state) {
    return this.#next(new State(state.layers, state.pens.advanced(offset, pen), state.bias, state.known, state.cache));
  }

  #next({ layers, pens, bias, known, cache }) {
    const { config } = this, { rows } = pens, states = [], outputs = [], { pointers } = config;
    if (cache) {
      cache.reserve(1);
      for (let row = 0; row < rows; row++) cache.put("point", row, cache.count, pens.position, 2 * row);
    }
    let hidden = this.#enter(pens.features(config, known), bias, rows);
    this.stack.forEach((layer, number) => {
      const [found, state] = layer.step(hidden, layers[number], rows);
      states.push(state);
      outputs.push(found);
      hidden = found;
      if (this.attention && number === 0) hidden = sum(found, this.attention.step(found, rows, cache));
    });
    const out = this.out.apply(this.#beside(outputs, rows), rows), width = this.out.outputs;
    if (pointers) for (let row = 0; row < rows; row++) cache.put("pointer", row, cache.count, out, (row + 1) * width - pointers);
    const step = StepDistribution.read(config, out, width, pens, known, cache);
    if (cache) cache.count++;
    return { step, state: new State(states, pens, bias, known, cache) };
  }
}

function joined(parts) {
  const found = new Float32Array(parts.length * parts[0].length);
  parts.forEach((part, n) => found.set(part, n * part.length));
  return found;
}

function beside(parts, widths, rows) {
  if (parts.length === 1) return parts[0];
  const width = widths.reduce((one, two) => one + two), found = new Float32Array(rows * width);
  for (let row = 0, at = 0; row < rows; row++) {
    parts.forEach((part, n) => {
      found.set(part.subarray(row * widths[n], (row + 1) * widths[n]), at);
      at += widths[n];
    });
  }
  return found;
}

const sum = (one, two) => one.map((value, i) => value + two[i]);
