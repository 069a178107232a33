// An engine that knows a zigzag: what the page without a server needs of one, for tests of all around it.

const next = () => new Promise((go) => setTimeout(go, 5));

export async function load(url, { onProgress } = {}) {
  const about = await (await fetch(url + "model.json")).json();
  if (about.version !== 1) throw new Error(`model.json has version ${about.version}; this page reads 1`);
  const bytes = await (await fetch(url + "model.bin")).arrayBuffer();
  if (bytes.byteLength !== about.bytes) throw new Error(`model.bin has ${bytes.byteLength} bytes of ${about.bytes}`);
  if (onProgress) onProgress({ loaded: about.bytes, total: about.bytes });
  return {
    categories: about.categories,
    guess: () => [{ category: about.categories[0], probability: 0.9 }],
    async *complete(strokes, { count }) {
      const last = strokes.length ? strokes[strokes.length - 1].slice(-1)[0] : [320, 240];
      const category = about.categories[0];
      for (let step = 1; step <= 20; step++) {
        await next();
        const alts = Array.from({ length: count }, (_, i) => [[last[0] + 5 * step, last[1] + (step % 2 ? 20 + i : 0), step % 5 ? 0 : 1]]);
        yield { alts, done: false, ...(step === 1 ? { guesses: [[category, 0.9]] } : {}) };
      }
      yield { alts: Array.from({ length: count }, () => []), anew: [], categories: Array(count).fill(category), done: true };
    },
  };
}
