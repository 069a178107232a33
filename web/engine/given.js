// A given part in the network's frame, and what is added to it, back on the page; as sketchgen/completion/framing.py and
// partial_sketch.py.

import { Closer, Closing } from "./closing.js";
import { BOX, bounds, CENTRE, EPSILON, longer, rint, simplify, splitStrokes } from "./geometry.js";
import { GivenInk } from "./ink.js";
import { madeAlike } from "./like.js";
import { DRAW, LIFT } from "./mixture.js";

const GIVEN_SIDE = 160, PAGE_SHARE = 0.75, FIRST_POINT = [110, 80], DOT_SHARE = 0.004, GRID = 64, MAX_GIVEN = 400;
const CROPPED = 0.05, REDRAWN = 0.9, STOPPED_EARLY = 0.1, WHOLES = [1.15, 1.6, 2.3];

export class GivenPart {
  /**
   * @param {number[][][]} strokes points [x, y] of each
   * @param {number[] | null} page x, y, width, height
   * @param {{closing: number, epsilon: number, frame?: object}} settings a frame of a whole drawing to show it in
   */
  constructor(strokes, page, { closing = 0, epsilon = EPSILON, frame = null }) {
    Object.assign(this, { strokes, page, settings: { closing, epsilon }, box: bounds(strokes) });
    this.frame = frame || this.#frame();
    this.known = frame !== null || this.frame.known;
    this.#simplify(epsilon);
    const last = strokes.length ? strokes[strokes.length - 1] : null;
    this.origin = last ? last[last.length - 1] : [this.frame.x, this.frame.y];
    this.closer = closing && last ? new Closer(this.points, this.pen, closing) : null;
    const end = this.points[this.points.length - 1];
    this.own = splitStrokes(this.points.map(([x, y]) => [x - end[0], y - end[1]]), Array.from(this.pen, Boolean));
    this.ink = !this.known && last ? new GivenInk(this.own) : null;
  }

  get isEmpty() {
    return !this.strokes.length;
  }

  // Only where there is nothing to measure, on an empty page or of a dot, the page decides.
  #frame() {
    const { page, box } = this;
    if (!box) return pageFrame(page, null);
    const least = page ? DOT_SHARE * Math.max(page[2], page[3]) : 0, x = (box[0] + box[2]) / 2, y = (box[1] + box[3]) / 2;
    if (longer(box) <= Math.max(least, 1e-9 * Math.max(Math.abs(box[0]), Math.abs(box[1])))) return pageFrame(page, [x, y]);
    return { scale: longer(box) / GIVEN_SIDE, x, y, known: false };
  }

  #simplify(epsilon) {
    const { scale, x, y } = this.frame, rounded = (value) => rint(value * GRID) / GRID;
    const strokes = this.strokes.map((line) => line.map((point) => [rounded((point[0] - x) / scale), rounded((point[1] - y) / scale)]));
    let thin = simplify(strokes, epsilon);
    const count = () => thin.reduce((sum, line) => sum + line.length, 0);
    while (count() > MAX_GIVEN && epsilon < 16) thin = simplify(thin, (epsilon *= 1.5));
    this.points = thin.flat();
    this.pen = Int32Array.from(thin.flatMap((line) => line.map((_, n) => (n === line.length - 1 ? LIFT : DRAW))));
  }

  /** What added points stay in, px from where they are counted; null without a page, and for a page cropped to its ink. */
  get edges() {
    const { page, box, origin, frame } = this;
    if (!page) return null;
    let sides = [page[0], page[1], page[0] + page[2], page[1] + page[3]];
    if (box) {
      const margin = CROPPED * Math.max(page[2], page[3]);
      const near = box[0] - sides[0] < margin && box[1] - sides[1] < margin && sides[2] - box[2] < margin && sides[3] - box[3] < margin;
      if (near) return null;
      sides = sides.map((side, n) => (n < 2 ? Math.min(side, box[n]) : Math.max(side, box[n])));
    }
    return sides.map((side, n) => (side - origin[n % 2]) / frame.scale);
  }

  /** The given part in frames of whole drawings that stay on the page. */
  onPageFrames() {
    const { page, box } = this;
    if (this.known || !page || !box) return [];
    const sides = WHOLES.map((times) => times * longer(box)).filter((side) => side > 0 && side <= Math.min(page[2], page[3]));
    return sides.map((side) => {
      const [x, y] = [0, 1].map((axis) => startOf(box[axis], box[axis + 2] - box[axis], page[axis], page[axis + 2], side));
      const frame = { scale: side / BOX, x: x + side / 2, y: y + side / 2 };
      return new GivenPart(this.strokes, page, { ...this.settings, frame });
    });
  }

  /** Offsets and pens, as the network reads them. */
  get steps() {
    const { points, pen, known } = this, offset = new Float64Array(2 * points.length);
    points.forEach((point, n) => {
      for (const axis of [0, 1]) offset[2 * n + axis] = point[axis] - (n ? points[n - 1][axis] : 0);
    });
    return { offset, pen, known };
  }

  /** The probability that the last given stroke is whole: most people who stop where strokes are seldom lifted stopped early. */
  done(decoder, reading, category, temperature) {
    if (this.points.length < 2) return 1;
    const [[x0, y0], [x1, y1]] = this.points.slice(-2);
    const lifted = decoder.last(reading, category).liftProbability(0, x1 - x0, y1 - y0);
    return tempered(lifted / (lifted + (1 - lifted) * STOPPED_EARLY), temperature);
  }

  onPage([x, y]) {
    const { frame, origin } = this, digits = 10 ** (2 - Math.floor(Math.log10(frame.scale)));
    return [x * frame.scale + origin[0], y * frame.scale + origin[1]].map((value) => rint(value * digits) / digits);
  }

  /** Sampled points (px of the frame) and pens as strokes on the page. */
  added(points, pens, goingOn) {
    const closing = new Closing(this.closer, goingOn);
    const lines = splitStrokes(points.map((point, n) => closing.next(point, pens[n])), pens.map((pen) => pen === LIFT));
    const own = Number(goingOn), alike = [...lines.slice(0, own), ...madeAlike(lines.slice(own), this.own)];
    const again = this.ink && alike.length ? this.ink.sharesAlong(alike).map((share) => share >= REDRAWN) : [];
    const strokes = alike.map((line) => line.map((point) => this.onPage(point)));
    if (goingOn && strokes.length) strokes[0].unshift([...this.origin]);
    return again.every(Boolean) ? strokes : strokes.filter((_, n) => !again[n]);
  }
}

function pageFrame(page, anchor) {
  const scale = page ? (PAGE_SHARE * Math.min(page[2], page[3])) / BOX : 1;
  const [x, y] = anchor
    ? anchor.map((at, axis) => at + (CENTRE - FIRST_POINT[axis]) * scale)
    : page ? [page[0] + page[2] / 2, page[1] + page[3] / 2] : [CENTRE, CENTRE];
  return { scale, x, y, known: true };
}

function startOf(low, extent, page, size, side) {
  const before = low - page, after = page + size - low - extent;
  const share = before < after / 2 ? 0 : after < before / 2 ? 1 : 0.5;
  return Math.min(Math.max(low - share * (side - extent), page), page + size - side);
}

/** A probability with its odds raised to 1/T. */
function tempered(probability, temperature) {
  if (temperature === 0) return 0.5 + 0.5 * Math.sign(probability - 0.5);
  const [yes, no] = [probability, 1 - probability].map((chance) => Math.log(Math.max(chance, 1e-12)) / temperature);
  return 1 / (1 + Math.exp(no - yes));
}
