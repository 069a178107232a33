// Finishes drawings: `load` a model, then `complete`, `generate` and `guess`. docs/javascript.md has the whole story.
//
// Plain typed arrays, no other library; the same in a page, in a Worker and in Node.

import { Classifier, Guesses } from "./classifier.js";
import { Closing } from "./closing.js";
import { Decoder } from "./decoder.js";
import { read } from "./file.js";
import { GivenPart } from "./given.js";
import { shareAtEdge } from "./ink.js";
import { DRAW, LIFT } from "./mixture.js";
import { firstNumber, Philox } from "./philox.js";
import { select } from "./ranking.js";
import { steps } from "./sampler.js";
import { mirrored, placed } from "./symmetry.js";

const MAX_STROKES = 500, MAX_POINTS = 20000, MAX_COORDINATE = 1e9, MAX_COUNT = 64, MAX_BEST_OF = 16;
const MAX_TEMPERATURE = 2, MAX_GUIDANCE = 10, MAX_LIMIT = 10000, MAX_SEED = 2 ** 53 - 1, MAX_CUT_OFF = 0.5, ENOUGH = 0.875;

/** Milliseconds between growth events: a screen shows no more than sixty a second. */
const FLUSH = 1000 / 60;

/**
 * Loads a model from a folder that `sketchgen export web` wrote.
 * @param {string | URL} url of the folder; in Node also one of a file
 * @param {{onProgress?: (part: {loaded: number, total: number}) => void, signal?: AbortSignal}} [options]
 * @returns {Promise<Model>}
 * @throws {Error} in one line, if there is none, or it is cut off, damaged or of another version
 */
export async function load(url, options = {}) {
  const { about, weights } = await read(url, options);
  return new Model(about, weights);
}

export class Model {
  constructor(about, weights) {
    this.about = about;
    /** @type {string[]} names of the categories */
    this.categories = about.categories;
    this.decoder = new Decoder(about.network, weights);
    this.classifier = about.classifier ? new Classifier(about.classifier, weights) : null;
  }

  /** Whether the model can be drawn towards a category by guidance. */
  get guidable() {
    return this.about.sampling.guidable;
  }

  /**
   * What a drawing may become, the likeliest category first; nothing for an empty one or without a classifier.
   * @param {number[][][]} strokes
   * @returns {{category: string, probability: number}[]}
   */
  guess(strokes, top = 5) {
    const given = checkedStrokes(strokes);
    return this.classifier ? new Guesses(this.classifier, this.categories, given).top(top) : [];
  }

  /**
   * Completes a drawing in several ways, point by point.
   * @param {number[][][]} strokes [x, y] of the points of each, y down; what follows y is ignored
   * @param {object} [settings]
   * @param {string} [settings.category] a name, "auto" (default) to guess it, or "none"
   * @param {number} [settings.count] alternatives
   * @param {number} [settings.seed]
   * @param {number} [settings.temperature] 0 to 2
   * @param {number} [settings.guidance] pull towards the category; by default the model's own
   * @param {number} [settings.bestOf] candidates for each alternative
   * @param {number} [settings.limit] most points that are added
   * @param {boolean} [settings.continueStroke] whether the last stroke is continued; by default chance decides
   * @param {{x?: number, y?: number, width: number, height: number}} [settings.page] that added points stay on
   * @param {AbortSignal} [settings.signal]
   * @returns {AsyncGenerator<Growth>}
   * @typedef {object} Growth
   * @property {number[][][]} alts new points [x, y, pen] of each alternative; pen 1 where the line is lifted, else 0
   * @property {boolean} done whether this is the last one
   * @property {[string, number][]} [guesses] in the first one, if the category was guessed
   * @property {number[]} [anew] in the last one: alternatives that begin again with these points
   * @property {(string | null)[]} [categories] in the last one: under which each was drawn
   */
  async *complete(strokes, settings = {}) {
    const { signal, ...rest } = settings, run = new Run(this, checkedStrokes(strokes), rest);
    let flushed = -Infinity, first = true;
    for (const drawn of run.draw()) {
      if (performance.now() - flushed < FLUSH) continue;
      signal?.throwIfAborted();
      const guesses = first && run.guesses ? run.guesses.top(5).map((each) => [each.category, each.probability]) : [];
      yield { alts: drawn(), done: false, ...(guesses.length ? { guesses } : {}) };
      first = false;
      // Whoever wants to stop it gets the chance to say so.
      await pause();
      signal?.throwIfAborted();
      flushed = performance.now();
    }
    // Choosing takes a while, too.
    const choosing = run.last();
    let step = choosing.next();
    for (; !step.done; step = choosing.next()) {
      await pause();
      signal?.throwIfAborted();
    }
    yield step.value;
  }

  /**
   * Draws from nothing; settings as for `complete`.
   * @returns {Promise<{category: string | null, strokes: number[][][]}[]>}
   */
  async generate(settings = {}) {
    const found = [];
    for await (const { alts, anew = [], categories } of this.complete([], settings)) {
      for (const n of anew) found[n] = [];
      alts.forEach((points, n) => (found[n] = [...(found[n] || []), ...points]));
      if (categories) return found.map((points, n) => ({ category: categories[n], strokes: toStrokes(points) }));
    }
    return [];
  }
}

