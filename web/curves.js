// Smooth curves through the points of strokes: the rule of sketchgen/formats/curves.py, which says why.
"use strict";

(function (S) {
  // A px of a 255 box: a drawing is taken to fill half of the page.
  const PX = (S.PAGE.width * 0.5) / 255;
  const CORNER = 30, EVEN_CORNER = 75, SHARP = 120, CORNER_BULGE = 2.2, ALIKE = 0.6, BULGE = 1;

  // Straight lines are a choice of the whole page; a class, so that all that draws is drawn anew with it.
  S.smooth = () => !S.host.classList.contains("straight-lines");
  S.setSmooth = (smooth) => S.host.classList.toggle("straight-lines", !smooth);

  const dot = (a, b) => a[0] * b[0] + a[1] * b[1];
  const cross = (a, b) => a[0] * b[1] - a[1] * b[0];
  const minus = (a, b) => [a[0] - b[0], a[1] - b[1]];
  const unit = (a) => {
    const length = Math.hypot(...a) || 1;
    return [a[0] / length, a[1] / length];
  };

  // Whether the line turns at the points before and after, where it has them (else NaN), as at point i.
  function alike(turns, i) {
    const last = turns.length - 1;
    const ratios = [turns[i === 1 ? last : i - 1] / turns[i], turns[i === last ? 1 : i + 1] / turns[i]];
    const found = ratios.map((ratio) => ratio >= ALIKE && ratio <= 1 / ALIKE);
    return ratios.every((ratio, k) => found[k] || isNaN(ratio)) && found.some(Boolean);
  }

  // For each point whether it is a corner, and whether the line turns evenly there; open ends are corners.
  function bends(chords, closed) {
    const count = chords.length, turns = new Array(count + 1).fill(NaN), lengths = chords.map((c) => Math.hypot(...c));
    const corner = new Array(count + 1).fill(true), even = new Array(count + 1).fill(false);
    for (let i = 1; i < count + closed; i++) {
      const after = chords[i % count];
      turns[i] = (Math.atan2(cross(chords[i - 1], after), dot(chords[i - 1], after)) * 180) / Math.PI;
    }
    for (let i = 1; i < count + closed; i++) {
      const turn = Math.abs(turns[i]), shorter = Math.min(lengths[i - 1], lengths[i % count]);
      const long = (((turn * Math.PI) / 180) * shorter) / 8 > CORNER_BULGE * PX;
      const most = alike(turns, i) ? EVEN_CORNER : CORNER;
      corner[i] = turn > SHARP || (long && turn > most) || shorter === 0;
    }
    const smooth = turns.map((turn, i) => (corner[i] ? NaN : turn));
    for (let i = 1; i < count + closed; i++) even[i] = !corner[i] && alike(smooth, i);
    corner[0] = corner[count];
    even[0] = even[count];
    return [corner, even];
  }

  const isClosed = (points) =>
    points.length > 3 && Math.hypot(...minus(points[points.length - 1], points[0])) <= PX;

  // The two control points between each point and the next.
  function controlPoints(points, closed = isClosed(points)) {
    const last = points.length - 1, chords = [];
    for (let i = 0; i < last; i++) chords.push(minus(points[i + 1], points[i]));
    const [corner, even] = bends(chords, closed ? 1 : 0);
    const tangent = (i) => unit(minus(points[i === last ? 1 : i + 1], points[i ? i - 1 : last - 1]));
    return chords.map((chord, i) => {
      const line = unit(chord), length = Math.hypot(...chord);
      const handles = [i, i + 1].map((at) => {
        const along = corner[at] ? line : tangent(at);
        const size = (2 * length) / (3 + 3 * Math.max(dot(along, line), 0));
        return [along[0] * size, along[1] * size];
      });
      const bulge = 0.75 * Math.max(...handles.map((handle) => Math.abs(cross(handle, line))));
      const free = [i, i + 1].every((at) => corner[at] || even[at]);
      const share = bulge > BULGE * PX && !free ? (BULGE * PX) / bulge : 1;
      const [[ax, ay], [bx, by]] = handles, [x, y] = points[i], [ex, ey] = points[i + 1];
      return [[x + share * ax, y + share * ay], [ex - share * bx, ey - share * by]];
    });
  }

  // Lists of points grow at their ends, and nothing else of them changes: a few points before the old end the
  // control points stay, but where the line closes.
  const known = new WeakMap();
  const TAIL = 6;

  S.controlPoints = function (points) {
    const found = known.get(points), count = points.length;
    if (found && found.count === count) return found.controls;
    let controls;
    if (found && found.count < count && found.count > 4 * TAIL && !isClosed(points) && !found.closed) {
      const kept = found.count - TAIL;
      controls = [...found.controls.slice(0, kept), ...controlPoints(points.slice(kept - TAIL), false).slice(TAIL)];
    } else {
      controls = controlPoints(points);
    }
    known.set(points, { count, controls, closed: isClosed(points) });
    return controls;
  };

  const between = (a, b, share) => [a[0] + share * (b[0] - a[0]), a[1] + share * (b[1] - a[1])];

  // Adds the curve from one point to the next to a path, or its first part (de Casteljau).
  S.curveTo = function (context, start, [first, second], end, share) {
    if (share < 1) {
      const middle = between(first, second, share);
      first = between(start, first, share);
      const late = between(middle, between(second, end, share), share);
      second = between(first, middle, share);
      end = between(second, late, share);
    }
    context.bezierCurveTo(first[0], first[1], second[0], second[1], end[0], end[1]);
  };
})(Sketchgen);
