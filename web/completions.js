// Alternatives side by side: they grow at the pace of a hand while they stream in, and can be taken.
"use strict";

(function (S) {
  class Alternatives {
    // In a gallery the drawings are from nothing: they leave the pad alone until one is taken.
    constructor(element, gallery) {
      this.element = element;
      this.gallery = gallery;
      this.cells = [...element.querySelectorAll(".alternative")];
      this.grid = element.querySelector(".alternatives");
      this.guesses = element.querySelector(".guesses");
      this.alternatives = [];
      this.shown = 0;
      this.done = true;
      this.cells.forEach((cell, index) => {
        cell.addEventListener("click", () => this.accept(index));
        cell.addEventListener("pointerenter", () => this.show(index));
        cell.addEventListener("focus", () => this.show(index));
      });
      S.whenItLooksElse(this.grid, () => this.draw());
    }

    attach(pad) {
      this.pad = pad;
      if (this.gallery) return;
      pad.completions = this;
      pad.listeners.push(() => this.forget());
    }

    forget() {
      this.alternatives = [];
      this.guess([]);
      this.done = true;
      this.animate();
    }

    // New drawings from nothing, for the gallery; those that are still growing are given up.
    ask(category, count, temperature, best_of, guidance) {
      if (this.stop) this.stop();
      const drawing = { strokes: [], width: S.PAGE.width, height: S.PAGE.height };
      const seed = Math.floor(Math.random() * 2 ** 31);
      this.done = false;
      this.say("Drawing…");
      this.stop = S.run({ drawing, category, count, temperature, best_of, guidance, seed }, this.begin());
    }

    // What takes the messages of a new run; what stands there gives way to its first points.
    begin() {
      let fresh = true;
      return (message) => {
        if (message.alts && fresh) {
          fresh = false;
          this.become(message.alts.length);
          this.guess(message.guesses || []);
        }
        this.receive(message);
      };
    }

    become(count) {
      this.shown = 0;
      this.done = false;
      this.alternatives = Array.from({ length: count }, () => new S.Growing());
      this.draw();
    }

    // What the drawing may be; whoever clicks one tells it.
    guess(found) {
      const buttons = found.slice(0, 3).map(([category, probability]) => {
        const button = document.createElement("button");
        button.type = "button";
        button.textContent = `${category} ${Math.round(100 * probability)} %`;
        button.title = `Finish it as: ${category}`;
        button.addEventListener("click", () => this.pad.tell(category));
        return button;
      });
      this.guesses.replaceChildren(...(buttons.length ? ["Perhaps ", ...buttons] : []));
      this.guesses.hidden = !buttons.length;
    }

    // A message of the run: its place in line, an error, or new points.
    receive(message) {
      if (message.waiting) {
        this.say(`Waiting in the queue: ${message.waiting} before you`);
        return;
      }
      if (message.error) {
        this.done = true;
        this.tell(message.error);
        return;
      }
      // What was shown so far was the first of several, and another one is better.
      for (const index of message.anew || []) this.alternatives[index] = new S.Growing();
      message.alts.forEach((points, index) => this.alternatives[index].add(points));
      if (message.done) {
        this.done = true;
        (message.categories || []).forEach((category, index) => (this.alternatives[index].category = category));
        const count = this.alternatives.length;
        const how = this.gallery ? "click one to go on with it" : "click one, or press its number, to keep it";
        this.tell(count === 1 ? `One drawing: ${how}` : `${count} drawings: ${how}`);
      }
      if (!this.gallery && this.alternatives[this.shown].arrived) {
        this.drawGhost();
        this.pad.firstPoint();
      }
      this.animate();
    }

    say(words) {
      if (!this.gallery) this.pad.say(words);
      else this.element.querySelector("[role=status]").textContent = words;
    }

    // The run is over; why, or what has come of it.
    tell(words) {
      if (!this.gallery) this.pad.finished(words);
      this.say(words);
    }

    show(index) {
      if (index >= this.alternatives.length || index === this.shown || this.gallery) return;
      this.shown = index;
      this.drawGhost();
      this.draw();
    }

    accept(index) {
      const chosen = this.alternatives[index];
      if (!chosen || !chosen.arrived) return;
      const strokes = chosen.strokes.map((points) => points.map(([x, y]) => [x, y]));
      if (this.gallery) {
        this.pad.load(strokes.map((points) => ({ points, added: true })), null);
        const tab = document.querySelector('[role="tab"]');
        if (tab) tab.click();
      } else {
        this.pad.accept(strokes);
      }
    }

    animate() {
      if (this.moving) return;
      this.moving = true;
      let last = performance.now();
      const frame = (now) => {
        const passed = Math.min(now - last, 100);
        last = now;
        let moved = false;
        for (const each of this.alternatives) {
          // A hand that has fallen far behind the model hurries a little.
          const behind = each.strokes.length - 1 - each.at[0];
          moved = each.move(passed, behind > 6 ? 2 : 1) || moved;
        }
        this.draw();
        if (!this.gallery) this.drawGhost();
        const going = this.alternatives.length && (moved || !this.done);
        this.moving = Boolean(going);
        if (going) requestAnimationFrame(frame);
      };
      requestAnimationFrame(frame);
    }

    drawGhost() {
      const chosen = this.alternatives[this.shown];
      this.pad.ghost = chosen ? chosen.visible() : null;
      this.pad.draw();
    }

    draw() {
      const count = this.alternatives.length;
      this.grid.dataset.count = String(count);
      const given = this.gallery || !this.pad ? [] : this.pad.strokes;
      const inks = S.inks(this.element);
      this.cells.forEach((cell, index) => {
        cell.hidden = index >= count;
        if (cell.hidden) return;
        const grown = this.alternatives[index];
        cell.querySelector(".name").textContent = grown.category || "";
        cell.setAttribute("aria-current", String(index === this.shown && !this.gallery));
        const box = S.boxAround([...grown.strokes, ...given.map((stroke) => stroke.points)]);
        const context = S.prepare(cell.querySelector("canvas"), box);
        const width = (S.PEN * 1.6 * box.width) / S.PAGE.width;
        S.drawStrokes(context, inks, given, width);
        const colour = this.gallery ? inks.ink : inks.added;
        for (const stroke of grown.visible()) S.drawStroke(context, stroke, colour, width);
      });
      this.element.querySelector(".nothing").hidden = count > 0;
    }
  }

  S.mountAlternatives = function (element, gallery) {
    const alternatives = new Alternatives(element, gallery);
    S[gallery ? "gallery" : "completions"] = alternatives;
    S.withPad((pad) => {
      alternatives.attach(pad);
      alternatives.draw();
    });
  };
})(window.Sketchgen);
