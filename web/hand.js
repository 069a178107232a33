// The hand on the pad: mouse, finger, pen and keys.
"use strict";

(function (S) {
  S.Hand = class {
    constructor(pad) {
      this.pad = pad;
      this.pointer = null;        // which pointer is down
      this.cursor = null;         // the pen of the keyboard: {x, y, down}
      this.erased = false;        // whether this gesture has erased something
      this.listenToPointer();
      this.listenToKeys();
    }

    get busy() {
      return this.pointer !== null || Boolean(this.cursor && this.cursor.down);
    }

    place(event) {
      const box = this.pad.canvas.getBoundingClientRect();
      const within = (value, low, high) => Math.max(low, Math.min(high, value));
      const [x, y] = this.pad.toPage(
        within(event.clientX, box.left, box.right), within(event.clientY, box.top, box.bottom)
      );
      const pressure = event.pointerType === "pen" ? Math.round(event.pressure * 1000) / 1000 : 0.5;
      return [Math.round(x * 100) / 100, Math.round(y * 100) / 100, Math.round(event.timeStamp), pressure];
    }

    listenToPointer() {
      const canvas = this.pad.canvas;
      canvas.addEventListener("pointerdown", (event) => this.down(event));
      canvas.addEventListener("pointermove", (event) => this.moved(event));
      canvas.addEventListener("pointerup", (event) => this.up(event));
      canvas.addEventListener("pointercancel", (event) => this.up(event));
      // Where a browser ignores touch-action, the page must still not scroll under the finger.
      canvas.addEventListener("touchmove", (event) => event.preventDefault(), { passive: false });
      canvas.addEventListener("contextmenu", (event) => event.preventDefault());
    }

    down(event) {
      // A pen beats the hand that rests beside it; a second finger draws nothing.
      const pen = event.pointerType === "pen" && this.pointerType === "touch";
      if ((this.pointer !== null && !pen) || event.button > 0) return;
      event.preventDefault();
      this.pad.canvas.focus({ preventScroll: true });
      this.cursor = null;
      this.pointerType = event.pointerType;
      const point = this.place(event);
      if (this.pad.erasing) {
        this.erased = this.pad.erase(point[0], point[1], false);
      } else if (!this.pad.begin(point)) {
        return;
      }
      this.pointer = event.pointerId;
      // An event made by a script has no pointer to hold.
      try { this.pad.canvas.setPointerCapture(event.pointerId); } catch { /* drawn all the same */ }
      this.pad.draw();
    }

    moved(event) {
      if (event.pointerId !== this.pointer) return;
      const all = event.getCoalescedEvents ? event.getCoalescedEvents() : [];
      for (const each of all.length ? all : [event]) {
        const point = this.place(each);
        if (this.pad.erasing) this.erased = this.pad.erase(point[0], point[1], this.erased) || this.erased;
        else this.pad.go(point);
      }
      this.pad.drawSoon();
    }

    up(event) {
      if (event.pointerId !== this.pointer) return;
      this.pointer = null;
      if (!this.pad.erasing) this.pad.end();
      this.pad.drawSoon();
    }

    listenToKeys() {
      this.pad.canvas.addEventListener("keydown", (event) => this.key(event));
      this.pad.canvas.addEventListener("blur", () => this.liftKeyPen());
      document.addEventListener("keydown", (event) => this.keyElsewhere(event));
    }

    // Numbers and undo work on the whole page, but where somebody types or the pad is out of sight.
    keyElsewhere(event) {
      const typing = event.target.closest("input, textarea, select, [contenteditable]");
      if (event.target === this.pad.canvas || typing || S.viewed !== "draw") return;
      const undo = (event.ctrlKey || event.metaKey) && /^[zy]$/i.test(event.key);
      if (undo || (/^[1-9]$/.test(event.key) && !event.altKey)) this.key(event);
    }

    key(event) {
      const command = event.ctrlKey || event.metaKey;
      const arrows = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
      const does = {
        " ": () => this.toggleKeyPen(),
        Enter: () => S.suggestions.finish(),
        Escape: () => S.suggestions.escape(),
        e: () => S.actions.eraser(),
        p: () => S.actions.pen(),
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

    keyPoint() {
      return [this.cursor.x, this.cursor.y, Math.round(performance.now()), 0.5];
    }

    moveKeyPen(dx, dy, step) {
      this.cursor = this.cursor || { x: S.PAGE.width / 2, y: S.PAGE.height / 2, down: false };
      this.cursor.x = Math.max(0, Math.min(S.PAGE.width, this.cursor.x + dx * step));
      this.cursor.y = Math.max(0, Math.min(S.PAGE.height, this.cursor.y + dy * step));
      if (this.cursor.down) this.pad.go(this.keyPoint());
      this.pad.draw();
    }

    toggleKeyPen() {
      if (this.pointer !== null) return;
      this.cursor = this.cursor || { x: S.PAGE.width / 2, y: S.PAGE.height / 2, down: false };
      if (this.cursor.down) this.liftKeyPen();
      else if (this.pad.begin(this.keyPoint())) {
        this.cursor.down = true;
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

    draw(context, ink) {
      if (!this.cursor) return;
      const { x, y, down } = this.cursor;
      context.strokeStyle = context.fillStyle = ink;
      context.lineWidth = 1.5;
      context.beginPath();
      context.arc(x, y, down ? 4 : 9, 0, 2 * Math.PI);
      down ? context.fill() : context.stroke();
    }
  };
})(window.Sketchgen);
