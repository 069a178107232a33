// The paper: its picture, and the tools that change the drawing on it.
"use strict";

(function (S) {
  const ERASER = 9;

  class Pad {
    constructor(paper) {
      this.paper = paper;
      this.canvas = paper.querySelector("canvas");
      this.tool = "pen";          // or "eraser"
      this.current = null;        // points of the stroke that is being drawn
      this.ghost = null;          // {strokes, under}: strokes of a suggestion, and those below it if not the drawing's
      this.waiting = this.stale = false;
      S.setSmooth(S.remembered("smooth") !== "no");
      this.hand = new S.Hand(this);
      this.addActions();
      S.sketch.onChange(() => {
        if (!S.sketch.strokes.length) this.current = null;
        this.refreshSoon();
      });
      S.whenItLooksElse(this.canvas, () => this.draw());
      this.refresh();
    }

    // --- tools -------------------------------------------------------------------------------------------

    addActions() {
      Object.assign(S.actions, {
        pen: () => this.setTool("pen"),
        eraser: () => this.setTool(this.tool === "eraser" ? "pen" : "eraser"),
        undo: () => S.sketch.undo(),
        redo: () => S.sketch.redo(),
        clear: () => S.sketch.strokes.length && S.sketch.change([], { category: "auto" }),
      });
    }

    setTool(tool) {
      this.tool = tool;
      this.refreshSoon();
    }

    get erasing() {
      return this.tool === "eraser";
    }

    // Erases what lies under the eraser; returns whether there was something.
    erase(x, y, again) {
      const strokes = S.sketch.strokes;
      const left = strokes.filter((stroke) => S.distanceToStroke(stroke.points, x, y) > ERASER);
      if (left.length === strokes.length) return false;
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
      S.suggestions.penDown();
      return true;
    }

    go(point) {
      const [x, y] = this.current[this.current.length - 1];
      if (this.current.length < this.room && Math.hypot(point[0] - x, point[1] - y) >= 0.5) {
        this.current.push(point);
      }
    }

    end() {
      const points = this.current;
      if (!points) return;
      this.current = null;
      S.suggestions.penUp = performance.now();
      S.sketch.change([...S.sketch.strokes, { points, added: false }], { drawn: true });
    }

    // --- the picture -------------------------------------------------------------------------------------

    // How units of the page become px of the canvas: {scale, x, y}. The whole page is seen, and what is around it.
    view() {
      const { clientWidth: width, clientHeight: height } = this.canvas;
      const scale = Math.min(width / S.PAGE.width, height / S.PAGE.height) || 1;
      return { scale, x: (width - S.PAGE.width * scale) / 2, y: (height - S.PAGE.height * scale) / 2 };
    }

    // The place on the page of a place in the window.
    toPage(x, y) {
      const box = this.canvas.getBoundingClientRect(), view = this.view();
      return [(x - box.left - view.x) / view.scale, (y - box.top - view.y) / view.scale];
    }

    // The place in the window of a place on the page.
    toWindow(x, y) {
      const box = this.canvas.getBoundingClientRect(), view = this.view();
      return [box.left + view.x + x * view.scale, box.top + view.y + y * view.scale];
    }

    refresh() {
      this.stale = false;
      const button = (name) => S.$(`[data-do=${name}]`);
      const { strokes, past, future } = S.sketch;
      button("undo").disabled = !past.length;
      button("redo").disabled = !future.length;
      button("clear").disabled = !strokes.length;
      button("pen").setAttribute("aria-pressed", String(!this.erasing));
      button("eraser").setAttribute("aria-pressed", String(this.erasing));
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
      const ratio = window.devicePixelRatio || 1, { scale, x, y } = this.view();
      const context = S.sized(this.canvas);
      context.setTransform(ratio * scale, 0, 0, ratio * scale, ratio * x, ratio * y);
      const inks = S.inks(S.root);
      S.drawStrokes(context, inks, (this.ghost && this.ghost.under) || S.sketch.strokes, S.PEN);
      if (this.ghost) {
        context.globalAlpha = 0.7;
        for (const stroke of this.ghost.strokes) S.drawStroke(context, stroke, inks.added, S.PEN);
        context.globalAlpha = 1;
      }
      if (this.current) {
        S.drawStroke(context, { points: this.current }, inks.ink, S.PEN);
        S.root.classList.remove("empty");
      }
      if (this.hand) this.hand.draw(context, inks.ink);
    }
  }

  S.onMount(() => (S.pad = new Pad(S.$("#sg-paper"))));
})(window.Sketchgen);
