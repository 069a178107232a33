// The classifier of strokes; as sketchgen/models/numpy_classifier.py, recogniser.py and sketchgen/completion/guessing.py.

import { bounds, BOX, EPSILON, inBox, longer, rdp, rint, simplifyAsQuickdraw } from "./geometry.js";
import { Linear, Lstm } from "./layers.js";

const FEATURES = 13, OFFSET_SCALE = 32, POSITION_SCALE = 64, NEAR = 200, MAX_POINTS = 400, MAX_EPSILON = 16, GRID = 64;
const MAX_GUESSES = 5, MIN_SHARE = 0.1, IN_DOUBT = 0.5;

export class Classifier {
  constructor(config, weights) {
    const part = (name) => Linear.of(weights, `classifier.${name}`);
    this.categories = config.categories;
    this.logPrior = config.log_prior;
    this.heads = config.heads;
    [this.first, this.second, this.attention, this.pool, this.head] = ["first", "second", "attention", "pool", "head"].map(part);
    this.layers = config.widths.map((_, n) => ["forwards", "backwards"].map((way) => new Lstm(weights, `classifier.${way}.${n}`)));
  }

  /** Log probabilities of the categories for a drawing of at least one point, nats. */
  logProb(strokes) {
    const { features, count } = pointFeatures(pointSequence(strokes));
    let hidden = relu(this.first.apply(windows(features, count, FEATURES, 5), count)), length = count;
    hidden = relu(this.second.apply(windows(hidden, count, this.first.outputs, 3), count));
    this.layers.forEach(([forwards, backwards], n) => {
      if (n) [hidden, length] = pairs(hidden, length);
      const [ahead] = forwards.run(hidden, length, 1);
      const [back] = backwards.run(reversed(hidden, length), length, 1);
      hidden = interleaved(ahead, reversed(back, length), length);
    });
    const pooled = relu(this.pool.apply(this.#pooled(hidden, length), 1));
    const scores = Float64Array.from(this.head.apply(pooled, 1)), greatest = Math.max(...scores);
    const total = Math.log(scores.reduce((sum, score) => sum + Math.exp(score - greatest), 0)) + greatest;
    return scores.map((score) => score - total);
  }

  // The mean by attention, each head over its own channels, and the maximum.
  #pooled(hidden, length) {
    const width = hidden.length / length, each = width / this.heads, scores = this.attention.apply(hidden, length);
    const found = new Float32Array(2 * width).fill(-Infinity, width);
    for (let head = 0; head < this.heads; head++) {
      let greatest = -Infinity, total = 0;
      for (let n = 0; n < length; n++) greatest = Math.max(greatest, scores[n * this.heads + head]);
      for (let n = 0; n < length; n++) total += Math.exp(scores[n * this.heads + head] - greatest);
      for (let n = 0; n < length; n++) {
        const share = Math.exp(scores[n * this.heads + head] - greatest) / total;
        for (let i = head * each; i < (head + 1) * each; i++) {
          const value = hidden[n * width + i];
          found[i] += share * value;
          if (value > found[width + i]) found[width + i] = value;
        }
      }
    }
    return found;
  }

  /** The probability that a partial drawing becomes one of each category, if a person drew it. */
  belief(strokes) {
    if (!strokes.length) return this.categories.map(() => 1 / this.categories.length);
    // A page asks for guesses at each line, and then for completions of the same ones.
    const key = JSON.stringify(strokes);
    if (this.believed?.key !== key) this.believed = { key, share: this.#belief(strokes) };
    return this.believed.share;
  }

  #belief(strokes) {
    const odds = this.logProb(strokes).map((nats, n) => nats - this.logPrior[n]), greatest = Math.max(...odds);
    const share = Array.from(odds, (each) => Math.exp(each - greatest)), total = share.reduce((a, b) => a + b);
    return share.map((each) => each / total);
  }
}

/** What a partial drawing may become. */
export class Guesses {
  /** @param {Classifier} classifier @param {string[]} categories that count @param {number[][][]} strokes */
  constructor(classifier, categories, strokes) {
    const known = new Set(categories), belief = classifier.belief(strokes);
    const kept = belief.map((share, n) => (known.has(classifier.categories[n]) ? share : 0));
    const total = kept.reduce((a, b) => a + b);
    this.anything = !strokes.length;
    this.belief = kept.map((share) => share / total);
    this.names = classifier.categories;
  }

  /** The likeliest categories, the likeliest first; none where nothing is given. */
  top(count) {
    if (this.anything) return [];
    const order = Array.from(this.belief.keys()).sort((a, b) => this.belief[b] - this.belief[a] || a - b);
    const found = order.slice(0, count).map((n) => ({ category: this.names[n], probability: this.belief[n] }));
    return found.filter((guess) => guess.probability > 0);
  }

