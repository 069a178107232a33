// The hand on the paper: mouse, fingers, pen and keys.
"use strict";

(function (S) {
  const SURE = 10;      // px after which a finger's stroke is one, and no gesture of two fingers

  S.Hand = class {
    constructor(pad) {
      this.pad = pad;
      this.gesture = new S.Gesture(this);
      this.at = null;             // where the pointer is, on the page
      this.cursor = null;         // the pen of the keyboard: {x, y, down}
      this.spaced = null;         // while the space key is down: whether the view was moved by it
      this.listenToPointer();
      this.listenToKeys();
    }

    get busy() {
      return this.gesture.busy || Boolean(this.cursor && this.cursor.down);
    }

    // --- pointers ----------------------------------------------------------------------------------------

    listenToPointer() {
      const { canvas } = this.pad;
      canvas.addEventListener("pointerdown", (event) => this.down(event));
      canvas.addEventListener("pointermove", (event) => this.moved(event));
      canvas.addEventListener("pointerup", (event) => this.up(event, "up"));
      canvas.addEventListener("pointercancel", (event) => this.up(event, "cancel"));
      canvas.addEventListener("pointerleave", () => this.hover(null));
      canvas.addEventListener("wheel", (event) => this.wheel(event), { passive: false });
      // Where a browser ignores touch-action, the page must still not scroll under the finger.
      canvas.addEventListener("touchmove", (event) => event.preventDefault(), { passive: false });
      canvas.addEventListener("contextmenu", (event) => event.preventDefault());
      // Pinching on a trackpad, in Safari.
      canvas.addEventListener("gesturestart", (event) => event.preventDefault());
    }

    // What `Gesture` and the pad need of an event; places within the paper.
    told(event, box = this.pad.canvas.getBoundingClientRect()) {
      return {
        id: event.pointerId,
        type: event.pointerType || "mouse",
        x: Math.max(0, Math.min(box.width, event.clientX - box.left)),
        y: Math.max(0, Math.min(box.height, event.clientY - box.top)),
        time: event.timeStamp,
        button: event.button,
        // The other end of a pen, or its button for that.
        rubber: event.pointerType === "pen" && Boolean(event.buttons & 32),
        pressure: event.pointerType === "pen" ? Math.round(event.pressure * 1000) / 1000 : 0.5,
      };
    }

    place({ x, y, time, pressure }) {
      const [px, py] = this.pad.view.toPage([x, y]);
      return [Math.round(px * 100) / 100, Math.round(py * 100) / 100, Math.round(time), pressure];
    }

    down(event) {
      if (event.button > 1 && event.button !== 5) return;
      event.preventDefault();
      this.pad.canvas.classList.add("pointed");
      this.pad.canvas.focus({ preventScroll: true });
      this.liftKeyPen();
      this.cursor = null;
      this.gesture.down(this.told(event));
      // An event made by a script has no pointer to hold.
      try { this.pad.canvas.setPointerCapture(event.pointerId); } catch { /* drawn all the same */ }
      this.pad.drawSoon();
    }

    moved(event) {
      const box = this.pad.canvas.getBoundingClientRect();
      const all = event.getCoalescedEvents ? event.getCoalescedEvents() : [];
      for (const each of all.length ? all : [event]) this.gesture.moved(this.told(each, box));
      if (event.pointerType !== "touch") this.hover(this.told(event, box));
      if (this.gesture.busy) this.pad.drawSoon();
    }

    up(event, how) {
      this.gesture[how](this.told(event));
      this.pad.drawSoon();
    }

    // The eraser's ring follows the pointer.
    hover(told) {
      this.at = told && this.pad.view.toPage([told.x, told.y]);
      if (this.pad.erasing) this.pad.drawSoon();
    }

    wheel(event) {
      // Beside other things the wheel scrolls past the paper.
      if (S.embedded && !event.ctrlKey && !event.metaKey) return;
      event.preventDefault();
      if (this.gesture.busy && !this.cursor) return;
      const lines = event.deltaMode === 1 ? 16 : event.deltaMode === 2 ? 400 : 1;
      const box = this.pad.canvas.getBoundingClientRect();
      const [dx, dy] = event.shiftKey && !event.deltaX ? [event.deltaY, 0] : [event.deltaX, event.deltaY];
      this.pad.look((view) => {
        if (event.ctrlKey || event.metaKey) {
          // A notch of a wheel is a hundred; a trackpad tells its pinch in small steps.
          view.zoom(Math.exp(-Math.max(-60, Math.min(60, lines * dy)) / 140), [event.clientX - box.left, event.clientY - box.top]);
        } else {
          view.pan(-lines * dx, -lines * dy);
        }
      });
    }

    // --- what `Gesture` asks for -------------------------------------------------------------------------

    pans({ button }) {
      const spaced = this.spaced !== null;
      if (spaced) this.spaced = true;
      return spaced || button === 1;
    }

    begin(event) {
      const point = this.place(event);
      this.first = event;
      this.erased = false;
      this.choosing = S.suggestions.choosing;
      if (this.choosing) return true;
      this.rubber = event.rubber || this.pad.erasing;
      if (this.rubber) this.erase(point);
      else if (!this.pad.begin(point)) return false;
      // A finger may be the first one of two, which are to leave all as it is.
      this.sure = false;
      if (event.type !== "touch") this.beSure();
      return true;
    }

    // Now it is known to be a stroke.
    beSure() {
      if (this.sure) return;
      this.sure = true;
      S.suggestions.penDown();
    }

    erase(point) {
      this.erased = this.pad.erase(this.last || point, point, this.erased) || this.erased;
      this.last = point;
    }

    go(event) {
      if (this.choosing) return;
      if (Math.hypot(event.x - this.first.x, event.y - this.first.y) > SURE) this.beSure();
      const point = this.place(event);
      this.at = point;
      if (this.rubber) this.erase(point);
      else this.pad.go(point);
    }

    end() {
      this.last = null;
      if (this.choosing) S.suggestions.chooseAt(this.place(this.first));
      if (this.rubber || this.choosing) return;
      this.beSure();
      this.pad.end();
    }

    takeBack() {
      this.last = null;
      this.pad.forgetCurrent();
      if (this.choosing) return;
      if (this.erased) S.sketch.takeBack();
      if (this.sure) S.suggestions.changed({});
      this.pad.refreshSoon();
    }

    pan(dx, dy) {
      this.pad.look((view) => view.pan(dx, dy));
    }

    pinch(before, after) {
      this.pad.look((view) => view.pinch(before, after));
    }

    // Fits a page that does not; the dot of the first tap goes.
    tapTwice() {
      if (this.pad.view.fitted || this.pad.erasing) return false;
      S.sketch.takeBack();
      S.actions.fit();
      return true;
    }

    // --- keys --------------------------------------------------------------------------------------------

    listenToKeys() {
      this.pad.canvas.addEventListener("keydown", (event) => this.key(event));
      this.pad.canvas.addEventListener("keyup", (event) => event.key === " " && this.spaceUp());
      this.pad.canvas.addEventListener("blur", () => {
        this.spaced = null;
        this.liftKeyPen();
      });
      S.host.addEventListener("keydown", (event) => this.keyElsewhere(event));
    }

    // Numbers and undo work on the whole page, but where somebody types or the paper is out of sight.
    keyElsewhere(event) {
      const typing = event.target.closest("input, textarea, select, [contenteditable]");
      if (event.target === this.pad.canvas || typing || S.viewed !== "draw") return;
      const undo = (event.ctrlKey || event.metaKey) && /^[zy]$/i.test(event.key);
      if (undo || (/^[0-9]$/.test(event.key) && !event.altKey && !event.ctrlKey && !event.metaKey)) this.key(event);
    }

    key(event) {
      this.pad.canvas.classList.remove("pointed");
      const command = event.ctrlKey || event.metaKey;
      const arrows = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
      const does = {
        " ": () => event.repeat || (this.spaced = false),
        Enter: () => S.suggestions.finish(),
        Escape: () => S.suggestions.escape(),
        e: () => S.actions.eraser(),
        E: () => this.pad.setTool(this.pad.tool === "remover" ? "eraser" : "remover"),
        p: () => S.actions.pen(),
        0: () => S.actions.fit(),
        "+": () => S.actions.closer(),
        "-": () => S.actions.farther(),
        Delete: () => S.actions.clear(),
      };
      if (command && event.key.toLowerCase() === "z") event.shiftKey ? S.sketch.redo() : S.sketch.undo();
      else if (command && event.key.toLowerCase() === "y") S.sketch.redo();
      else if (command || event.altKey) return;
      else if (arrows[event.key]) this.moveKeyPen(...arrows[event.key], event.shiftKey ? 32 : 8);
      else if (does[event.key]) does[event.key]();
      else if (/^[1-9]$/.test(event.key)) S.suggestions.keep(Number(event.key) - 1);
      else return;
      event.preventDefault();
    }

    // The space key alone is the pen's; with the pointer it moves the paper.
    spaceUp() {
      const alone = this.spaced === false;
      this.spaced = null;
      if (alone) this.toggleKeyPen();
    }

    // The pen of the keyboard, at first in the middle of what is seen.
    keyPen() {
      const { x, y, width, height } = this.pad.view.box;
      const middle = { x: Math.round(x + width / 2), y: Math.round(y + height / 2), down: false };
      return (this.cursor = this.cursor || middle);
    }

    keyPoint() {
      return [this.cursor.x, this.cursor.y, Math.round(performance.now()), 0.5];
    }

    moveKeyPen(dx, dy, step) {
      const pen = this.keyPen(), seen = this.pad.view.box;
      pen.x = Math.max(seen.x, Math.min(seen.x + seen.width, pen.x + dx * step));
      pen.y = Math.max(seen.y, Math.min(seen.y + seen.height, pen.y + dy * step));
      if (pen.down) this.pad.go(this.keyPoint());
      this.pad.draw();
    }

    toggleKeyPen() {
      if (this.gesture.busy) return;
      const pen = this.keyPen();
      if (pen.down) this.liftKeyPen();
      else if (this.pad.begin(this.keyPoint())) {
        S.suggestions.penDown();
        pen.down = true;
        S.say(S.t("paper.pen_down"));
      }
      this.pad.draw();
    }

    liftKeyPen() {
      if (!this.cursor || !this.cursor.down) return;
      this.cursor.down = false;
      S.say(S.t("paper.pen_up"));
      this.pad.end();
      this.pad.draw();
    }

    draw(context, { ink }) {
      const { scale } = this.pad.view;
      context.strokeStyle = context.fillStyle = ink;
      context.lineWidth = 1.5 / scale;
      context.beginPath();
      if (this.cursor) {
        context.arc(this.cursor.x, this.cursor.y, (this.cursor.down ? 4 : 9) / scale, 0, 2 * Math.PI);
        this.cursor.down ? context.fill() : context.stroke();
      } else if (this.pad.erasing && this.at) {
        context.globalAlpha = 0.5;
        context.arc(this.at[0], this.at[1], this.pad.eraserRadius, 0, 2 * Math.PI);
        context.stroke();
        context.globalAlpha = 1;
      }
    }
  };
})(Sketchgen);
