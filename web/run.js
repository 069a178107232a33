// A run: one request for completions, answered line by line while the model draws.
"use strict";

(function (S) {
  // What a person chooses under Options; the guidance of a model that cannot be guided is never asked for.
  S.settings = {};

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

  const post = (name, question, signal) => {
    const headers = { "content-type": "application/json" }, body = JSON.stringify(question);
    return fetch(new URL(`sketchgen/${name}`, document.baseURI), { method: "POST", headers, body, signal });
  };

  // What the server does besides drawing: each asks a question, and gets an answer or {error}.
  const asking = (name) => async (question) => {
    const answer = await post(name, question);
    return answer.ok ? answer.json() : { error: await refusal(answer) };
  };
  S.server = { open: asking("open"), export: asking("export") };

  // Asks for completions; returns what stops the run, here and on the server. A stopped run says nothing more.
  S.run = function (question, receive) {
    const stopping = new AbortController();
    const tell = (message) => stopping.signal.aborted || receive(message);
    post("draw", question, stopping.signal)
      .then(async (answer) => (answer.ok ? read(answer, tell) : tell({ error: await refusal(answer) })))
      .catch(() => tell({ error: S.t("run.unreachable") }));
    return () => stopping.abort();
  };
})(window.Sketchgen);
