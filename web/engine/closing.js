// Gap closing: added lines that nearly meet a line do meet it; as sketchgen/completion/gap_closing.py.

import { far, splitStrokes } from "./geometry.js";
import { LIFT } from "./mixture.js";

const TOUCHING = 0.3, BEGINS = 0.5, LOOP = 4;

/** What added lines may meet; points are px of the frame, from the last given point. */
export class Closer {
  /** @param {number[][]} points given, px of the frame @param {Int32Array} pen @param {number} reach largest gap */
  constructor(points, pen, reach) {
    const [x, y] = points[points.length - 1];
    const strokes = splitStrokes(points.map((point) => [point[0] - x, point[1] - y]), Array.from(pen, (each) => each === LIFT));
    this.reach = reach;
    this.last = strokes[strokes.length - 1];
    this.free = strokes.flatMap((stroke, number) => {
      const ends = stroke.length > 1 ? [stroke, [...stroke].reverse()] : [];
      return ends.filter((line) => isFree(strokes, number, line, TOUCHING * reach)).map((line) => line[0]);
    });
  }

  /** Where an added line is to end; its last point if it meets nothing. */
  end(line, goingOn) {
    const { reach, free } = this, last = line[line.length - 1];
    const whole = goingOn ? [...this.last, ...line] : line, begin = goingOn ? [0, 0] : line[0];
    const met = length(whole) > LOOP * reach ? [whole[0]] : [];
    if (goingOn || free.some((end) => far(end, begin) <= BEGINS * reach)) {
      met.push(...free.filter((end) => far(end, begin) > 2 * reach));
    }
    let found = last, gap = reach;
    for (const target of met) {
      const apart = far(target, last);
      if (apart < gap || (apart === gap && found === last)) [found, gap] = [target, apart];
    }
    return found;
  }
}

/** Closes the gaps of a completion that grows by a point at a time. */
export class Closing {
  constructor(closer, goingOn) {
    Object.assign(this, { closer, goingOn, line: [] });
  }

  /** The next point, moved where its pen ends a line. */
  next(point, pen) {
    if (!this.closer) return point;
    this.line.push(point);
    if (pen !== LIFT) return point;
    const found = this.closer.end(this.line, this.goingOn);
    this.line = [];
    this.goingOn = false;
    return found;
  }
}

function length(line) {
  let sum = 0;
  for (let n = 1; n < line.length; n++) sum += far(line[n - 1], line[n]);
  return sum;
}

// Whether no ink is near the beginning of a line, but for what leads there.
function isFree(strokes, number, line, touching) {
  let along = 0, n = 1;
  // Of its own line what is farther along than it is near counts: a line that comes back.
  for (; n < line.length && along < 3 * touching; n++) along += far(line[n - 1], line[n]);
  const rest = along >= 3 * touching ? line.slice(n - 1) : [];
  const others = [...strokes.filter((_, other) => other !== number), ...(rest.length ? [rest] : [])];
  return others.every((other) => distance(line[0], other) > touching);
}

// The distance of a point from a line.
function distance(point, line) {
  let found = far(point, line[line.length - 1]);
  for (let n = 1; n < line.length; n++) {
    const [x, y] = line[n - 1], dx = line[n][0] - x, dy = line[n][1] - y, square = dx * dx + dy * dy;
    const part = Math.min(Math.max(((point[0] - x) * dx + (point[1] - y) * dy) / (square > 0 ? square : 1), 0), 1);
    found = Math.min(found, far(point, [x + part * dx, y + part * dy]));
  }
  return found;
}
