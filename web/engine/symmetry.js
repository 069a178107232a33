// Candidates from symmetry: given strokes that have no mirror image yet, mirrored; as sketchgen/completion/symmetry.py.
//
// Lengths are px of the network's frame, in which a given part is 160 long.

import { bounds, lineLength, resample } from "./geometry.js";
import { DRAW, END, LIFT } from "./mixture.js";

const MAX_MIRRORED = 3, MIN_SYMMETRY = 0.2, UPRIGHT_BONUS = 0.1, LEVEL_MARGIN = 0.1, WHOLE = 0.85, LACKING_WEIGHT = 0.5;
const NEAR = 9.6, MIN_LIKENESS = 0.7, ASIDE = 3.2, LARGE = 24, APART = 1.6, EVERY = 4;
const MAX_MIRRORS = 24, MAX_PAIRED = 24, MAX_POINTS = 300;

/** A candidate that makes a drawing symmetric: images of the strokes that have none, px from the last given point. */
class Mirrored {
  constructor(strokes, symmetry, goesOn = false) {
    Object.assign(this, { strokes, symmetry, goesOn });
  }

  /** Offsets from point to point, the first one from the origin, and the pen after each. */
  get steps() {
    const points = this.strokes.flat(), pen = this.strokes.flatMap((line) => line.map((_, n) => (n === line.length - 1 ? LIFT : DRAW)));
    const offset = points.flatMap(([x, y], n) => (n ? [x - points[n - 1][0], y - points[n - 1][1]] : [x, y]));
    return this.goesOn
      ? { offset: Float64Array.from(offset), pen: Int32Array.from(pen) }
      : { offset: Float64Array.from([...offset, 0, 0]), pen: Int32Array.from([...pen, END]) };
  }
}

/** Which of some alternatives, by their rows, are such candidates: first each alone, then going on. */
export function placed(images, count) {
  const all = [...images, ...images.map((each) => new Mirrored(each.strokes, each.symmetry, true))], found = new Map();
  all.forEach((image, n) => EVERY * (n + 1) <= count && found.set(EVERY * (n + 1) - 1, image));
  return found;
}

/** What a given part lacks to be symmetric on its page, the most symmetric first; nothing for a dot or an empty page. */
export function mirrored(part) {
  if (part.known || part.isEmpty) return [];
  const edges = part.edges || [-Infinity, -Infinity, Infinity, Infinity];
  const within = ([x, y]) => x >= edges[0] && y >= edges[1] && x <= edges[2] && y <= edges[3];
  return images(part.own).filter((image) => image.strokes.every((stroke) => stroke.every(within)));
}

function images(strokes) {
  const ink = inkOf(strokes);
  if (!ink) return [];
  // Where it is symmetric already there is nothing to complete.
  const whole = (found) => found.some((each) => !each.strokes.length && each.symmetry >= WHOLE);
  const upright = candidates(ink, strokes, 0), level = candidates(ink, strokes, 1);
  if (whole(upright)) return [];
  const lacking = (found) => found.filter((each) => each.strokes.length);
  const best = Math.max(...lacking(upright).map((each) => each.symmetry)) + LEVEL_MARGIN;
  const better = whole(level) ? [] : lacking(level).filter((each) => each.symmetry > best);
  return [...lacking(upright), ...better].sort((a, b) => b.symmetry - a.symmetry).slice(0, MAX_MIRRORED);
}

// By the mirrors across an axis; of no strokes if nothing lacks an image.
function candidates(ink, strokes, axis) {
  const found = new Map();
  for (const at of mirrors(ink, axis)) {
    const seen = seenIn(ink, axis, at), key = seen && seen.rows.join();
    // One candidate for the same strokes: in the mirror in which the drawing is most symmetric.
    if (seen && seen.symmetry > (found.has(key) ? found.get(key).symmetry : MIN_SYMMETRY)) found.set(key, seen);
  }
  return [...found.values()].map(({ rows, symmetry, at }) => new Mirrored(rows.map((row) => imageOf(strokes[row], axis, at)), symmetry));
}