/** Points [x, y, pen] as strokes of points [x, y]. */
export function toStrokes(points) {
  const found = [];
  let open = false;
  for (const [x, y, pen] of points) {
    if (open) found[found.length - 1].push([x, y]);
    else found.push([[x, y]]);
    open = pen === DRAW;
  }
  return found;
}

// The candidates of one drawing while they are sampled; as sketchgen/completion/run.py and completer.py.
class Run {
  constructor(model, strokes, settings) {
    const { sampling } = model.about;
    this.model = model;
    this.settings = checkedSettings(settings, sampling);
    const { category, count, bestOf, page, seed } = this.settings, auto = category === "auto";
    this.guesses = auto && model.classifier ? new Guesses(model.classifier, model.categories, strokes) : null;
    this.category = auto ? null : named(category, model.categories);
    const known = this.guesses || (model.classifier && model.classifier.categories.includes(this.category));
    const several = bestOf > 1 && (strokes.length > 0 || Boolean(known));
    this.total = several ? count * bestOf : count;
    this.part = new GivenPart(strokes, page, { closing: sampling.closing, epsilon: model.about.frame.epsilon });
    const images = several && !this.settings.continueStroke ? placed(mirrored(this.part), this.total) : new Map();
    const chance = new Philox(seed, 0, true);
    const names = this.guesses ? this.guesses.categories(this.total, () => chance.uniform()) : Array(this.total).fill(this.category);
    // What is only mirrored is the same under any category.
    this.names = names.map((name, row) => (images.has(row) && !images.get(row).goesOn ? names[0] : name));
    this.batch = new Batch(this, this.part, this.names, images);
    if (several && strokes.length) this.batch.enough = Math.ceil(ENOUGH * this.total);
    this.shown = Array.from({ length: count }, (_, place) => (place * this.total) / count);
    this.points = this.shown.map(() => []);
    this.sent = this.shown.map(() => 0);
  }

  /** Samples; after each point yields what returns the points that have not been told. */
  *draw() {
    for (const rows of this.batch.draw()) {
      this.shown.forEach((row, place) => rows[row] && this.points[place].push(rows[row]));
      yield () => this.#fresh();
    }
  }

  #fresh() {
    const found = this.points.map((points, place) => points.slice(this.sent[place]));
    this.sent = this.points.map((points) => points.length);
    return found;
  }

  /** Returns the last growth, with the chosen candidates; yields now and then, for others to get their turn. */
  *last() {
    const { count, page } = this.settings, { strokes } = this.part;
    let candidates = this.batch.candidates(), rows = this.shown;
    if (candidates.length > count) {
      const cut = candidates.filter((each) => shareAtEdge(strokes, each.added, page) > 0).length;
      if (cut > MAX_CUT_OFF * candidates.length) candidates = [...candidates, ...(yield* this.#onPage())];
      const { classifier, about } = this.model, belief = this.guesses && this.guesses.belief;
      rows = yield* select(candidates, count, { strokes, page, classifier, belief, category: this.category, usual: about.usual_ink });
    }
    const anew = [];
    rows.forEach((row, place) => {
      const points = toPoints(candidates[row].added);
      // Of what was told a stroke may be left out as redrawn, or be made like a given one.
      if (same(points, this.points[place])) return;
      anew.push(place);
      this.points[place] = points;
      this.sent[place] = 0;
    });
    return { alts: this.#fresh(), anew, categories: rows.map((row) => candidates[row].category), done: true };
  }

  // Further candidates in frames of whole drawings that stay on the page, half as many in all.
  *#onPage() {
    const frames = this.part.onPageFrames(), found = [];
    for (const part of frames) {
      const names = this.names.slice(0, Math.ceil(this.names.length / (2 * frames.length)));
      const batch = new Batch(this, part, names, new Map());
      for (const _ of batch.draw()) yield;
      found.push(...batch.candidates());
    }
    return found;
  }
}

// Candidates of one given part in one frame.
class Batch {
  constructor({ model, settings }, part, names, images) {
    const { decoder, categories, about } = model, { temperature, seed, continueStroke, limit } = settings, any = about.any_category;
    const category = names.map((name) => (name === null ? any : categories.indexOf(name)));
    // No category cannot be guided towards.
    const guidance = category.every((each) => each === any) ? 0 : settings.guidance;
    const reading = decoder.read(part.steps, [...new Set(guidance ? [...category, any] : category)]);
    let going = names.map(() => Boolean(continueStroke) && !part.isEmpty);
    if (continueStroke === null) {
      const done = part.done(decoder, reading, category[0], temperature);
      going = names.map((_, row) => (temperature === 0 ? 0.5 : firstNumber(seed, row)) >= done);
    }
    this.going = going.map((each, row) => each && !images.has(row));
    Object.assign(this, { part, names, images, count: names.length });
    const forced = new Map(Array.from(images, ([row, image]) => [row, image.steps]));
    const more = { category, goingOn: this.going, seed, temperature, limit, guidance, any, edges: part.edges, forced };
    this.steps = steps(decoder, reading, more);
    this.lines = names.map(() => ({ points: [], pens: [], nats: 0, ended: false }));
  }

  /** After each step yields a point [x, y, pen] on the page for each candidate; null where there is none. */
  *draw() {
    const { part, going, lines } = this, at = lines.map(() => [0, 0]);
    if (going.some(Boolean)) yield going.map((each) => (each ? [...part.origin, DRAW] : null));
    const closings = going.map((each) => new Closing(part.closer, each));
    for (const step of this.steps) {
      yield lines.map((line, row) => {
        line.nats += step.nats[row];
        line.ended = step.ended[row];
        if (!step.drawn[row]) return null;
        at[row] = [at[row][0] + step.offset[2 * row], at[row][1] + step.offset[2 * row + 1]];
        line.points.push(at[row]);
        line.pens.push(step.pen[row]);
        return [...part.onPage(closings[row].next(at[row], step.pen[row])), step.pen[row]];
      });
      if (lines.filter((line) => line.ended).length >= this.enough) {
        lines.forEach((line, row) => (line.givenUp = Boolean(step.drawn[row])));
        return;
      }
    }
  }

  candidates() {
    return this.lines.flatMap(({ points, pens, nats, ended, givenUp }, row) => {
      if (givenUp) return [];
      const image = this.images.get(row), added = this.part.added(points, pens, this.going[row]);
      return { added, nats, ended, category: this.names[row], symmetry: image ? image.symmetry : 0 };
    });
  }
}

const toPoints = (strokes) => strokes.flatMap((stroke) => stroke.map(([x, y], n) => [x, y, n === stroke.length - 1 ? LIFT : DRAW]));
const same = (one, two) => one.length === two.length && one.every(([x, y], n) => x === two[n][0] && y === two[n][1]);

// A moment in which messages and timers get their turn.
function pause() {
  if (globalThis.setImmediate) return new Promise((go) => setImmediate(go));
  return new Promise((go) => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => {
      port1.close();
      go();
    };
    port2.postMessage(null);
  });
}

