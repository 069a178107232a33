// The model, in a thread of its own: questions of local.js in, messages out.
import { load } from "./engine/engine.js";

const stopping = new Map();     // number of a question -> its AbortController

const onProgress = ({ loaded, total }) => postMessage({ progress: loaded / total });
const loading = load(new URL("model/", self.location.href), { onProgress });
loading.then(() => postMessage({ loaded: true }), (error) => postMessage({ failed: error.message }));

const answers = {
  async draw({ drawing, best_of: bestOf, ...settings }, signal, tell) {
    const page = { width: drawing.width, height: drawing.height }, model = await loading;
    for await (const growth of model.complete(drawing.strokes, { ...settings, bestOf, page, signal })) tell(growth);
  },

  async guess({ drawing }, signal, tell) {
    const model = await loading;
    // Whoever has drawn on meanwhile has said so by now.
    await new Promise((go) => setTimeout(go));
    if (!signal.aborted) tell({ answer: model.guess(drawing.strokes).map(({ category, probability }) => [category, probability]) });
  },

  async ping(_, signal, tell) {
    tell({ answer: true });
  },
};

self.onmessage = async ({ data: { id, kind, question } }) => {
  if (kind === "stop") {
    if (stopping.has(id)) stopping.get(id).abort();
    return;
  }
  const stop = new AbortController();
  stopping.set(id, stop);
  try {
    await answers[kind](question, stop.signal, (message) => postMessage({ id, ...message }));
  } catch (error) {
    if (!stop.signal.aborted) postMessage({ id, error: error.message });
  }
  stopping.delete(id);
};
