// The pad in a notebook: paper, tools and suggestions of the page, around the model of an anywidget.
"use strict";

(function (S) {
  // What is taken of app.html, and where it stands.
  const SHEET = ["#sg-toolbar", "#sg-paper", "#sg-status", "#sg-keys"], SIDE = ["#sg-ask", "#sg-strip"];
  const LEFT_OUT = "[data-menu], [data-do=surprise], #sg-hint canvas";

  function build() {
    const page = document.createElement("template"), sheet = S.make("div", { class: "sheet" }), side = S.make("div", { class: "side" });
    page.innerHTML = S.HTML;
    const found = (name) => page.content.querySelector(name);
    for (const each of page.content.querySelectorAll(LEFT_OUT)) each.remove();
    sheet.append(...SHEET.map(found));
    side.append(...SIDE.map(found));
    return S.make("div", { class: "gradio-container" }, S.make("div", { class: "sg" }, found("svg"), sheet, side));
  }

  // Dark is the notebook whose text is light, whatever it is called there.
  function isDark(element) {
    const [red, green, blue] = (getComputedStyle(element).color.match(/[\d.]+/g) || [0, 0, 0]).map(Number);
    return 0.3 * red + 0.6 * green + 0.1 * blue > 128;
  }

  function followTheme(el, pad) {
    const follow = () => pad.classList.toggle("dark", isDark(el));
    const watching = new MutationObserver(follow), standing = new ResizeObserver(follow);
    for (const each of [document.documentElement, document.body]) watching.observe(each, { attributes: true });
    // A notebook may put it in its place later: only then is it known what its text looks like.
    standing.observe(el);
    return () => [watching, standing].forEach((each) => each.disconnect());
  }

  // Points as the notebook has them: lists of [x, y], or of [x, y, ms, pressure] from the first one's time on.
  function pointsOf(strokes) {
    const first = strokes.flatMap(({ points }) => points).find((point) => point.length === 4);
    return strokes.map(({ points }) => points.map(([x, y, ...rest]) => (rest.length ? [x, y, rest[0] - first[2], rest[1]] : [x, y])));
  }

  const same = (one, other) => JSON.stringify(one) === JSON.stringify(other);

  // The drawing is the model's, too, in all of its views.
  function shareDrawing(model) {
    const taken = () => S.asStrokes(model.get("sketch"), false);
    const changed = () => same(model.get("sketch"), pointsOf(S.sketch.strokes)) || S.sketch.load(taken());
    S.sketch.fromJSON({ strokes: taken() });
    S.sketch.onChange(() => {
      const points = pointsOf(S.sketch.strokes);
      if (same(points, model.get("sketch"))) return;
      model.set("sketch", points);
      model.save_changes();
    });
    model.on("change:sketch", changed);
    return () => model.off("change:sketch", changed);
  }

  // What computes is Python: it answers requests as the page's server does, or has completed the drawing by itself.
  function transport(model) {
    const runs = new Map();
    let given = null;
    const draw = function (question, receive) {
      if (given) {
        const message = given;
        setTimeout(() => receive(message));
        return () => {};
      }
      const run = crypto.getRandomValues(new Uint32Array(1))[0];
      runs.set(run, receive);
      model.send({ run, question });
      return () => runs.delete(run) && model.send({ stop: run });
    };
    const heard = ({ run, message, strokes }) => {
      if (runs.has(run)) {
        runs.get(run)(message);
        if (message.done || message.error) runs.delete(run);
      } else if (strokes && same(strokes, pointsOf(S.sketch.strokes))) {
        // What was drawn since then is not in it.
        given = message;
        S.suggestions.request([{ count: message.alts.length }]);
        given = null;
      }
    };
    model.on("msg:custom", heard);
    const end = () => {
      S.suggestions.halt();
      model.off("msg:custom", heard);
    };
    return { draw, end };
  }

  // Shows the pad in `el`; returns what takes it away.
  S.embed = function ({ model, el }) {
    const pad = build(), around = el.appendChild(document.createElement("div"));
    // JupyterLab's keys are not for those who draw.
    around.dataset.lmSuppressShortcuts = "true";
    pad.style.setProperty("--width", `${model.get("width")}px`);
    // In the shadow neither the notebook's rules nor another pad's names are known.
    around.attachShadow({ mode: "open" }).append(S.make("style", {}, `@layer page { ${S.CSS[0]} } ${S.CSS[1]}`), pad);
    // Each pad is as new: what the page keeps in the browser would be another notebook's.
    Object.assign(S, { viewed: "draw", remembered: () => null, remember: () => {}, nameOf: (category) => category });
    Object.assign(S.settings = {}, S.SETTINGS);
    const server = transport(model);
    S.mount(pad, server, { categories: [], guidance: null, starters: [] }, pad);
    S.root.dataset.view = "draw";
    const ends = [followTheme(el, pad), shareDrawing(model), server.end];
    return () => ends.forEach((end) => end());
  };
})(Sketchgen);
