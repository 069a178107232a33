// Thumbnails: small pictures of drawings, cropped to what is drawn, that can grow and play.
"use strict";

(function (S) {
  const MANY = 1500;      // points that cannot be drawn anew in each frame
  const BLURRED = 1.25;   // times by which a picture of them may be larger or smaller, while it moves

  // Pictures of lists of many strokes, as they first were in a thumbnail: {picture, placed, looks}.
  const stills = new WeakMap();

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
      this.rests = !this.box || near || S.calm();
      if (this.rests) {
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

    // Many strokes are moved as they were drawn, and drawn anew when what grows before them rests.
    paintBase(context, inks) {
      if (this.base.reduce((sum, { points }) => sum + points.length, 0) <= MANY) {
        S.drawStrokes(context, inks, this.base, this.width);
        return;
      }
      const { width, height } = this.canvas, placed = context.getTransform();
      const looks = [width, height, inks.ink, inks.added, S.smooth()].join();
      let still = this.still || stills.get(this.base);
      const times = still ? placed.a / still.placed.a : 0;
      const settled = this.complete && this.rests && String(placed) !== String(still && still.placed);
      if (settled || times > BLURRED || times < 1 / BLURRED || still.looks !== looks) {
        const picture = S.make("canvas", { width, height }), own = picture.getContext("2d");
        own.lineCap = own.lineJoin = "round";
        own.setTransform(placed);
        S.drawStrokes(own, inks, this.base, this.width);
        still = this.still = { picture, placed, looks };
        if (!stills.has(this.base)) stills.set(this.base, still);
      }
      context.setTransform(placed.multiply(still.placed.inverse()));
      context.drawImage(still.picture, 0, 0);
      context.setTransform(placed);
    }

    paint(context, inks) {
      this.paintBase(context, inks);
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
