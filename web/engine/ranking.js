// Chooses among candidates for one drawing; as sketchgen/ranking/, without the reward model.
//
// The score of a candidate, nats: how well the classifier takes it for what is wanted, how much it has in common with the
// others, and whether it looks like part of the drawing. Sizes are px of a box in which whole drawings are 255 long.

import { bounds, BOX, evenly, lineLength, longer } from "./geometry.js";
import { GivenInk, shareAtEdge } from "./ink.js";

const RECOGNISER = 8, CONSENSUS = 6, SYMMETRY = 2.5, MIN_PROBABILITY = 1e-9;
const NEAR = 10, SPACING = 4, MAX_POINTS = 150, TEMPERATURE = 4;
const WEIGHTS = { redrawn: -12, detached: -12, unfinished: -4, slight: -4, cutOff: -12 };
const FLAWS = { redrawn: 0.15, detached: 0.15, unfinished: 0.25, slight: 0.2, cutOff: 0.03 };
const SLIGHT = 0.5, MAX_RATIO = 3;

/**
 * @typedef {object} Candidate
 * @property {number[][][]} added strokes on the page
 * @property {boolean} ended whether the model ended it
 * @property {number} nats log-likelihood
 * @property {string | null} category under which it was drawn
 * @property {number} symmetry of a mirrored one, else 0
 */

/**
 * Returns the rows of a diverse set of candidates, the best first; yields after each of them is read.
 * @param {Candidate[]} candidates
 * @param {number} count
 * @param {{strokes: number[][][], page: number[] | null, classifier: import("./classifier.js").Classifier,
 *   belief: number[] | null, category: string | null, usual: object}} about the drawing; belief where it was guessed
 */
export function* select(candidates, count, about) {
  const given = about.strokes, scale = given.length ? boxScale(given, candidates) : null;
  const measured = scale ? measures(candidates, scale, about) : candidates.map(() => null);
  const similarity = scale ? similarities(candidates, scale) : null;
  const score = [];
  for (const [n, each] of candidates.entries()) {
    score.push(recognised(each, about) + prior(measured[n]) + SYMMETRY * each.symmetry);
    yield;
  }
  const total = score.map((each, n) => each + CONSENSUS * meanOf(similarity, n));
  const usable = candidates.map((each, n) => [each.added.length > 0, each.ended, flawless(measured[n])].map(Number));
  const order = Array.from(candidates.keys()).sort((a, b) => compare([...usable[b], total[b], -b], [...usable[a], total[a], -a]));
  return diverse(order, usable, score, similarity, count);
}

function recognised({ added, category: own }, { strokes, classifier, belief, category }) {
  const whole = [...strokes, ...added];
  if (!classifier || !whole.length) return whole.length ? 0 : -Infinity;
  const row = classifier.categories.indexOf(belief ? own : category);
  if (!belief || !strokes.length) return row < 0 ? 0 : RECOGNISER * classifier.logProb(whole)[row];
  const nats = classifier.logProb(whole), share = belief.reduce((sum, each, n) => sum + each * Math.exp(nats[n]), 0);
  return RECOGNISER * Math.log(share + MIN_PROBABILITY);
}

const prior = (measured) => (measured ? Object.keys(WEIGHTS).reduce((sum, name) => sum + WEIGHTS[name] * measured[name], 0) : 0);
const flawless = (measured) => !measured || Object.keys(FLAWS).every((name) => measured[name] <= FLAWS[name]);

function compare(one, two) {
  const n = one.findIndex((value, k) => value !== two[k]);
  return n < 0 ? 0 : one[n] - two[n];
}

const median = (values) => {
  const sorted = [...values].sort((a, b) => a - b), half = sorted.length >> 1;
  return sorted.length % 2 ? sorted[half] : (sorted[half - 1] + sorted[half]) / 2;
};

// What brings the median whole drawing to a longer side of 255; null without extent.
function boxScale(given, candidates) {
  const side = median(candidates.map((each) => longer(bounds([...given, ...each.added]))));
  return side > 0 ? BOX / side : null;
}

const scaled = (strokes, scale) => strokes.map((stroke) => stroke.map(([x, y]) => [x * scale, y * scale]));
const logOf = (length) => Math.log(Math.max(length, 1e-9));

function measures(candidates, scale, { strokes, page, usual, category, belief }) {
  const ink = new GivenInk(scaled(strokes, scale));
  const drawn = candidates.filter((each) => each.added.length), middle = drawn.length ? median(drawn.map((each) => lineLength(each.added))) : 0;
  return candidates.map((each) => {
    if (!each.added.length) return null;
    const [redrawn, detached] = ink.measure(scaled(each.added, scale)), whole = [...strokes, ...each.added];
    const [length, deviation, again, apart] = usual[(belief ? each.category : category) || ""] || [null, 0, 0, 0];
    const short = length === null ? 0 : length - deviation - logOf(lineLength(whole) / Math.max(longer(bounds(whole)), 1e-300));
    const slight = middle > 0 ? logOf(SLIGHT * middle) - logOf(lineLength(each.added)) : 0;
    return {
      redrawn: Math.max(redrawn - again, 0),
      detached: Math.max(detached - apart, 0),
      unfinished: Math.min(Math.max(short, 0), MAX_RATIO),
      slight: Math.min(Math.max(slight, 0), MAX_RATIO),
      cutOff: shareAtEdge(strokes, each.added, page),
    };
  });
}

// F1 of the shares of the ink of each that lies near the ink that the other adds.
function similarities(candidates, scale) {
  const ink = candidates.map((each) => evenly(scaled(each.added, scale), SPACING, MAX_POINTS).flat());
  return ink.map((one) => ink.map((two) => {
    const mine = shareNear(one, two), theirs = shareNear(two, one);
    return (2 * mine * theirs) / Math.max(mine + theirs, 1e-9);
  }));
}

function shareNear(points, others) {
  if (!points.length || !others.length) return 0;
  let count = 0;
  for (const [x, y] of points) if (others.some(([u, v]) => (u - x) * (u - x) + (v - y) * (v - y) <= NEAR * NEAR)) count++;
  return count / points.length;
}

function meanOf(similarity, row) {
  if (!similarity || similarity.length < 3) return 0;
  return similarity[row].reduce((sum, each, n) => sum + (n === row ? 0 : each), 0) / (similarity.length - 1);
}

// Each is wanted with odds by its score; a set is good if whatever is wanted is like one of its members.
function diverse(order, usable, score, similarity, count) {
  const rows = order.slice(0, 1), most = Math.max(...score), odds = score.map((each) => Math.exp((each - most) / TEMPERATURE));
  const place = new Map(order.map((row, n) => [row, n]));
  while (rows.length < Math.min(count, order.length)) {
    const covered = score.map((_, n) => (similarity ? Math.max(...rows.map((row) => similarity[row][n])) : 0));
    const gain = (row) => (similarity ? score.reduce((sum, _, n) => sum + Math.max(similarity[row][n] - covered[n], 0) * odds[n], 0) : 0);
    const rank = new Map(order.filter((row) => !rows.includes(row)).map((row) => [row, [...usable[row], gain(row), -place.get(row)]]));
    rows.push([...rank.keys()].reduce((best, row) => (compare(rank.get(row), rank.get(best)) > 0 ? row : best)));
  }
  return rows;
}
