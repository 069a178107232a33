// The model, in a thread of its own: questions of local.js in, messages out.
import { load } from "./engine/index.js";

const stopping = new Map();     // number of a question -> its AbortController
const { port1, port2 } = new MessageChannel();
const resting = [];
port1.onmessage = () => resting.shift()();

// Lets the messages in that have come meanwhile, such as "stop".
const rest = () => new Promise((go) => {
  resting.push(go);
  port2.postMessage(null);
});

const model = load(new URL("model/", self.location.href).href, { onProgress: (share) => postMessage({ progress: share }) });
model.then(() => postMessage({ loaded: true }), (error) => postMessage({ failed: error.message }));

const answers = {
  async draw(id, { drawing, best_of, ...settings }) {
    const stop = new AbortController(), { strokes, width, height } = drawing;
    stopping.set(id, stop);
    const page = { width, height }, found = await model;
    for await (const growth of found.complete(strokes, { ...settings, bestOf: best_of, page, signal: stop.signal })) {
      if (stop.signal.aborted) return;
      postMessage({ id, ...growth });
      await rest();
    }
  },

  async guess(id, { drawing }) {
    const found = await model;
    await rest();
    // Whoever has drawn on meanwhile has asked anew.
    if (stopping.get(id)) return;
    const guesses = await found.guess(drawing.strokes);
    postMessage({ id, answer: guesses.slice(0, 5).map(({ category, probability }) => [category, probability]) });
  },

  ping: (id) => postMessage({ id, answer: true }),

  stop(id) {
    if (stopping.has(id)) stopping.get(id).abort();
    else stopping.set(id, new AbortController());
  },
};

self.onmessage = async ({ data: { id, kind, question } }) => {
  try {
    await answers[kind](id, question);
  } catch (error) {
    if (error.name !== "AbortError") postMessage({ id, error: error.message });
  }
  if (kind !== "stop") stopping.delete(id);
};