function checkedStrokes(strokes) {
  if (!Array.isArray(strokes)) throw new TypeError("strokes must be a list of strokes, each a list of points [x, y]");
  if (strokes.length > MAX_STROKES) throw new RangeError(`${strokes.length} strokes; at most ${MAX_STROKES} are taken`);
  let count = 0;
  const found = strokes.map((stroke, n) => {
    if (!Array.isArray(stroke) || !stroke.length) throw new TypeError(`stroke ${n} must be a list of one or more points [x, y]`);
    if ((count += stroke.length) > MAX_POINTS) throw new RangeError(`more than ${MAX_POINTS} points; simplify the drawing`);
    return stroke.map((point) => {
      const [x, y] = Array.isArray(point) ? point : [];
      if (!(Math.abs(x) <= MAX_COORDINATE && Math.abs(y) <= MAX_COORDINATE)) {
        throw new TypeError(`stroke ${n} has a point that is not [x, y] of numbers up to ${MAX_COORDINATE}`);
      }
      return [Number(x), Number(y)];
    });
  });
  return found;
}

function checkedSettings(settings, { temperature, limit, guidance, guidable }) {
  const { category = "auto", continueStroke = null, page = null } = settings;
  const number = (name, value, low, high, whole = true) => {
    if (typeof value === "number" && value >= low && value <= high && (!whole || Number.isInteger(value))) return value;
    throw new RangeError(`${name} must be a ${whole ? "whole " : ""}number from ${low} to ${high}, not ${value}`);
  };
  const found = {
    category: category || "auto",
    continueStroke,
    count: number("count", settings.count ?? 1, 1, MAX_COUNT),
    bestOf: number("bestOf", settings.bestOf ?? 1, 1, MAX_BEST_OF),
    seed: number("seed", settings.seed ?? 0, 0, MAX_SEED),
    limit: number("limit", settings.limit ?? limit, 1, MAX_LIMIT),
    temperature: number("temperature", settings.temperature ?? temperature, 0, MAX_TEMPERATURE, false),
    guidance: number("guidance", settings.guidance ?? guidance, 0, MAX_GUIDANCE, false),
    page: page && [page.x ?? 0, page.y ?? 0, page.width, page.height],
  };
  if (found.guidance && !guidable) throw new RangeError("this model cannot be guided: use guidance 0");
  if (page && !found.page.every((value) => Math.abs(value) <= 10 * MAX_COORDINATE)) throw new TypeError("page must have a width and a height");
  return found;
}

// The category in its own spelling; null for none.
function named(category, categories) {
  const wanted = String(category).trim().toLowerCase();
  if (wanted === "none" || wanted === "any") return null;
  const found = categories.find((each) => each.toLowerCase() === wanted);
  if (!found) throw new RangeError(`no category ${String(category).slice(0, 60)}; there are ${categories.length}, see model.categories`);
  return found;
}
