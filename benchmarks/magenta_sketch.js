// Draws with @magenta/sketch (npm install @magenta/sketch) in Node, as its own README does it.
//
//   node magenta_sketch.js FOLDER-WITH-node_modules WEIGHTS.gen.json [SECONDS]
//
// With SECONDS it draws one drawing after the other, and prints points and seconds; called by sampling.py.
// Without, it prints twelve drawings: of each step what was read (none first) and the distribution of the next
// step at temperature 1; called by magenta.py.
const path = require("path");
const fs = require("fs");
const [, , folder, weights, seconds] = process.argv;
const log = console.log;
console.log = () => {}; // tfjs advertises itself
console.warn = () => {};
const ms = require(require.resolve("@magenta/sketch", { paths: [path.resolve(folder)] }));
const model = new ms.SketchRNN("");
model.instantiateFromJSON(...JSON.parse(fs.readFileSync(weights, "utf8")));
model.initialized = true;
model.setPixelFactor(1.0);
const MIXTURE = 20;

function drawing(temperature, seen) {
  let state = model.zeroState();
  let stroke = [0, 0, 0, 0, 0]; // as in Magenta's demo; zeroInput() of the package has the pen down
  let points = 0;
  while (points < 250) {
    state = model.update(stroke, state);
    if (seen) seen(points > 0 ? stroke : null, model.getPDF(state, 1.0));
    stroke = model.sample(model.getPDF(state, temperature));
    if (stroke[4] === 1) break;
    points += 1;
  }
  return points;
}

function distributions() {
  const steps = [];
  const plain = (values) => Array.from(values).slice(0, MIXTURE); // sigmaY has more behind it
  drawing(0.5, (read, pdf) => {
    const step = { read };
    for (const name of Object.keys(pdf)) step[name] = plain(pdf[name]);
    steps.push(step);
  });
  return steps;
}

function rate() {
  drawing(0.5); // warm
  const begin = process.hrtime.bigint();
  let points = 0;
  let passed = 0;
  while (passed < Number(seconds)) {
    points += drawing(0.5);
    passed = Number(process.hrtime.bigint() - begin) / 1e9;
  }
  return { points, seconds: passed };
}

log(JSON.stringify(seconds ? rate() : Array.from({ length: 12 }, distributions)));
