// Thumbnails: small pictures of drawings, cropped to what is drawn, that can grow and play.
"use strict";

(function (S) {
  S.asStrokes = (lists, added) => lists.map((points) => ({ points, added }));

  S.Thumb = class extends S.Growing {
    // base: strokes that stand there from the first; added: whether what grows has the model's colour.
    constructor({ base = [], added = true, ...settings }) {
      super();
      Object.assign(this, { base, added, box: null, dirty: true });
      this.canvas = S.make("canvas");
      this.take = S.make("button", { class: "take", ...settings }, this.canvas);
      this.element = S.make("div", { class: "thumb" }, this.take);
      this.element.addEventListener("pointerenter", (event) => event.pointerType !== "touch" && this.pointedAt(true));
      this.element.addEventListener("pointerleave", () => this.pointedAt(false));
    }

    pointedAt() {}

    move(milliseconds, faster) {
      const moved = super.move(milliseconds, faster);
      this.dirty = this.dirty || moved;
      return moved;
    }

    // From its first line on.
    replay() {
      if (S.calm() || !this.strokes.length) return;
      this.at = [0, 0, 0];
      this.dirty = true;
    }

    // Follows its drawing, gently while that grows.
    frame() {
      const wanted = S.boxOf([...this.base.map((stroke) => stroke.points), ...this.strokes]);
      if (!wanted) return;
      const near = this.box && Math.max(...Object.keys(wanted).map((key) => Math.abs(wanted[key] - this.box[key]))) < 0.5;
      if (!this.box || near || S.calm()) {
        this.box = wanted;
        return;
      }
      for (const key of Object.keys(wanted)) this.box[key] += 0.35 * (wanted[key] - this.box[key]);
      this.dirty = true;
    }

    // Lines are never thinner than two px.
    get width() {
      return Math.max(S.PEN, (2 * this.box.width) / (this.canvas.clientWidth || 160));
    }

    draw(inks) {
      this.dirty = false;
      this.frame();
      if (!this.box || !this.canvas.clientWidth) return;
      const context = S.prepare(this.canvas, this.box);
      this.paint(context, inks);
    }

    paint(context, inks) {
      S.drawStrokes(context, inks, this.base, this.width);
      for (const stroke of this.visible()) S.drawStroke(context, stroke, this.added ? inks.added : inks.ink, this.width);
    }
  };

  // Moves thumbnails on from frame to frame, while one of them moves or `going` says so; `after` each frame.
  S.Mover = class {
    constructor(items, going, after) {
      Object.assign(this, { items, going, after, moving: false });
    }

    wake() {
      if (this.moving) return;
      this.moving = true;
      let last = performance.now();
      const frame = (now) => {
        const passed = Math.min(now - last, 100), inks = S.inks(S.root);
        last = now;
        let moved = false;
        for (const each of this.items()) {
          // A hand that has fallen far behind the model hurries a little.
          const behind = this.going() ? each.strokes.length - 1 - each.at[0] : 0;
          moved = each.move(passed, behind > 6 ? 2 : 1) || moved;
          if (each.dirty) each.draw(inks);
          moved = moved || each.dirty;
        }
        this.after();
        this.moving = moved || this.going();
        if (this.moving) requestAnimationFrame(frame);
      };
      requestAnimationFrame(frame);
    }
  };
})(Sketchgen);
