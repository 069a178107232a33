// The eraser: what it cuts out of strokes. No DOM.
"use strict";

(function (S) {
  const round = (value) => Math.round(value * 100) / 100;
  const between = (a, b, share) => a.map((value, i) => round(value + share * ((b[i] ?? value) - value)));

  // The shares (from, to) of a piece from a to b that lie within `radius` of a point, or null.
  function covered([ax, ay], [bx, by], [x, y], radius) {
    const dx = bx - ax, dy = by - ay, fx = ax - x, fy = ay - y;
    const length = dx * dx + dy * dy, half = fx * dx + fy * dy, rest = fx * fx + fy * fy - radius * radius;
    if (length === 0) return rest <= 0 ? [0, 1] : null;
    const root = half * half - length * rest;
    if (root <= 0) return null;
    const from = Math.max(0, (-half - Math.sqrt(root)) / length);
    const to = Math.min(1, (-half + Math.sqrt(root)) / length);
    return from < to ? [from, to] : null;
  }

  // What is left of a list of points, as lists; the list itself where nothing was cut.
  function left(points, at, radius) {
    if (points.length === 1) return Math.hypot(points[0][0] - at[0], points[0][1] - at[1]) <= radius ? [] : [points];
    const parts = [];
    let part = [points[0]], cut = false;
    const close = () => {
      // A point alone is no remnant of a line.
      if (part.length > 1) parts.push(part);
    };
    for (let i = 1; i < points.length; i++) {
      const gone = covered(points[i - 1], points[i], at, radius);
      if (!gone) {
        part.push(points[i]);
        continue;
      }
      cut = true;
      if (gone[0] > 0) part.push(between(points[i - 1], points[i], gone[0]));
      close();
      part = gone[1] < 1 ? [between(points[i - 1], points[i], gone[1]), points[i]] : [points[i]];
    }
    close();
    return cut ? parts : [points];
  }

  // Strokes do not change: the box around one is found once.
  const boxes = new WeakMap();

  function box(points) {
    let found = boxes.get(points);
    if (!found) {
      found = [Infinity, Infinity, -Infinity, -Infinity];
      for (const [x, y] of points) {
        found = [Math.min(found[0], x), Math.min(found[1], y), Math.max(found[2], x), Math.max(found[3], y)];
      }
      boxes.set(points, found);
    }
    return found;
  }

  const near = (points, [x, y], radius) => {
    const [low, top, high, bottom] = box(points);
    return x >= low - radius && x <= high + radius && y >= top - radius && y <= bottom + radius;
  };

  // The strokes without what lies within `radius` of a point; the same list where nothing does. The parts of a
  // stroke have its colour and all else that it had; their points keep times and pressures.
  S.cutStrokes = function (strokes, at, radius) {
    let cut = false;
    const found = strokes.flatMap((stroke) => {
      if (!near(stroke.points, at, radius)) return [stroke];
      const parts = left(stroke.points, at, radius);
      if (parts.length === 1 && parts[0] === stroke.points) return [stroke];
      cut = true;
      return parts.map((points) => ({ ...stroke, points }));
    });
    return cut ? found : strokes;
  };

  // The strokes without those that come within `radius` of a point; the same list where none does.
  S.dropStrokes = function (strokes, at, radius) {
    const far = ({ points }) => !near(points, at, radius) || S.distanceToStroke(points, ...at) > radius;
    const found = strokes.filter(far);
    return found.length === strokes.length ? strokes : found;
  };
})(Sketchgen);
