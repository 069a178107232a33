// What computes for the page, `S.server`: here the addresses of a server. static/local.js does the same without one.
"use strict";

(function (S) {
  async function refusal(answer) {
    try {
      return (await answer.json()).detail;
    } catch {
      return S.t("run.refused", { status: answer.status });
    }
  }

  // Calls `receive` with each message of the answer, as they come in.
  async function read(answer, receive) {
    const reader = answer.body.getReader(), decoder = new TextDecoder();
    let rest = "", message = {};
    for (;;) {
      const { done, value } = await reader.read();
      if (done) break;
      const lines = (rest + decoder.decode(value, { stream: true })).split("\n");
      rest = lines.pop();
      for (const line of lines) receive((message = JSON.parse(line)));
    }
    if (!message.done && !message.error) receive({ error: S.t("run.stopped") });
  }

  const at = (name) => new URL(`sketchgen/${name}`, document.baseURI);

  const post = (name, question, signal) => {
    const headers = { "content-type": "application/json" }, body = JSON.stringify(question);
    return fetch(at(name), { method: "POST", headers, body, signal });
  };

  // Asks a question; the answer may be {error}.
  const asking = (name) => async (question, signal) => {
    const answer = await post(name, question, signal);
    return answer.ok ? answer.json() : { error: await refusal(answer) };
  };

  const asFile = ({ error, name, type, base64 }) =>
    error ? { error } : { name, blob: new Blob([Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0))], { type }) };

  // Each method but `draw` may throw where nobody answers.
  S.remote = {
    // What `save` makes.
    formats: ["svg", "png", "animated", "gif", "excalidraw", "json", "ndjson"],

    // Asks for completions; returns what stops the run, here and on the server. A stopped run says nothing more.
    draw(question, receive) {
      const stopping = new AbortController();
      const tell = (message) => stopping.signal.aborted || receive(message);
      post("draw", question, stopping.signal)
        .then(async (answer) => (answer.ok ? read(answer, tell) : tell({ error: await refusal(answer) })))
        .catch(() => tell({ error: S.t("run.unreachable") }));
      return () => stopping.abort();
    },

    // {drawing} to {guesses}, [category, probability] each, the likeliest first.
    guess: asking("guess"),

    // {drawing, added, category} to {steps}: see sketchgen/web/think.py. A transport that cannot has none.
    think: asking("think"),

    // {first, last, count, seed} or {first, strength, count, seed} to {drawings}: see sketchgen/web/latent.py.
    // A transport that cannot has none.
    latent: asking("latent"),

    // The names of each category by language, and its emoji.
    names: () => fetch(at("names")).then((answer) => (answer.ok ? answer.json() : Promise.reject(new Error("no names")))),

    // {text, name} of a file to {strokes, styles, category}.
    open: asking("open"),

    // {drawing, smooth, format} to {name, blob}.
    save: async (question) => asFile(await asking("export")(question)),
  };
})(Sketchgen);
