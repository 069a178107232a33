// The paper: its picture, and the tools that change the drawing on it.
"use strict";

(function (S) {
  const ERASER = 12;        // px of the window
  const FLIGHT = 260;       // ms in which the view goes to another place
  const MANY = 1500;        // points that cannot be drawn anew in each frame while the view moves
  const CHUNK = 100;        // points of a long stroke that are drawn anew in each frame, while it grows
  const REST = 120;         // ms after which a view that was moved rests

  // The box of strokes, with a little room.
  function around(strokes, room = 8) {
    const low = [Infinity, Infinity], high = [-Infinity, -Infinity];
    for (const point of strokes.flatMap(({ points }) => points)) {
      for (const i of [0, 1]) {
        low[i] = Math.min(low[i], point[i] - room);
        high[i] = Math.max(high[i], point[i] + room);
      }
    }
    return { x: low[0], y: low[1], width: high[0] - low[0], height: high[1] - low[1] };
  }

  class Pad {
    constructor(paper) {
      this.paper = paper;
      this.canvas = paper.querySelector("canvas");
      this.layer = document.createElement("canvas");    // what is drawn already, as it stands in the window
      this.view = new S.View();
      this.tool = "pen";          // "eraser" cuts pieces out of strokes, "remover" takes whole ones
      this.ink = { color: null, width: S.PEN };
      this.current = null;        // points of the stroke that is being drawn
      this.ghost = null;          // {strokes, under}: strokes of a suggestion, and those below it if not the drawing's
      this.played = null;         // strokes that are played, over the ghost
      this.underlays = [];        // what others draw below the lines
      this.overlays = [];         // and above them
      this.waiting = this.stale = false;
      this.moved = -Infinity;     // when the view was last seen to move
      S.setSmooth(S.remembered("smooth") !== "no");
      this.hand = new S.Hand(this);
      this.addActions();
      S.sketch.onChange((reason) => this.changed(reason));
      S.whenItLooksElse(this.canvas, () => this.draw());
      this.refresh();
    }

    changed(reason) {
      const { strokes } = S.sketch, before = this.before || [];
      this.before = strokes;
      if (!strokes.length) this.forgetCurrent();
      if (reason === "load") {
        this.look((view) => {
          view.fit();
          if (strokes.length) view.reveal(around(strokes, 0));
        });
      } else if (strokes.length > before.length) {
        // What the model added is seen, wherever it lies.
        const added = strokes.filter((stroke) => stroke.added && !before.includes(stroke));
        if (added.length) this.fly(() => this.view.reveal(around(added)));
      }
      this.refreshSoon();
    }

    // --- tools -------------------------------------------------------------------------------------------

    addActions() {
      Object.assign(S.actions, {
        pen: () => this.setTool("pen"),
        eraser: () => this.setTool(this.erasing ? "pen" : S.remembered("eraser") === "remover" ? "remover" : "eraser"),
        undo: () => S.sketch.undo(),
        redo: () => S.sketch.redo(),
        clear: () => S.sketch.strokes.length && S.sketch.change([], { category: "auto" }),
        fit: () => this.fly(() => this.view.fit()),
        closer: () => this.fly(() => this.view.zoom(1.5)),
        farther: () => this.fly(() => this.view.zoom(1 / 1.5)),
      });
    }

    setTool(tool) {
      this.tool = tool;
      if (this.erasing) S.remember("eraser", tool);
      this.refreshSoon();
    }

    get erasing() {
      return this.tool !== "pen";
    }

    get eraserRadius() {
      return ERASER / this.view.scale;
    }

    // Erases what lies under the eraser on its way; returns whether there was something.
    erase([x, y], [ex, ey], again) {
      const before = S.sketch.strokes, radius = this.eraserRadius;
      const count = Math.max(1, Math.ceil((2 * Math.hypot(ex - x, ey - y)) / radius));
      const erased = this.tool === "remover" ? S.dropStrokes : S.cutStrokes;
      let left = before;
      for (let i = 1; i <= count; i++) {
        left = erased(left, [x + (i / count) * (ex - x), y + (i / count) * (ey - y)], radius);
      }
      if (left === before || left.length > S.MOST_STROKES) return false;
      // One gesture is one step back, however many strokes it touched.
      if (again) S.sketch.amend(left);
      else S.sketch.change(left);
      return true;
    }

    begin(point) {
      if (S.suggestions.choosing) {
        S.suggestions.chooseAt(point);
        return false;
      }
      const { strokes, points } = S.sketch;
      if (strokes.length >= S.MOST_STROKES || points >= S.MOST_POINTS) {
        S.say(S.t("paper.full", { strokes: S.MOST_STROKES, points: S.MOST_POINTS }));
        return false;
      }
      this.room = S.MOST_POINTS - points;
      this.current = [point];
      this.settled = 0;
      return true;
    }

    go(point) {
      const [x, y] = this.current[this.current.length - 1];
      if (this.current.length < this.room && Math.hypot(point[0] - x, point[1] - y) >= 0.5 / Math.max(this.view.scale, 1)) {
        this.current.push(point);
      }
    }

    end() {
      const points = this.current;
      if (!points) return;
      this.forgetCurrent();
      S.suggestions.penUp = performance.now();
      const { color, width } = this.ink, own = {};
      if (color) own.color = color;
      if (width !== S.PEN) own.width = width;
      S.sketch.change([...S.sketch.strokes, { points, added: false, ...own }], { drawn: true });
    }

    forgetCurrent() {
      this.current = null;
      // What of it is on the layer goes, too.
      if (this.settled) this.looks = null;
      this.settled = 0;
    }

    // --- the view ----------------------------------------------------------------------------------------

    // The place on the page of a place in the window.
    toPage(x, y) {
      const box = this.canvas.getBoundingClientRect();
      return this.view.toPage([x - box.left, y - box.top]);
    }

    // The place in the window of a place on the page.
    toWindow(x, y) {
      const box = this.canvas.getBoundingClientRect(), place = this.view.toWindow([x, y]);
      return [box.left + place[0], box.top + place[1]];
    }

    // Changes the view by `change`, in a short flight.
    fly(change) {
      const { view } = this, places = ["scale", "x", "y"];
      const now = () => places.map((key) => view[key]);
      if (this.flight) Object.assign(view, this.flight.to);
      const from = now();
      change();
      const to = Object.fromEntries(places.map((key) => [key, view[key]]));
      if (S.calm() || from.every((value, i) => value === to[places[i]])) return this.refreshSoon();
      const flight = (this.flight = { to, started: performance.now() });
      const frame = (time) => {
        if (this.flight !== flight) return;
        const share = Math.min(Math.max((time - flight.started) / FLIGHT, 0), 1), ease = 1 - (1 - share) ** 3;
        places.forEach((key, i) => (view[key] = from[i] + ease * (to[key] - from[i])));
        if (share === 1) this.flight = null;
        this.refresh();
        if (share < 1) requestAnimationFrame(frame);
      };
      frame(flight.started);
    }

    // Moves the view at once.
    look(change) {
      this.flight = null;
      change(this.view);
      this.refreshSoon();
    }

    get moving() {
      return performance.now() - this.moved < REST;
    }

    // --- the picture -------------------------------------------------------------------------------------

    refresh() {
      this.stale = false;
      const button = (name) => S.$(`[data-do=${name}]`);
      const { strokes, past, future } = S.sketch;
      button("undo").disabled = !past.length;
      button("redo").disabled = !future.length;
      button("clear").disabled = !strokes.length;
      button("pen").setAttribute("aria-pressed", String(!this.erasing));
      button("eraser").setAttribute("aria-pressed", String(this.erasing));
      button("fit").hidden = this.view.fitted;
      this.canvas.classList.toggle("erasing", this.erasing);
      const count = strokes.length;
      this.canvas.setAttribute("aria-label", count ? S.t("paper.strokes", { count }) : S.t("paper.empty"));
      S.root.classList.toggle("empty", !count && !this.current);
      this.draw();
    }

    // In the next frame: whoever lifts the pen is not kept waiting by the page's layout.
    refreshSoon() {
      this.stale = true;
      this.drawSoon();
    }

    drawSoon() {
      if (this.waiting) return;
      this.waiting = true;
      requestAnimationFrame(() => {
        this.waiting = false;
        this.stale ? this.refresh() : this.draw();
      });
    }

    draw() {
      const { view, canvas } = this, ratio = window.devicePixelRatio || 1;
      if (canvas.clientWidth) view.resize(canvas.clientWidth, canvas.clientHeight);
      const context = S.sized(canvas), inks = S.inks(S.root);
      this.drawLayer((this.ghost && this.ghost.under) || S.sketch.strokes, inks, ratio);
      this.place(context, ratio);
      for (const underlay of this.underlays) underlay(context);
      if (this.current && this.current.length > this.settled + 2 * CHUNK) {
        const from = this.settled;
        this.settled = this.current.length - CHUNK;
        this.drawCurrent(this.layer.getContext("2d"), inks, from, this.settled);
      }
      this.placeLayer(context, ratio);
      context.drawImage(this.layer, 0, 0);
      this.place(context, ratio);
      if (this.ghost) {
        context.globalAlpha = this.played ? 0.2 : 0.7;
        for (const stroke of this.ghost.strokes) S.drawStroke(context, stroke, inks.added, S.PEN);
        context.globalAlpha = 1;
      }
      for (const stroke of this.played || []) S.drawStroke(context, stroke, inks.added, S.PEN);
      if (this.current) {
        this.drawCurrent(context, inks, this.settled);
        S.root.classList.remove("empty");
      }
      for (const overlay of this.overlays) overlay(context, inks);
      if (this.hand) this.hand.draw(context, inks);
    }

    // Draws a part of the stroke that is being drawn.
    drawCurrent(context, inks, from, upTo) {
      S.drawStroke(context, { points: this.current, from, upTo }, this.ink.color || inks.ink, this.ink.width);
    }

    // Draws in units of the page from now on.
    place(context, ratio) {
      const { scale, x, y } = this.view;
      context.setTransform(ratio * scale, 0, 0, ratio * scale, ratio * x, ratio * y);
    }

    // Where the layer's pixels stand now; its view may be an earlier one.
    placeLayer(context, ratio) {
      const { scale, x, y } = this.view, [before, left, top] = this.layerView, times = scale / before;
      context.setTransform(times, 0, 0, times, ratio * (x - times * left), ratio * (y - times * top));
    }

    // Draws what has not been drawn yet; all of it where the window, the view or the colours are others. While the
    // view moves, many lines move as they are, and are drawn anew when it rests.
    drawLayer(strokes, inks, ratio) {
      const { canvas, layer } = this, { scale, x, y } = this.view;
      const looks = [canvas.width, canvas.height, ratio, inks.ink, inks.added, S.smooth()].join();
      const before = this.drawn || [], same = this.looks === looks && before.every((each, i) => each === strokes[i]);
      const at = (place) => place && [scale, x, y].every((value, i) => value === place[i]), placed = at(this.layerView);
      if (!at(this.seenView)) Object.assign(this, { seenView: [scale, x, y], moved: performance.now() });
      if (!placed && same && before.length === strokes.length && this.moving && S.sketch.points > MANY) {
        clearTimeout(this.resting);
        this.resting = setTimeout(() => this.drawSoon(), REST + 10);
        return;
      }
      const grown = placed && same && before.length <= strokes.length;
      const context = layer.getContext("2d");
      if (!grown) {
        layer.width = canvas.width;
        layer.height = canvas.height;
        context.lineCap = context.lineJoin = "round";
        this.place(context, ratio);
        this.settled = 0;
      }
      S.drawStrokes(context, inks, grown ? strokes.slice(before.length) : strokes, S.PEN);
      Object.assign(this, { looks, drawn: strokes, layerView: [scale, x, y] });
    }
  }

  S.onMount(() => (S.pad = new Pad(S.$("#sg-paper"))));
})(Sketchgen);
