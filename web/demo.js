// The demonstration on empty paper: drawings begin, and are finished, over and over.
"use strict";

(function (S) {
  const PAUSE = 500, HOLD = 1800, FADE = 350;

  class Demo {
    constructor(hint) {
      this.canvas = hint.querySelector("canvas");
      this.drawings = S.DRAWINGS.finished;
      this.at = Math.floor(Math.random() * this.drawings.length);
      this.begin();
      S.sketch.onChange(() => requestAnimationFrame(() => this.wake()));
      S.onView(() => this.wake());
      S.whenItLooksElse(this.canvas, () => this.draw());
      document.addEventListener("visibilitychange", () => this.wake());
    }

    get wanted() {
      return S.root.classList.contains("empty") && S.viewed === "draw" && !document.hidden;
    }

    begin() {
      const { given, added } = this.drawings[this.at];
      const growing = (strokes) => Object.assign(new S.Growing(), { strokes });
      this.parts = [growing(given), growing(added)];
      this.box = S.boxOf([...given, ...added], 120, 0.06);
      this.rest = [PAUSE, HOLD, FADE];
    }

    wake() {
      if (this.moving || !this.wanted || !this.drawings.length) return;
      if (S.calm()) {
        for (const part of this.parts) part.finish();
        this.draw();
        return;
      }
      this.moving = true;
      let last = performance.now();
      const frame = (now) => {
        this.moving = this.wanted;
        if (!this.moving) return;
        this.move(Math.min(now - last, 100));
        last = now;
        this.draw();
        requestAnimationFrame(frame);
      };
      requestAnimationFrame(frame);
    }

    move(passed) {
      const [given, added] = this.parts, { rest } = this;
      if (given.move(passed, 0.8)) return;
      if ((rest[0] -= passed) > 0 || added.move(passed, 0.8)) return;
      if ((rest[1] -= passed) > 0 || (rest[2] -= passed) > 0) return;
      this.at = (this.at + 1) % this.drawings.length;
      this.begin();
    }

    draw() {
      if (!this.canvas.clientWidth) return;
      const context = S.prepare(this.canvas, this.box), inks = S.inks(S.root), [given, added] = this.parts;
      const width = (3 * this.box.width) / this.canvas.clientWidth;
      context.globalAlpha = Math.max(0, Math.min(1, this.rest[2] / FADE));
      for (const stroke of given.visible()) S.drawStroke(context, stroke, inks.ink, width);
      if (this.rest[0] > 0 && !given.complete) return;
      for (const stroke of added.at.some(Boolean) ? added.visible() : []) S.drawStroke(context, stroke, inks.added, width);
    }
  }

  S.onMount(() => (S.demo = new Demo(S.$("#sg-hint"))));
})(Sketchgen);
