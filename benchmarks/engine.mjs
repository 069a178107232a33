// Speed of the engine in Node, in time of the processor: to the first points, and points a second after them, for four
// alternatives of a circle with two eyes under the default guidance.
//
//     sketchgen export web tiny -o page/
//     node benchmarks/engine.mjs page/model

import { pathToFileURL } from "node:url";
import { load } from "../web/engine/engine.js";

const milliseconds = (since) => {
  const { user, system } = process.cpuUsage(since);
  return (user + system) / 1000;
};

const ring = (x, y, radius, count) => Array.from({ length: count }, (_, n) => {
  const turn = (2 * Math.PI * n) / (count - 1);
  return [x + radius * Math.cos(turn), y + radius * Math.sin(turn)];
});

let begun = process.cpuUsage();
const model = await load(pathToFileURL(process.argv[2]));
console.log(`loaded in ${milliseconds(begun).toFixed(0)} ms`);
const strokes = [ring(320, 240, 150, 60), ring(270, 200, 20, 20), ring(370, 200, 20, 20)];
for (let seed = 0; seed < 5; seed++) {
  begun = process.cpuUsage();
  model.guess(strokes);
  const guess = milliseconds(begun);
  begun = process.cpuUsage();
  let first = 0, points = 0;
  for await (const { alts, anew = [] } of model.complete(strokes, { category: "cat", count: 4, seed, temperature: 0.4 })) {
    if (first && !anew.length) points += alts.reduce((sum, each) => sum + each.length, 0);
    first ||= milliseconds(begun);
  }
  const rate = (1000 * points) / (milliseconds(begun) - first);
  console.log(`guess ${guess.toFixed(0)} ms, first points ${first.toFixed(0)} ms, then ${rate.toFixed(0)} points/s`);
}
