// Draws with @magenta/sketch (npm install @magenta/sketch) in Node, one drawing after the other, as its own
// README does it; prints points and seconds. Called by sampling.py.
//
//   node magenta_sketch.js FOLDER-WITH-node_modules WEIGHTS.gen.json SECONDS
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

function drawing() {
  let state = model.zeroState();
  let stroke = model.zeroInput();
  let points = 0;
  while (points < 250) {
    state = model.update(stroke, state);
    const pdf = model.getPDF(state, 0.5);
    stroke = model.sample(pdf);
    if (stroke[4] === 1) break;
    points += 1;
  }
  return points;
}

drawing(); // warm
const begin = process.hrtime.bigint();
let points = 0;
let passed = 0;
while (passed < Number(seconds)) {
  points += drawing();
  passed = Number(process.hrtime.bigint() - begin) / 1e9;
}
log(JSON.stringify({ points, seconds: passed }));
