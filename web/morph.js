// Morph: two drawings, and a slider that goes from one to the other; variations of each.
"use strict";

(function (S) {
  const STEPS = 9;
  const VARIATIONS = 8;
  // Parts of the slider between two drawings of the server.
  const FINE = 20;
  // After the last line of a hand that is still drawing, ms.
  const RESTS = 700;
  const BEGINNING = ["cat", "pig"];

  const lists = (strokes) => strokes.map((stroke) => stroke.points.map(([x, y]) => [x, y]));

  // One of the two drawings: a person's own strokes, or a category, of which the server draws one.
  class Paper {
    constructor(side, changed, vary) {
      Object.assign(this, { side, changed, strokes: [], category: null, shown: [], line: null });
      this.canvas = S.make("canvas", { role: "img" });
      this.words = S.make("span", { class: "words" });
      this.search = S.opens(S.make("button", { class: "chip", "data-menu": "sg-search" }, S.icon("search"), this.words));
      S.categorySearch.serve(this.search, (category) => this.become([], category));
      const tool = (icon, label, onclick) => S.make("button", { class: "tool", label: S.t(label), onclick }, S.icon(icon));
      this.vary = tool("more", "morph.vary", () => vary(this));
      this.element = S.make("div", { class: `side ${side}` },
        S.make("div", { class: "paper" }, this.canvas),
        S.make("div", { class: "foot" }, this.search,
          tool("draw", "morph.take_drawing", () => S.sketch.strokes.length && this.become(S.sketch.strokes)),
          tool("clear", "tools.clear", () => this.become([])), this.vary));
      this.canvas.addEventListener("pointerdown", (event) => this.press(event));
      this.canvas.addEventListener("pointermove", (event) => this.draw(event));
      for (const end of ["pointerup", "pointercancel"]) this.canvas.addEventListener(end, (event) => this.lift(event));
      S.whenItLooksElse(this.canvas, () => this.render());
    }

    get empty() {
      return !this.strokes.length && !this.category;
    }

    get item() {
      return this.category ? { category: this.category } : this.drawing;
    }

    get drawing() {
      return { drawing: S.sketch.payload(S.asStrokes(this.shown, false)) };
    }

    become(strokes, category = null) {
      Object.assign(this, { strokes, category, shown: lists(strokes) });
      this.render();
      this.changed(0);
    }

    // What the server has drawn of a category.
    show(drawing) {
      if (this.category) this.shown = drawing;
      this.render();
    }

    place({ clientX, clientY }) {
      const box = this.canvas.getBoundingClientRect(), { width, height } = S.PAGE;
      const scale = Math.min(box.width / width, box.height / height);
      return [(clientX - box.x - box.width / 2) / scale + width / 2, (clientY - box.y - box.height / 2) / scale + height / 2];
    }

    press(event) {
      if (event.button || this.line) return;
      this.canvas.setPointerCapture(event.pointerId);
      if (this.category) Object.assign(this, { strokes: [], category: null });
      this.pointer = event.pointerId;
      this.line = { points: [this.place(event)], added: false };
      this.strokes = [...this.strokes, this.line];
      this.changed(Infinity);
      this.draw(event);
    }

    draw(event) {
      if (!this.line || event.pointerId !== this.pointer) return;
      const all = event.getCoalescedEvents ? event.getCoalescedEvents() : [];
      for (const each of all.length ? all : [event]) this.line.points.push(this.place(each));
      this.shown = lists(this.strokes);
      this.render();
    }

    lift({ pointerId }) {
      if (!this.line || pointerId !== this.pointer) return;
      this.line = null;
      this.changed(RESTS);
    }

    render() {
      const name = this.category ? S.nameOf(this.category) : S.t(this.empty ? "morph.nothing" : "morph.drawn");
      S.label(this.canvas, S.t("morph.paper", { side: S.t(`morph.${this.side}`), name }));
      this.words.textContent = this.category ? `${S.emojiOf(this.category)} ${S.nameOf(this.category)}`.trim() : S.t("guess.choose");
      this.vary.disabled = !this.shown.length;
      if (!this.canvas.clientWidth) return;
      const box = this.category ? S.boxOf(this.shown) : { x: 0, y: 0, ...S.PAGE };
      const width = box ? Math.max(S.PEN, (2 * box.width) / this.canvas.clientWidth) : S.PEN;
      const context = S.prepare(this.canvas, box || { x: 0, y: 0, ...S.PAGE }), inks = S.inks(S.root);
      S.drawStrokes(context, inks, S.asStrokes(this.shown.map((points) => points.slice()), Boolean(this.category)), width);
    }
  }

  class Morph {
    constructor(view) {
      Object.assign(this, { drawings: [], tweens: [], asking: new Map(), timer: 0, seed: 0, varied: null });
      const papers = ["first", "last"].map((side) => new Paper(side, (rests) => this.changed(rests), (paper) => this.vary(paper)));
      this.papers = papers;
      this.canvas = S.make("canvas", { role: "img", label: S.t("morph.between") });
      this.range = S.make("input", { type: "range", min: 0, max: (STEPS - 1) * FINE, value: ((STEPS - 1) * FINE) / 2, label: S.t("morph.slider") });
      this.range.addEventListener("input", () => this.render());
      this.take = S.make("button", { class: "main", onclick: () => this.toPaper(this.nearest()) }, S.icon("pen"), S.t("morph.take"));
      this.strip = S.make("div", { class: "steps" });
      this.strength = S.make("input", { type: "range", id: "sg-strength", min: 0, max: 1, step: 0.05, value: 0.4 });
      this.strength.addEventListener("change", () => this.varied && this.vary(this.varied));
      this.wall = S.make("div", { class: "wall" });
      const ends = S.make("div", { class: "ends", "aria-hidden": "true" },
        S.make("span", {}, S.t("morph.strength.low")), S.make("span", {}, S.t("morph.strength.high")));
      this.variations = S.make("div", { class: "variations", hidden: true },
        S.make("div", { class: "option" }, S.make("label", { for: "sg-strength" }, S.t("morph.strength")), this.strength, ends), this.wall);
      view.append(
        S.make("h1", {}, S.t("morph.title")),
        S.make("div", { class: "table" }, papers[0].element,
          S.make("div", { class: "middle" }, S.make("div", { class: "paper" }, this.canvas), this.range, this.take), papers[1].element),
        this.strip, this.variations);
      S.onView((name) => (name === "morph" ? this.open() : this.halt()));
      S.whenItLooksElse(this.canvas, () => this.render());
      S.namesThere.then(() => papers.forEach((paper) => paper.render()));
      this.render();
    }

    // A drawing that a person has begun is the first one, once; else there are two to begin with.
    open() {
      if (this.papers.every((paper) => paper.empty)) {
        const [first, last] = this.papers;
        first.become(S.sketch.strokes, S.sketch.strokes.length ? null : BEGINNING[0]);
        last.become([], BEGINNING[1]);
      } else if (!this.drawings.length) this.changed(0);
    }

    // Asks anew when the hand rests; what was asked before is of no use any more.
    changed(rests) {
      this.halt();
      this.become([]);
      if (Number.isFinite(rests) && this.papers.every((paper) => !paper.empty)) this.timer = setTimeout(() => this.ask(), rests);
    }

    halt() {
      clearTimeout(this.timer);
      for (const each of this.asking.values()) each.abort();
      this.asking.clear();
    }

    // Asks for drawings; null where there are none, or the same was asked anew meanwhile.
    async request(what, question, words) {
      const stopping = new AbortController();
      if (this.asking.has(what)) this.asking.get(what).abort();
      this.asking.set(what, stopping);
      S.say(words, { stay: true });
      try {
        const found = await S.server.latent({ ...question, seed: this.seed }, stopping.signal);
        S.say(found.error || "");
        return found.drawings || null;
      } catch {
        if (!stopping.signal.aborted) S.say(S.t("run.unreachable"));
        return null;
      }
    }

    async ask() {
      const [first, last] = this.papers.map((paper) => paper.item);
      this.become((await this.request("between", { first, last, count: STEPS }, S.t("morph.wait"))) || []);
    }

    become(drawings) {
      if (!drawings.length && !this.drawings.length) return this.render();
      this.drawings = drawings;
      this.box = S.boxOf(drawings.flat());
      this.tweens = drawings.slice(1).map((drawing, index) => S.tween(drawings[index], drawing, this.box.width));
      if (drawings.length) this.papers.forEach((paper, index) => paper.show(drawings[index && drawings.length - 1]));
      this.show(this.strip, drawings, (index) => {
        this.range.value = index * FINE;
        this.render();
      }, () => S.t("morph.between"));
      this.render();
    }

    // Small pictures of drawings, each a button.
    show(into, drawings, onclick, label) {
      const thumbs = drawings.map((strokes, index) => {
        const thumb = new S.Thumb({ added: true, label: `${label(index + 1)} (${index + 1}/${drawings.length})`, onclick: () => onclick(index) });
        thumb.strokes = strokes;
        thumb.finish();
        return thumb;
      });
      into.replaceChildren(...thumbs.map((thumb) => thumb.element));
      const inks = S.inks(S.root);
      for (const thumb of thumbs) thumb.draw(inks);
      into.thumbs = thumbs;
    }

    async vary(paper) {
      this.varied = paper;
      const question = { first: paper.drawing, strength: Number(this.strength.value), count: VARIATIONS };
      const found = await this.request("vary", question, S.t("morph.varying"));
      if (!found) return;
      this.variations.hidden = false;
      this.show(this.wall, found, (index) => this.toPaper(found[index]), (number) => S.t("morph.variation", { number }));
      this.variations.scrollIntoView({ block: "nearest", behavior: S.calm() ? "auto" : "smooth" });
    }

    nearest() {
      return this.drawings[Math.round(this.range.value / FINE)];
    }

    toPaper(drawing) {
      S.sketch.load(S.asStrokes(this.onPage(drawing), true));
      S.show("draw");
    }

    // In the middle of the page, where it is not there already.
    onPage(drawing) {
      const { width, height } = S.PAGE, box = S.boxOf(drawing, 1, 0.1);
      if (!this.papers.every((paper) => paper.category)) return drawing;
      const scale = height / box.height;
      return drawing.map((points) => points.map(([x, y]) => [(x - box.x) * scale + (width - height) / 2, (y - box.y) * scale]));
    }

    render() {
      const there = this.drawings.length > 0;
      for (const control of [this.range, this.take]) control.disabled = !there;
      if (this.canvas.clientWidth) {
        const context = S.prepare(this.canvas, this.box || { x: 0, y: 0, ...S.PAGE });
        if (there) this.paint(context, S.inks(S.root).added);
      }
      for (const { thumbs } of [this.strip, this.wall]) for (const thumb of thumbs || []) thumb.draw(S.inks(S.root));
    }

    paint(context, colour) {
      const at = Math.min(this.range.value / FINE, STEPS - 1), index = Math.min(Math.floor(at), this.tweens.length - 1);
      const width = Math.max(S.PEN, (3 * this.box.width) / this.canvas.clientWidth);
      for (const { points, alpha } of this.tweens[index](at - index)) {
        context.globalAlpha = alpha;
        S.drawStroke(context, { points }, colour, width);
      }
      context.globalAlpha = 1;
    }
  }

  S.onMount(() => {
    if (!S.model.latent || !S.server.latent) return;
    S.$("[data-view=morph]").hidden = false;
    S.morph = new Morph(S.$("#sg-morph"));
  });
})(Sketchgen);
