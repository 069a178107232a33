// Flaws of what was added to a drawing: it draws a given part again, stands apart, or is cut off by the page; as
// sketchgen/ranking/flaws.py.

import { bounds, evenly, far, lineLength, longer } from "./geometry.js";

const SPACING = 4, PARALLEL = Math.cos((40 * Math.PI) / 180), ALONG = 5, MIN_RUN = 16, MAX_INK = 6000, EDGE = 0.002;
const REACH = 0.12, MIN_REACH = 5, MAX_REACH = 10, DOUBLED = 0.6, SAME_PLACE = 0.45, FRAME = 0.75;
const SMALL = 40, CORE = 0.25, CLOSED = 0.3, TOUCHES = 14;

/** The lines of some strokes as evenly spaced points with directions. */
class Ink {
  constructor(strokes, spacing) {
    this.spacing = Math.max(spacing, lineLength(strokes) / MAX_INK);
    this.strokes = evenly(strokes, this.spacing, MAX_INK);
    this.directions = this.strokes.map(directions);
    this.boxes = this.strokes.map((stroke) => bounds([stroke]));
    this.closed = this.strokes.map((stroke, n) => far(stroke[0], stroke[stroke.length - 1]) < CLOSED * longer(this.boxes[n]));
  }
}

function directions(stroke) {
  return stroke.map((_, n) => {
    const before = stroke[Math.max(n - 1, 0)], after = stroke[Math.min(n + 1, stroke.length - 1)], length = far(before, after);
    return length > 0 ? [(after[0] - before[0]) / length, (after[1] - before[1]) / length] : [0, 0];
  });
}

/** The given strokes, prepared for measuring what completions add to them. */
export class GivenInk {
  constructor(strokes) {
    this.ink = new Ink(strokes, SPACING);
    this.reach = this.ink.boxes.map((box) => Math.min(Math.max(REACH * longer(box), MIN_REACH), MAX_REACH));
  }

  /** The share of the ink of each added stroke that draws lines of the given part again. */
  sharesAlong(strokes) {
    const ink = new Ink(strokes, SPACING);
    return ink.strokes.map((stroke, n) => this.#along(ink, n) / stroke.length);
  }

  /** The shares of the ink of added strokes that are redrawn and detached. */
  measure(strokes) {
    const ink = new Ink(strokes, SPACING), attached = this.#attached(ink);
    let again = 0, apart = 0, all = 0;
    ink.strokes.forEach((stroke, n) => {
      const same = this.#doubles(ink, n) || this.#inOnePlace(ink, n) || this.#through(ink, n);
      again += same ? stroke.length : this.#along(ink, n);
      apart += attached[n] ? 0 : stroke.length;
      all += stroke.length;
    });
    return [again / all, apart / all];
  }

  // How many points of a stroke belong to long runs along given ink.
  #along(ink, number) {
    let run = 0, found = 0;
    const end = () => {
      if (run * ink.spacing > MIN_RUN) found += run;
      run = 0;
    };
    ink.strokes[number].forEach((point, n) => {
      const direction = ink.directions[number][n];
      if (this.#some((other, way) => near(point, other, ALONG) && parallel(direction, way))) run++;
      else end();
    });
    end();
    return found;
  }

  #some(test) {
    return this.ink.strokes.some((stroke, k) => stroke.some((point, n) => test(point, this.ink.directions[k][n])));
  }

  // Whether an added stroke and some given stroke cover most of each other.
  #doubles(ink, number) {
    const stroke = ink.strokes[number], ways = ink.directions[number];
    return this.ink.strokes.some((other, k) => {
      const theirs = this.ink.directions[k], reach = this.reach[k];
      const meets = (n, m) => near(stroke[n], other[m], reach) && parallel(ways[n], theirs[m]);
      const mine = stroke.filter((_, n) => other.some((_, m) => meets(n, m))).length;
      if (mine / stroke.length < DOUBLED) return false;
      return other.filter((_, m) => stroke.some((_, n) => meets(n, m))).length / other.length >= DOUBLED;
    });
  }

  // Whether a closed added stroke stands where a closed given one of its size stands.
  #inOnePlace(ink, number) {
    const box = ink.boxes[number], sides = sidesOf(box), mine = sides[0] * sides[1];
    return ink.closed[number] && this.ink.boxes.some((other, k) => {
      if (!this.ink.closed[k]) return false;
      const width = Math.max(Math.min(box[2], other[2]) - Math.max(box[0], other[0]), 0);
      const common = width * Math.max(Math.min(box[3], other[3]) - Math.max(box[1], other[1]), 0);
      const others = sidesOf(other), theirs = others[0] * others[1];
      if (common < Math.min(mine, theirs)) return common > SAME_PLACE * (mine + theirs - common);
      const ratios = [0, 1].map((axis) => Math.abs(Math.log(Math.max(sides[axis], 1e-9) / Math.max(others[axis], 1e-9))));
      return Math.exp(-Math.max(...ratios)) > FRAME;
    });
  }

  // Whether an added stroke runs through a small closed given one and beyond it.
  #through(ink, number) {
    return this.ink.boxes.some((box, k) => {
      const side = longer(box);
      if (!this.ink.closed[k] || side > SMALL || this.ink.strokes[k].length <= 2) return false;
      const [x, y] = middle(box);
      const apart = ink.strokes[number].map((point) => Math.max(Math.abs(point[0] - x), Math.abs(point[1] - y)) / side);
      return Math.min(...apart) < CORE && Math.max(...apart) > 1;
    });
  }

  // Which added strokes touch, enclose or stand within something given, by others if need be.
  #attached(ink) {
    const whole = bounds(this.ink.strokes), { strokes, boxes } = ink;
    const reached = strokes.map((stroke, n) => contains(whole, middle(boxes[n]))
      || this.ink.boxes.some((box) => contains(boxes[n], middle(box)))
      || stroke.some((point) => this.#some((other) => near(point, other, TOUCHES))));
    const linked = (n, m) => contains(boxes[n], middle(boxes[m])) || contains(boxes[m], middle(boxes[n]))
      || strokes[n].some((point) => strokes[m].some((other) => near(point, other, TOUCHES)));
    const fresh = Array.from(reached.keys()).filter((n) => reached[n]);
    while (fresh.length) {
      const here = fresh.pop();
      reached.forEach((there, n) => {
        if (!there && linked(here, n)) {
          reached[n] = true;
          fresh.push(n);
        }
      });
    }
    return reached;
  }
}

/** The share of the added points that lie at the edge of the page or beyond it; 0 where the given part leaves it. */
export function shareAtEdge(given, added, page) {
  if (!page || !added.length) return 0;
  const beyond = ([x, y], margin) => !(x >= page[0] + margin && x <= page[0] + page[2] - margin
    && y >= page[1] + margin && y <= page[1] + page[3] - margin);
  if (given.some((stroke) => stroke.some((point) => beyond(point, 0)))) return 0;
  const points = added.flat();
  return points.filter((point) => beyond(point, EDGE * Math.max(page[2], page[3]))).length / points.length;
}

function near(point, other, within) {
  const x = point[0] - other[0], y = point[1] - other[1];
  return x * x + y * y <= within * within;
}

const parallel = (one, two) => Math.abs(one[0] * two[0] + one[1] * two[1]) >= PARALLEL;
const sidesOf = (box) => [box[2] - box[0], box[3] - box[1]];
const middle = (box) => [(box[0] + box[2]) / 2, (box[1] + box[3]) / 2];
const contains = (box, [x, y]) => box[0] <= x && x <= box[2] && box[1] <= y && y <= box[3];
