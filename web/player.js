// Play back: the drawing, stroke after stroke, as it came about.
"use strict";

(function (S) {
  class Player {
    constructor(view) {
      this.canvas = S.make("canvas", { role: "img", label: S.t("play.label") });
      this.button = S.make("button", { class: "main", onclick: () => (this.playing ? this.stop() : this.play()) });
      this.range = S.make("input", { type: "range", min: 0, max: 1000, value: 1000, label: S.t("play.position") });
      this.range.addEventListener("input", () => {
        this.stop();
        this.seek(Number(this.range.value) / 1000);
      });
      const speed = (value) => S.make("option", { value, selected: value === 1 }, S.t(`play.speed.${String(value).replace(".", "_")}`));
      this.speed = S.make("select", { label: S.t("play.speed") }, ...[0.5, 1, 3, 10].map(speed));
      this.nothing = S.make("p", { class: "nothing" }, S.t("play.nothing"));
      view.append(
        S.make("div", { class: "paper" }, this.canvas, this.nothing),
        S.make("div", { class: "controls" }, this.button, this.range, this.speed)
      );
      this.growing = new S.Growing();
      this.playing = false;
      S.sketch.onChange(() => S.viewed === "play" && this.reset());
      S.onView((name) => (name === "play" ? this.open() : this.stop()));
      S.whenItLooksElse(this.canvas, () => this.draw());
      this.stop();
    }

    open() {
      this.reset();
      if (S.sketch.strokes.length) this.play();
    }

    reset() {
      this.stop();
      this.strokes = S.sketch.strokes;
      this.growing = new S.Growing();
      this.growing.strokes = this.strokes.map((stroke) => stroke.points);
      this.growing.finish();
      this.range.value = 1000;
      this.nothing.hidden = this.strokes.length > 0;
      for (const control of [this.button, this.range]) control.disabled = !this.strokes.length;
      this.draw();
    }

    seek(share) {
      const all = this.growing.strokes;
      let point = Math.round(share * all.reduce((sum, stroke) => sum + stroke.length, 0));
      this.growing.at = [0, 0, 0];
      for (let stroke = 0; stroke < all.length; stroke++) {
        this.growing.at = [stroke, Math.max(0, Math.min(point, all[stroke].length) - 1), 0];
        if (point <= all[stroke].length) break;
        point -= all[stroke].length;
      }
      this.draw();
    }

    share() {
      const [stroke, point] = this.growing.at, all = this.growing.strokes;
      const total = all.reduce((sum, each) => sum + each.length, 0);
      const drawn = all.slice(0, stroke).reduce((sum, each) => sum + each.length, 0) + point + 1;
      return total ? drawn / total : 1;
    }

    play() {
      if (this.growing.complete) this.growing.at = [0, 0, 0];
      this.playing = true;
      this.tell();
      let last = performance.now();
      const frame = (now) => {
        if (!this.playing) return;
        this.growing.move(Math.min(now - last, 100), Number(this.speed.value));
        last = now;
        this.range.value = Math.round(1000 * this.share());
        this.draw();
        if (this.growing.complete) this.stop();
        else requestAnimationFrame(frame);
      };
      requestAnimationFrame(frame);
    }

    stop() {
      this.playing = false;
      this.tell();
    }

    tell() {
      this.button.replaceChildren(S.icon(this.playing ? "pause" : "play"), S.t(this.playing ? "play.pause" : "play.play"));
    }

    draw() {
      const { strokes } = this;
      if (!strokes || !this.canvas.clientWidth) return;
      const { width, height } = S.PAGE, page = [[0, 0], [width, height]];
      const xs = [...strokes.flatMap((stroke) => stroke.points), ...page];
      const low = (i) => xs.reduce((least, point) => Math.min(least, point[i]), 0);
      const high = (i) => xs.reduce((most, point) => Math.max(most, point[i]), 0);
      const box = { x: low(0), y: low(1), width: high(0) - low(0), height: high(1) - low(1) };
      const shown = this.growing.visible().map((stroke, index) => ({ ...strokes[index], ...stroke }));
      S.drawStrokes(S.prepare(this.canvas, box), S.inks(S.root), shown, S.PEN);
    }
  }

  S.onMount(() => (S.player = new Player(S.$("#sg-play"))));
})(Sketchgen);
