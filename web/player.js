// Plays the drawing back, stroke after stroke.
"use strict";

(function (S) {
  class Player {
    constructor(element, pad) {
      this.element = element;
      this.pad = pad;
      this.canvas = element.querySelector("canvas");
      this.button = element.querySelector("button");
      this.range = element.querySelector("input[type=range]");
      this.speed = element.querySelector("select");
      this.growing = new S.Growing();
      this.playing = false;
      this.button.addEventListener("click", () => (this.playing ? this.stop() : this.play()));
      this.range.addEventListener("input", () => {
        this.stop();
        this.seek(Number(this.range.value) / 1000);
      });
      pad.listeners.push(() => this.reset());
      S.whenItLooksElse(this.canvas, () => this.draw());
      this.reset();
    }

    reset() {
      this.stop();
      this.growing = new S.Growing();
      this.growing.strokes = this.pad.strokes.map((stroke) => stroke.points);
      this.growing.finish();
      this.range.value = 1000;
      this.element.querySelector(".nothing").hidden = this.pad.strokes.length > 0;
      this.button.disabled = !this.pad.strokes.length;
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
      this.button.textContent = "Pause";
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
      this.button.textContent = "Play";
    }

    draw() {
      const context = S.prepare(this.canvas, S.wholePage());
      const drawn = this.growing.visible();
      const strokes = drawn.map((stroke, index) => ({ ...stroke, added: this.pad.strokes[index].added }));
      S.drawStrokes(context, S.inks(this.element), strokes, S.PEN);
    }
  }

  S.mountPlayer = function (element) {
    S.withPad((pad) => { S.player = new Player(element, pad); });
  };
})(window.Sketchgen);