  /** The category of each of some candidates; null for none. From nothing each has one by chance. */
  categories(count, chance) {
    if (!this.anything) return sharedOut(this.top(MAX_GUESSES), count);
    const names = this.names.filter((_, n) => this.belief[n] > 0);
    for (let n = names.length - 1; n > 0; n--) {
      const other = Math.floor(chance() * (n + 1));
      [names[n], names[other]] = [names[other], names[n]];
    }
    return Array.from({ length: count }, (_, n) => names[n % names.length]);
  }
}

// Webster's method: shares as near to the probabilities as may be, however many are taken.
function sharedOut(guesses, count) {
  const chosen = guesses.filter((guess) => guess.probability >= MIN_SHARE * guesses[0].probability);
  const weight = chosen.map((guess) => guess.probability), sum = weight.reduce((a, b) => a + b);
  const names = [...chosen.map((guess) => guess.category), null], taken = names.map(() => 0);
  // No category counts as much as the likeliest.
  weight.push(sum < IN_DOUBT ? weight[0] : 0);
  return Array.from({ length: count }, () => {
    const quotient = weight.map((each, n) => each / (taken[n] + 0.5)), row = quotient.indexOf(Math.max(...quotient));
    taken[row]++;
    return names[row];
  });
}

/** The simplified points of a drawing in its own box, px, and at which of them a stroke ends. */
function pointSequence(strokes) {
  const placed = inBox(strokes).map((line) => line.map((point) => point.map((value) => rint(value * GRID) / GRID)));
  let thin = simplifyAsQuickdraw(placed), epsilon = EPSILON;
  const count = () => thin.reduce((sum, line) => sum + line.length, 0);
  while (count() > MAX_POINTS && epsilon < MAX_EPSILON) {
    epsilon *= 1.5;
    thin = thin.map((line) => rdp(line, epsilon));
  }
  const lift = thin.flatMap((line) => line.map((_, n) => n === line.length - 1));
  return { points: thin.flat().slice(0, MAX_POINTS), lift: lift.slice(0, MAX_POINTS) };
}

function pointFeatures({ points, lift }) {
  const box = bounds([points]), scale = longer(box) > 0 ? BOX / longer(box) : 1, count = points.length;
  const placed = points.map(([x, y]) => [(x - (box[0] + box[2]) / 2) * scale, (y - (box[1] + box[3]) / 2) * scale]);
  const features = new Float32Array(count * FEATURES);
  let start = placed[0], strokes = 0;
  placed.forEach(([x, y], n) => {
    const begins = !n || lift[n - 1];
    if (begins) {
      start = placed[n];
      strokes++;
    }
    const before = placed[Math.max(n - 1, 0)], dx = x - before[0], dy = y - before[1], away = Math.hypot(dx, dy);
    const sx = x - start[0], sy = y - start[1], unit = Math.max(away, 1e-9);
    features.set([
      dx / OFFSET_SCALE, dy / OFFSET_SCALE, x / POSITION_SCALE, y / POSITION_SCALE, sx / POSITION_SCALE, sy / POSITION_SCALE,
      Math.exp(-(sx * sx + sy * sy) / NEAR), Number(!begins), Number(lift[n]), Math.log1p(away) / 4,
      dx / unit, dy / unit, Math.tanh((strokes - 1) / 8),
    ], n * FEATURES);
  });
  return { features, count };
}

const relu = (values) => values.map((value) => Math.max(value, 0));

// Each step beside its neighbours, `span` in all; 0 beyond the ends.
function windows(values, count, width, span) {
  const found = new Float32Array(count * span * width), side = span >> 1;
  for (let n = 0; n < count; n++) {
    for (let k = 0; k < span; k++) {
      const from = n + k - side;
      if (from >= 0 && from < count) found.set(values.subarray(from * width, (from + 1) * width), (n * span + k) * width);
    }
  }
  return found;
}

// Steps 0 and 1 side by side, then 2 and 3; 0 beside a last one that is alone.
function pairs(values, count) {
  const width = values.length / count, half = (count + 1) >> 1, found = new Float32Array(2 * half * width);
  found.set(values);
  return [found, half];
}

function reversed(values, count) {
  const width = values.length / count, found = new Float32Array(values.length);
  for (let n = 0; n < count; n++) found.set(values.subarray(n * width, (n + 1) * width), (count - 1 - n) * width);
  return found;
}

function interleaved(one, two, count) {
  const width = one.length / count, found = new Float32Array(2 * one.length);
  for (let n = 0; n < count; n++) {
    found.set(one.subarray(n * width, (n + 1) * width), 2 * n * width);
    found.set(two.subarray(n * width, (n + 1) * width), (2 * n + 1) * width);
  }
  return found;
}
