// What computes for a page without a server: the model in a worker of this browser. See transport.js.
"use strict";

(function (S) {
  const QUIET = 500;          // ms of loading before it is told

  const waiting = new Map();  // number of a question -> what takes its messages
  const loading = [];         // whom to tell that the model is there
  let worker = null, ready = false, broken = false, number = 0, begun = 0, told = false, alive = 0;

  // The worker is gone, and with it what it was asked; the next question starts another one.
  function end(words) {
    if (worker) worker.terminate();
    worker = null;
    const all = [...waiting.values()];
    waiting.clear();
    for (const tell of all) tell({ error: words });
  }

  // Without a reason the browser has no workers, or allows none.
  function fail(why) {
    const words = S.t(!navigator.onLine ? "static.offline" : why ? "static.no_model" : "static.no_worker", { why });
    end(words);
    broken = true;
    S.say(words, { stay: true });
  }

  function begin() {
    ready = broken = told = false;
    begun = performance.now();
    try {
      worker = new Worker(new URL("worker.js", document.baseURI), { type: "module" });
    } catch {
      fail();
      return;
    }
    worker.onmessage = ({ data }) => heard(data);
    worker.onerror = (event) => {
      event.preventDefault();
      // Before its first message it could not be started at all.
      if (ready) end(S.t("static.stopped"));
      else fail();
    };
  }

  function heard({ id, progress, loaded, failed, ...message }) {
    alive = performance.now();
    if (progress !== undefined) return tellProgress(progress);
    if (failed) return fail(failed);
    if (loaded) {
      ready = true;
      if (told) S.say("");
      for (const tell of loading.splice(0)) tell();
      return;
    }
    const tell = waiting.get(id);
    if (message.done || message.error || message.answer) waiting.delete(id);
    if (tell) tell(message);
  }

  function tellProgress(share) {
    told = told || performance.now() - begun > QUIET;
    if (told && !ready) S.say(S.t("static.loading", { percent: S.percent(share) }), { stay: true });
  }

  // Asks the worker; returns what stops it.
  function ask(kind, question, receive) {
    if (!worker) begin();
    if (!worker) {
      queueMicrotask(() => receive({ error: S.t("static.no_worker") }));
      return () => {};
    }
    const id = ++number;
    waiting.set(id, receive);
    worker.postMessage({ id, kind, question });
    return () => waiting.delete(id) && worker && worker.postMessage({ id, kind: "stop" });
  }

  // Browsers put tabs to sleep, and some end their workers meanwhile.
  document.addEventListener("visibilitychange", () => {
    if (document.hidden || !worker || !ready) return;
    const asked = worker, since = performance.now();
    // Points count as an answer, too: a slow machine may have others in the queue.
    setTimeout(() => worker === asked && alive < since && end(S.t("static.stopped")), S.local.patience);
    ask("ping", null, () => {});
  });

  const answering = (make) => async (question) => {
    try {
      return await make(question);
    } catch (error) {
      return { error: error.words || S.t("app.failed", { what: error.message }) };
    }
  };

  S.local = {
    // ms without an answer, after the tab was asleep, until the worker is taken to be gone.
    patience: 15000,

    formats: ["svg", "png", "animated", "excalidraw", "json", "ndjson"],

    // Starts to load the model; the promise is kept when it is there.
    begin: () => new Promise((go) => {
      loading.push(go);
      begin();
    }),

    draw(question, receive) {
      let stopped = false;
      const stop = ask("draw", question, (message) => stopped || receive(message));
      return () => {
        stopped = true;
        stop();
      };
    },

    // A model that cannot be loaded is tried again when somebody wants a drawing, not at every line.
    guess: (question, signal) => new Promise((go) => {
      if (broken) return go({});
      const stop = ask("guess", question, (message) => go({ guesses: message.answer }));
      signal.addEventListener("abort", () => {
        stop();
        go({});
      });
    }),

    names: async () => S.NAMES,
    open: answering((question) => S.opened(question)),
    save: answering((question) => S.savedAs(question)),
  };
})(Sketchgen);
