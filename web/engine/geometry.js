// Lines as lists of points [x, y], y down; as sketchgen/sketch/geometry.py and distance.py.

export const BOX = 255, CENTRE = BOX / 2, EPSILON = 2;

const MIN_EXTENT = 1e-9, MAX_RESAMPLED = 5e6, RDP_EFFORT = 2e7, RDP_SPAN = 256;

export const far = (a, b) => Math.hypot(a[0] - b[0], a[1] - b[1]);

/** Rounds half to even, as numpy does. */
export function rint(value) {
  const whole = Math.round(value);
  return whole % 2 && Math.abs(value % 1) === 0.5 ? whole - 1 : whole;
}

/** The box [left, top, right, bottom] of strokes; null for none. */
export function bounds(strokes) {
  if (!strokes.length) return null;
  const found = [Infinity, Infinity, -Infinity, -Infinity];
  for (const stroke of strokes) {
    for (const [x, y] of stroke) {
      if (x < found[0]) found[0] = x;
      if (y < found[1]) found[1] = y;
      if (x > found[2]) found[2] = x;
      if (y > found[3]) found[3] = y;
    }
  }
  return found;
}

export const longer = (box) => Math.max(box[2] - box[0], box[3] - box[1]);

/** Length of all strokes together. */
export function lineLength(strokes) {
  let sum = 0;
  for (const stroke of strokes) for (let n = 1; n < stroke.length; n++) sum += far(stroke[n - 1], stroke[n]);
  return sum;
}

/** Points every `spacing` along a line; its first and last point stay exactly. */
export function resample(line, spacing = 1) {
  const along = [0];
  for (let n = 1; n < line.length; n++) along.push(along[n - 1] + far(line[n - 1], line[n]));
  const length = along[along.length - 1];
  if (length === 0) return line.slice(0, 1);
  if (length > spacing * MAX_RESAMPLED) throw new RangeError(`a line of ${length} px has too many points ${spacing} px apart; scale it down`);
  const found = [];
  for (let n = 0, k = 0, at = 0; (at = n * spacing) < length; n++) {
    while (k < line.length - 2 && along[k + 1] <= at) k++;
    const [a, b] = [line[k], line[k + 1]], step = along[k + 1] - along[k], part = at - along[k];
    found.push(step > 0 ? [((b[0] - a[0]) / step) * part + a[0], ((b[1] - a[1]) / step) * part + a[1]] : [...a]);
  }
  found.push([...line[line.length - 1]]);
  return found;
}

/** Points every `spacing` along each stroke, wider for more than about `most` in all. */
export function evenly(strokes, spacing, most) {
  const wide = Math.max(spacing, lineLength(strokes) / most);
  return strokes.map((stroke) => resample(stroke, wide));
}

/** A line without the points near the line through their kept neighbours: Ramer 1972, Douglas and Peucker 1973. */
export function rdp(line, epsilon = EPSILON) {
  if (line.length < 3) return line;
  const keep = new Uint8Array(line.length), spans = [[0, line.length - 1]];
  keep[0] = keep[line.length - 1] = 1;
  let effort = Math.max(RDP_EFFORT, 32 * line.length);
  while (spans.length) {
    const [first, last] = spans.pop();
    if (last - first < 2) continue;
    let middle = (first + last) >> 1;
    if (effort >= 0 || last - first <= RDP_SPAN) {
      effort -= last - first;
      const [gap, worst] = farthest(line, first, last);
      if (gap <= epsilon) continue;
      middle = worst;
    }
    keep[middle] = 1;
    spans.push([first, middle], [middle, last]);
  }
  return line.filter((_, n) => keep[n]);
}

function farthest(line, first, last) {
  const [x, y] = line[first], dx = line[last][0] - x, dy = line[last][1] - y, norm = Math.hypot(dx, dy);
  let gap = -1, worst = first;
  for (let n = first + 1; n < last; n++) {
    const px = line[n][0] - x, py = line[n][1] - y;
    const away = norm === 0 ? Math.hypot(px, py) : Math.abs(px * dy - py * dx) / norm;
    if (away > gap) [gap, worst] = [away, n];
  }
  return [gap, worst];
}

/** Strokes resampled and thinned. */
export const simplify = (strokes, epsilon = EPSILON) => strokes.map((stroke) => rdp(resample(stroke), epsilon));

/** A drawing simplified as Quick, Draw! does it: scaled to 255 px, resampled, thinned, rounded, aligned to 0. */
export function simplifyAsQuickdraw(strokes) {
  const box = bounds(strokes), side = longer(box) > MIN_EXTENT ? longer(box) : BOX;
  const aligned = strokes.map((stroke) => stroke.map(([x, y]) => [((x - box[0]) * BOX) / side, ((y - box[1]) * BOX) / side]));
  const thin = simplify(aligned).map(wholePixels);
  if (thin[0].length === 1) thin[0] = [thin[0][0], thin[0][0]];
  const [left, top] = bounds(thin);
  return thin.map((stroke) => stroke.map(([x, y]) => [x - left, y - top]));
}

function wholePixels(stroke) {
  const rounded = stroke.map(([x, y]) => [rint(x), rint(y)]);
  return rounded.filter(([x, y], n) => !n || x !== rounded[n - 1][0] || y !== rounded[n - 1][1]);
}

/** The frame that aligns a drawing to the origin, its longer side 255 px. */
export function inBox(strokes) {
  const box = bounds(strokes), scale = longer(box) > MIN_EXTENT ? longer(box) / BOX : 1;
  return strokes.map((stroke) => stroke.map(([x, y]) => [(x - box[0]) / scale, (y - box[1]) / scale]));
}

/** Distance of a point from the nearest of some; `most` at most. */
export function nearest(point, others, most = BOX) {
  let found = most * most;
  for (const [x, y] of others) {
    const dx = x - point[0], dy = y - point[1], square = dx * dx + dy * dy;
    if (square < found) found = square;
  }
  return Math.sqrt(found);
}

/** Points and pens as strokes: the pen is lifted after a point with 1. */
export function splitStrokes(points, lifted) {
  const found = [];
  let open = false;
  points.forEach((point, n) => {
    if (open) found[found.length - 1].push(point);
    else found.push([point]);
    open = !lifted[n];
  });
  return found;
}
