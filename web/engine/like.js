// Like parts: an added stroke that stands beside a given one of its form gets the size of that one; as
// sketchgen/completion/like_parts.py.

import { bounds, lineLength, nearest, resample } from "./geometry.js";

const MAX_RATIO = 1.6, LIKE = 0.07, BESIDE = 0.35, MIN_WIDTH = 0.4, POINTS = 48;

/** Added strokes with the size and the height of like given ones beside them. */
export function madeAlike(added, given) {
  const others = given.map((stroke) => new Form(stroke));
  return added.map((stroke) => {
    const form = new Form(stroke), like = form.likest(others);
    return like ? form.resized(stroke, like) : stroke;
  });
}

class Form {
  constructor(stroke) {
    const [left, top, right, bottom] = bounds([stroke]);
    this.middle = [(left + right) / 2, (top + bottom) / 2];
    this.side = [right - left, bottom - top];
    this.size = Math.max(...this.side);
    const points = this.size > 0 ? resample(stroke, lineLength([stroke]) / POINTS) : [];
    this.points = this.size > 0 ? points.map(([x, y]) => [(x - this.middle[0]) / this.size, (y - this.middle[1]) / this.size]) : [[0, 0]];
  }

  /** The form that is most like this one and stands beside it. */
  likest(others) {
    if (Math.min(...this.side) <= MIN_WIDTH * this.size) return null;
    let found = null, least = LIKE;
    for (const other of others) {
      const distance = this.#beside(other) ? this.#distance(other) : Infinity;
      if (distance < least) [found, least] = [other, distance];
    }
    return found;
  }

  #beside(other) {
    const small = Math.min(this.size, other.size), large = Math.max(this.size, other.size);
    const [x, y] = [0, 1].map((axis) => Math.abs(this.middle[axis] - other.middle[axis]));
    return large > 0 && large <= MAX_RATIO * small && x > (this.side[0] + other.side[0]) / 2 && y < BESIDE * large;
  }

  // How unlike two forms are, as they are or in an upright mirror.
  #distance(other) {
    const mean = (some, others) => some.reduce((sum, point) => sum + nearest(point, others), 0) / some.length;
    const both = [this.points, this.points.map(([x, y]) => [-x, y])];
    return Math.min(...both.map((one) => (mean(one, other.points) + mean(other.points, one)) / 2));
  }

  /** This form's stroke with the size and the height of another. */
  resized(stroke, like) {
    const aside = this.middle[0] - like.middle[0], scale = like.size / this.size;
    // Larger than before, it must not reach over the other.
    const apart = Math.sign(aside) * Math.max(Math.abs(aside), like.side[0]);
    return stroke.map(([x, y]) => [(x - this.middle[0]) * scale + like.middle[0] + apart, (y - this.middle[1]) * scale + like.middle[1]]);
  }
}
