// The pad: the drawing and its history, what the model does with it, opening, saving, and its picture.
"use strict";

(function (S) {
  const STORE = "sketchgen.sketch.1";
  const HISTORY = 200;
  const MOST_STROKES = 500, MOST_POINTS = 20000;
  const ERASER = 9;

  class Pad {
    constructor(element, trigger, server) {
      Object.assign(this, { element, trigger, server });
      this.canvas = element.querySelector("canvas");
      this.status = element.querySelector("[role=status]");
      this.strokes = [];          // {points: [[x, y, ms, pressure], ...], added: boolean}
      this.past = [];
      this.future = [];
      this.category = null;
      this.stop = null;           // stops the run, while there is one
      this.erasing = this.waiting = this.stale = false;
      this.ghost = null;
      this.listeners = [];
      this.timings = { penUp: 0, firstPoint: [] };
      this.live = this.remembered("live") === "yes";
      S.setSmooth(this.remembered("smooth") !== "no");
      this.restore();
      this.listenToButtons();
      this.hand = new S.Hand(this);
      S.whenItLooksElse(this.canvas, () => this.draw());
      this.refresh();
    }

    get running() {
      return this.stop !== null;
    }

    // --- what is kept ------------------------------------------------------------------------------------

    remembered(key) {
      try { return localStorage.getItem(`${STORE}.${key}`); } catch { return null; }
    }

    remember(key, text) {
      // A full or forbidden store must not keep anybody from drawing.
      try { localStorage.setItem(`${STORE}.${key}`, text); } catch { /* drawn all the same */ }
    }

    restore() {
      try {
        const found = JSON.parse(this.remembered("strokes") || "[]");
        const sound = (point) => Array.isArray(point) && point.length >= 2 && point.every(Number.isFinite);
        this.strokes = found
          .filter((stroke) => Array.isArray(stroke.points) && stroke.points.length && stroke.points.every(sound))
          .map((stroke) => ({ points: stroke.points, added: Boolean(stroke.added) }));
      } catch { this.strokes = []; }
    }

    payload() {
      return {
        strokes: this.strokes.map((stroke) => stroke.points),
        added: this.strokes.map((stroke) => stroke.added),
        width: S.PAGE.width,
        height: S.PAGE.height,
      };
    }

    changed(strokes, next) {
      this.past.push(this.strokes);
      if (this.past.length > HISTORY) this.past.shift();
      this.future = [];
      this.become(strokes, next);
    }

    become(strokes, next) {
      this.strokes = strokes;
      this.halt();
      this.ghost = null;
      // Before the page is seen to, which takes milliseconds that the model can use.
      if (next) next();
      this.remember("strokes", JSON.stringify(strokes));
      this.refreshSoon();
      for (const tell of this.listeners) tell();
    }

    // --- what the model does -----------------------------------------------------------------------------

    finish(why) {
      if (this.hand.busy) return;
      this.halt();
      this.timings.penUp = why === "live" ? this.timings.penUp : performance.now();
      this.timings.pending = true;
      const seed = Math.floor(Math.random() * 2 ** 31);
      this.stop = S.run({ drawing: this.payload(), ...S.settings, seed }, this.completions.begin());
      this.say("Drawing…");
      this.refreshSoon();
    }

    halt() {
      if (!this.running) return;
      this.stop();
      this.stop = null;
      this.say("");
      this.refreshSoon();
    }

    finished(words) {
      this.stop = null;
      this.say(words);
      this.refreshSoon();
    }

    firstPoint() {
      if (!this.timings.pending) return;
      this.timings.pending = false;
      this.timings.firstPoint.push(performance.now() - this.timings.penUp);
    }

    accept(strokes) {
      if (!strokes.length) return;
      const added = strokes.map((points) => ({ points, added: true }));
      this.changed([...this.strokes, ...added]);
      this.say(`Added ${strokes.length} stroke${strokes.length === 1 ? "" : "s"}`);
      this.canvas.focus({ preventScroll: true });
    }

    load(strokes, category) {
      this.category = category || null;
      this.changed(strokes);
      if (category) this.trigger("started");
    }

    // Somebody tells what it is: the page's setting follows, and it is finished anew.
    tell(category) {
      this.category = S.settings.category = category;
      this.trigger("started");
      this.finish();
    }

    // --- editing -----------------------------------------------------------------------------------------

    undo() {
      this.step(this.past, this.future);
    }

    redo() {
      this.step(this.future, this.past);
    }

    step(from, to) {
      if (!from.length) return;
      to.push(this.strokes);
      this.become(from.pop());
    }

    clear() {
      if (this.strokes.length) this.changed([]);
    }

    setErasing(erasing) {
      this.erasing = erasing;
      this.refreshSoon();
    }

    // Erases what lies under the eraser; returns whether there was something.
    erase(x, y, again) {
      const left = this.strokes.filter((stroke) => S.distanceToStroke(stroke.points, x, y) > ERASER);
      if (left.length === this.strokes.length) return false;
      // One gesture is one step back, however many strokes it touched.
      if (again) this.become(left);
      else this.changed(left);
      return true;
    }

    begin(point) {
      this.halt();
      this.ghost = null;
      const points = this.strokes.reduce((sum, stroke) => sum + stroke.points.length, 0);
      if (this.strokes.length >= MOST_STROKES || points >= MOST_POINTS) {
        this.say(`The page is full: at most ${MOST_STROKES} strokes and ${MOST_POINTS} points`);
        return false;
      }
      this.room = MOST_POINTS - points;
      this.current = [point];
      for (const tell of this.listeners) tell();
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
      this.timings.penUp = performance.now();
      this.changed([...this.strokes, { points, added: false }], this.live ? () => this.finish("live") : null);
    }

    // --- buttons, opening, saving ------------------------------------------------------------------------

    listenToButtons() {
      const does = {
        finish: () => (this.running ? this.halt() : this.finish()),
        live: () => {
          this.live = !this.live;
          this.remember("live", this.live ? "yes" : "no");
          this.refreshSoon();
        },
        undo: () => this.undo(),
        redo: () => this.redo(),
        erase: () => this.setErasing(!this.erasing),
        smooth: () => {
          S.setSmooth(!S.smooth());
          this.remember("smooth", S.smooth() ? "yes" : "no");
          this.refreshSoon();
        },
        clear: () => this.clear(),
        open: () => this.element.querySelector("input[type=file]").click(),
      };
      this.element.addEventListener("click", (event) => {
        const button = event.target.closest("button");
        if (!button) return;
        if (button.dataset.do) does[button.dataset.do]();
        if (button.dataset.starter) this.start(button.dataset.starter);
      });
      this.element.querySelector("select").addEventListener("change", (event) => {
        const format = event.target.value;
        event.target.value = "";
        if (format) this.save(format);
      });
      this.element.querySelector("input[type=file]").addEventListener("change", (event) => {
        if (event.target.files.length) this.open(event.target.files[0]);
        event.target.value = "";
      });
    }

    async ask(what, question) {
      try {
        const answer = await question();
        if (answer && !answer.error) return answer;
        this.say((answer && answer.error) || `${what} failed`);
      } catch {
        this.say(`${what} failed: the server did not answer`);
      }
      return null;
    }

    async start(name) {
      const found = await this.ask("Opening", () => this.server.starter({ name }));
      if (found) this.load(found.strokes.map((points) => ({ points, added: false })), found.category);
    }

    async open(file) {
      if (file.size > 2 * 1024 * 1024) {
        this.say(`${file.name} is larger than 2 MB; simplify the drawing`);
        return;
      }
      const text = await file.text();
      const found = await this.ask("Opening", () => this.server.open({ text, name: file.name }));
      if (!found) return;
      this.load(found.strokes.map((points) => ({ points, added: false })), found.category);
      this.say(`Opened ${file.name}`);
    }

    async save(format) {
      if (!this.strokes.length) {
        this.say("Nothing to save yet: draw something first");
        return;
      }
      this.say("Saving…");
      const made = await this.ask("Saving", () => this.server.export({ drawing: this.payload(), smooth: S.smooth(), format }));
      if (!made) return;
      const bytes = Uint8Array.from(atob(made.base64), (letter) => letter.charCodeAt(0));
      const link = document.createElement("a");
      link.href = URL.createObjectURL(new Blob([bytes], { type: made.type }));
      link.download = made.name;
      link.click();
      setTimeout(() => URL.revokeObjectURL(link.href), 10000);
      this.say(`Saved ${made.name}`);
    }

    // --- the picture -------------------------------------------------------------------------------------

    say(words) {
      if (this.status.textContent !== words) this.status.textContent = words;
    }

    refresh() {
      this.stale = false;
      const button = (name) => this.element.querySelector(`[data-do=${name}]`);
      button("finish").textContent = this.running ? "Stop" : "Finish it";
      button("undo").disabled = !this.past.length;
      button("redo").disabled = !this.future.length;
      button("clear").disabled = !this.strokes.length;
      button("erase").setAttribute("aria-pressed", String(this.erasing));
      button("live").setAttribute("aria-pressed", String(this.live));
      button("smooth").setAttribute("aria-pressed", String(S.smooth()));
      this.canvas.classList.toggle("erasing", this.erasing);
      this.element.querySelector(".pad").classList.toggle("drawn", this.strokes.length > 0);
      const strokes = `${this.strokes.length} stroke${this.strokes.length === 1 ? "" : "s"}`;
      this.canvas.setAttribute("aria-label", `Drawing page, ${this.strokes.length ? strokes : "empty"}`);
      this.element.querySelector(".hint").hidden = this.strokes.length > 0 || Boolean(this.current);
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
      const context = S.prepare(this.canvas, S.wholePage());
      const inks = S.inks(this.element);
      S.drawStrokes(context, inks, this.strokes, S.PEN);
      if (this.ghost) {
        context.globalAlpha = 0.75;
        for (const stroke of this.ghost) S.drawStroke(context, stroke, inks.added, S.PEN);
        context.globalAlpha = 1;
      }
      if (this.current) {
        S.drawStroke(context, { points: this.current }, inks.ink, S.PEN);
        this.element.querySelector(".hint").hidden = true;
      }
      if (this.hand) this.hand.draw(context, inks.ink);
    }
  }

  S.mountPad = function (element, trigger, server) {
    S.pad = new Pad(element, trigger, server);
    for (const ready of S.whenPad || []) ready(S.pad);
    S.whenPad = [];
  };

  // Components mount in any order: calls `ready` with the pad, now or when it is there.
  S.withPad = function (ready) {
    if (S.pad) ready(S.pad);
    else (S.whenPad = S.whenPad || []).push(ready);
  };
})(window.Sketchgen);
