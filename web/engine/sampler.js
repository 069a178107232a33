// The sampling loop: steps of drawings from a decoder, with or without guidance; as sketchgen/completion/sampler.py and
// guidance.py.
//
// Guidance draws what belongs to the category more than to drawings at large. Of several candidates for the next point,
// drawn under the category, those are preferred that are likelier than without it: classifier-free guidance (Ho and
// Salimans 2022) for a mixture over points, by resampling (Rubin 1988).

import { DRAW, END } from "./mixture.js";
import { Noise } from "./philox.js";

const CANDIDATES = 8, MAX_PREFERENCE = 20;

/**
 * @typedef {object} Step the next step of some drawings
 * @property {Float64Array} offset px of the frame
 * @property {Int32Array} pen after the point
 * @property {boolean[]} drawn which drawings got a point
 * @property {boolean[]} ended which drawings the model has ended
 * @property {Float64Array} nats log-likelihood of the step of each, at temperature 1 without guidance
 */

/**
 * Samples step by step until every drawing has ended or has `limit` points.
 * @param {import("./decoder.js").Decoder} decoder
 * @param {object} reading of the given part, by the decoder
 * @param {object} settings
 * @param {number[]} settings.category index of each drawing, or that of "any"
 * @param {boolean[]} settings.goingOn which drawings go on with the last given stroke
 * @param {number} settings.seed
 * @param {number} settings.temperature
 * @param {number} settings.limit largest number of points of a drawing
 * @param {number} settings.guidance 0 for none
 * @param {number} settings.any index that stands for any category
 * @param {number[] | null} settings.edges left, top, right, bottom, px from where added points are counted
 * @param {Map<number, {offset: Float64Array, pen: Int32Array}>} settings.forced first steps of some drawings
 * @returns {Generator<Step>}
 */
export function* steps(decoder, reading, settings) {
  const { category, goingOn, seed, temperature, limit, guidance, any, edges = null, forced = new Map() } = settings;
  const count = category.length, at = new Float64Array(2 * count);
  const candidates = guidance ? CANDIDATES : 1;
  const noise = Array.from({ length: count }, (_, index) => new Noise(seed, index, candidates));
  const ended = Array(count).fill(false);
  let rows = Array.from({ length: count }, (_, row) => row), found = null;
  let offset = new Float64Array(2 * count), pen = new Int32Array(count).fill(END);
  for (let number = 0; number <= limit; number++) {
    if (!number) {
      const all = guidance ? [...category, ...category.map(() => any)] : category;
      found = decoder.first(reading, all, guidance ? [...goingOn, ...goingOn] : goingOn);
      found.step.withoutEnd();
    } else {
      found = goOn(decoder, found.state, rows, ended, offset, pen, guidance > 0);
      rows = found.rows;
    }
    const before = [...ended], nats = new Float64Array(count);
    offset = new Float64Array(2 * count);
    pen = new Int32Array(count).fill(END);
    rows.forEach((row, place) => {
      const [x, y] = at.subarray(2 * row);
      const corners = edges && [edges[0] - x, edges[1] - y, edges[2] - x, edges[3] - y];
      const choice = choose(found.step, place, rows.length, noise[row].next(), temperature, guidance, corners);
      const forcing = forced.get(row);
      if (forcing && number < forcing.pen.length) {
        const [dx, dy] = forcing.offset.subarray(2 * number);
        Object.assign(choice, { x: dx, y: dy, pen: forcing.pen[number], nats: null });
      }
      if (choice.nats === null) choice.nats = found.step.logProb(place, choice.x, choice.y, choice.pen);
      offset[2 * row] = choice.x;
      offset[2 * row + 1] = choice.y;
      at[2 * row] += choice.x;
      at[2 * row + 1] += choice.y;
      pen[row] = choice.pen;
      if (choice.pen === END) ended[row] = true;
      if (number < limit || choice.pen === END) nats[row] = before[row] ? 0 : choice.nats;
    });
    const drawn = ended.map((each) => !each && number < limit);
    yield { offset, pen, drawn, ended: [...ended], nats };
    if (!drawn.some(Boolean)) return;
  }
}

// Takes a step of the drawings that have not ended; the rows of the others are dropped.
function goOn(decoder, state, rows, ended, offset, pen, guided) {
  const going = Array.from(rows.keys()).filter((place) => !ended[rows[place]]);
  if (going.length < rows.length) {
    const both = guided ? [...going, ...going.map((place) => place + rows.length)] : going;
    state = decoder.take(state, both);
    rows = going.map((place) => rows[place]);
  }
  const taken = guided ? [...rows, ...rows] : rows;
  const offsets = new Float64Array(2 * taken.length), pens = new Int32Array(taken.length);
  taken.forEach((row, place) => {
    offsets[2 * place] = offset[2 * row];
    offsets[2 * place + 1] = offset[2 * row + 1];
    pens[place] = pen[row];
  });
  return { ...decoder.advance(offsets, pens, state), rows };
}

// Draws a step of one drawing; with guidance the best of several.
function choose(step, place, count, noise, temperature, guidance, corners) {
  let best = null, most = -Infinity;
  step.sample(place, noise, temperature, corners, (x, y, pen, score) => {
    if (!guidance) {
      best = { x, y, pen, nats: null };
      return;
    }
    const nats = step.logProb(place, x, y, pen);
    const preference = guidance * (nats - step.logProb(place + count, x, y, pen));
    const total = score + Math.min(Math.max(preference, -MAX_PREFERENCE), MAX_PREFERENCE);
    if (total > most) {
      most = total;
      best = { x, y, pen, nats };
    }
  });
  return best || { x: 0, y: 0, pen: DRAW, nats: null };
}
