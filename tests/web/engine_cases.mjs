// Runs the engine on what comes in on standard input, and writes what it found; see test_engine.py.

import { readFileSync } from "node:fs";

const { engine, model: folder, cases, damaged, inks } = JSON.parse(readFileSync(0, "utf8"));
const { load, toStrokes } = await import(`${engine}/engine.js`);
const { GivenPart } = await import(`${engine}/given.js`);
const { GivenInk, shareAtEdge } = await import(`${engine}/ink.js`);
const { firstNumber, Philox } = await import(`${engine}/philox.js`);
const { mirrored } = await import(`${engine}/symmetry.js`);

const refusal = async (attempt) => {
  try {
    await attempt();
    return null;
  } catch (error) {
    return error.message;
  }
};

async function completed(model, { strokes, ...settings }) {
  const found = [];
  let growths = 0, last = null;
  for await (last of model.complete(strokes, settings)) {
    for (const n of last.anew || []) found[n] = [];
    last.alts.forEach((points, n) => (found[n] = [...(found[n] || []), ...points]));
    growths++;
  }
  return { strokes: found.map(toStrokes), categories: last.categories, growths, guesses: model.guess(strokes) };
}

const random = new Philox(2 ** 53 - 1, 3), model = await load(folder), answers = [];
for (const each of cases) answers.push(await completed(model, each));
const stopping = new AbortController(), seen = [];
const stopped = await refusal(async () => {
  for await (const growth of model.complete([], { category: "cat", signal: stopping.signal })) {
    seen.push(growth);
    stopping.abort(new Error("stopped"));
  }
});
const dot = [[[0, 0]]], many = [Array.from({ length: 5000 }, (_, n) => [n % 300, 100 * Math.sin(n / 40)])];
process.stdout.write(JSON.stringify({
  uniform: Array.from({ length: 20 }, () => random.uniform()),
  normal: Array.from({ length: 20000 }, () => random.normal()),
  first: firstNumber(5, 3),
  cases: answers,
  stopped: [stopped, seen.length],
  refused: {
    model: await Promise.all(damaged.map((place) => refusal(() => load(place)))),
    strokes: await refusal(() => model.guess([[[0, NaN]]])),
    count: await refusal(() => model.generate({ count: 0 })),
    category: await refusal(() => model.generate({ category: "dgo" })),
  },
  generated: await model.generate({ category: "auto", count: 3, limit: 20 }),
  odd: [await completed(model, { strokes: dot, limit: 5, page: { width: 640, height: 480 } }), await completed(model, { strokes: many, limit: 5 })],
  best: await completed(model, { strokes: cases[0].strokes, category: "cat", count: 2, bestOf: 4, limit: 40 }),
  inks: inks.map(({ given, added, page }) => ({
    measured: new GivenInk(given).measure(added),
    along: new GivenInk(given).sharesAlong(added),
    edge: shareAtEdge(given, added, page),
    mirrored: mirrored(new GivenPart(given, null, {})).map((image) => [image.symmetry, image.strokes.length]),
  })),
}));