// Boxes of the strokes, and points along them.
function inkOf(strokes) {
  const spacing = strokes.length ? Math.max(1.6, lineLength(strokes) / MAX_POINTS) : 0;
  if (!(spacing > 0 && spacing <= NEAR) || strokes.length > MAX_POINTS) return null;
  const boxes = strokes.map((stroke) => bounds([stroke]));
  const middle = boxes.map((box) => [(box[0] + box[2]) / 2, (box[1] + box[3]) / 2]);
  const side = boxes.map((box) => [box[2] - box[0], box[3] - box[1]]);
  const points = strokes.map((stroke) => resample(stroke, spacing));
  return { middle, side, points, counts: points.map((each) => each.length) };
}

// Where mirrors may stand: in the middle of all, of a large stroke, or of two that are alike.
function mirrors({ middle, side }, axis) {
  const low = Math.min(...middle.map((each, n) => each[axis] - side[n][axis] / 2));
  const high = Math.max(...middle.map((each, n) => each[axis] + side[n][axis] / 2));
  const large = middle.filter((_, n) => side[n][axis] > LARGE).map((each) => each[axis]);
  const sorted = [(low + high) / 2, ...large, ...between(middle.slice(0, MAX_PAIRED), side, axis)].sort((a, b) => a - b);
  const places = sorted.filter((each, n) => !n || each - sorted[n - 1] > APART);
  const count = Math.min(places.length, MAX_MIRRORS);
  return Array.from({ length: count }, (_, n) => places[count > 1 ? Math.round((n * (places.length - 1)) / (count - 1)) : 0]);
}

function between(middle, side, axis) {
  const found = [], other = 1 - axis;
  middle.forEach((one, n) => middle.forEach((two, m) => {
    const like = [0, 1].every((k) => Math.abs(side[n][k] - side[m][k]) < NEAR);
    if (like && Math.abs(one[other] - two[other]) < NEAR && one[axis] - two[axis] > 2 * ASIDE) found.push((one[axis] + two[axis]) / 2);
  }));
  return found;
}

// The strokes without an image, the symmetry, and where the mirror stands best; null where nothing is symmetric.
function seenIn(ink, axis, at) {
  const { middle, side, counts } = ink, rows = Array.from(counts.keys());
  let alike = likeness(ink, axis, at), paired = alike.map((each) => Math.max(...each) >= MIN_LIKENESS);
  if (!paired.some(Boolean)) return null;
  // Once more, where the mirror stands in the middle of what are images.
  const other = alike.map((each) => each.indexOf(Math.max(...each))), weight = rows.filter((n) => paired[n]);
  const total = weight.reduce((sum, n) => sum + counts[n], 0);
  at = weight.reduce((sum, n) => sum + (counts[n] * (middle[n][axis] + middle[other[n]][axis])) / 2, 0) / total;
  alike = likeness(ink, axis, at);
  paired = alike.map((each) => Math.max(...each) >= MIN_LIKENESS);
  if (!paired.some(Boolean)) return null;
  const lacking = rows.filter((n) => !paired[n] && Math.abs(middle[n][axis] - at) > side[n][axis] / 2 - ASIDE);
  const count = (some) => some.reduce((sum, n) => sum + counts[n], 0);
  const good = count(rows.filter((n) => paired[n])), lack = count(lacking), all = count(rows);
  const symmetry = (good - LACKING_WEIGHT * lack - (all - good - lack)) / all;
  return { rows: lacking, symmetry: symmetry + (axis === 0 ? UPRIGHT_BONUS : 0), at };
}

// How alike each stroke is to the image of each: harmonic mean of two shares of ink (F1).
function likeness({ points, counts }, axis, at) {
  const reflected = points.map((each) => imageOf(each, axis, at));
  const near = ([x, y], others) => others.some(([u, v]) => (u - x) * (u - x) + (v - y) * (v - y) <= NEAR * NEAR);
  // Of the images of one's points, those near the other; a mirror turns both ways.
  const share = reflected.map((image, n) => points.map((other) => image.filter((point) => near(point, other)).length / counts[n]));
  return share.map((row, n) => row.map((one, m) => (2 * one * share[m][n]) / Math.max(one + share[m][n], 1e-9)));
}

const imageOf = (points, axis, at) => points.map(([x, y]) => (axis === 0 ? [2 * at - x, y] : [x, 2 * at - y]));
