// Which pointers draw, and which move the view: fingers, the palm beside a pen, mouse. No DOM.
"use strict";

(function (S) {
  const TAKEN_BACK = { ms: 400, px: 40 };   // how long and how far a finger may draw before the second one comes
  const TAP = { ms: 250, px: 10 };          // a tap is at most that long and wide
  const TWICE = { ms: 350, px: 24 };        // the second of two taps comes that soon, that near
  const PALM = 700;                         // ms after a pen was there, in which a touch is the palm's

  // `paper` does what the pointers ask for: begin(event), go(event), end(), takeBack(), pan(dx, dy),
  // pinch(before, after), tapTwice(event) (false where it means nothing), pans(event). Events are
  // {id, type: "mouse" | "touch" | "pen", x, y, time}, in px of the window.
  S.Gesture = class {
    constructor(paper) {
      this.paper = paper;
      this.mode = "none";         // "draw", "pan", "pinch", or "rest" until all fingers are gone
      this.held = new Map();      // what is down, but for palms
      this.palms = new Set();
      this.penSeen = -Infinity;
    }

    get busy() {
      return this.mode !== "none";
    }

    down(event) {
      // Its last end was never told, as where the window lost the focus.
      if (this.held.has(event.id)) this.up(event);
      if (event.type === "touch") return this.touched(event);
      if (event.type === "pen") {
        this.penSeen = event.time;
        // A pen beats the hand that rests beside it.
        for (const [id, each] of this.held) if (each.type === "touch") this.palms.add(id);
        if (this.mode === "draw" && this.first.type === "touch") this.paper.takeBack();
        if (this.palms.size) this.reset();
      }
      if (this.busy) return;
      this.hold(event, this.paper.pans(event) ? "pan" : "draw");
    }

    touched(event) {
      const penHere = [...this.held.values()].some(({ type }) => type !== "touch");
      if (penHere || event.time - this.penSeen < PALM) {
        this.palms.add(event.id);
      } else if (this.mode === "none" && !this.held.size) {
        if (this.tap && this.near(this.tap, event, TWICE) && this.paper.tapTwice(event)) {
          this.tap = null;
          this.held.set(event.id, { ...event });
          this.mode = "rest";
        } else {
          this.hold(event, "draw");
        }
      } else {
        this.second(event);
      }
    }

    // Two fingers never draw: what the first one has just begun is taken back, a longer line ends here.
    second(event) {
      if (this.mode === "draw") {
        const short = event.time - this.first.time < TAKEN_BACK.ms || this.gone < TAKEN_BACK.px;
        short ? this.paper.takeBack() : this.paper.end();
      }
      this.held.set(event.id, { ...event });
      this.mode = this.held.size === 2 ? "pinch" : "rest";
    }

    hold(event, mode) {
      this.held.set(event.id, { ...event });
      this.first = event;
      this.gone = 0;
      this.mode = mode;
      if (mode === "draw" && this.paper.begin(event) === false) this.mode = "rest";
    }

    moved(event) {
      if (event.type === "pen") this.penSeen = event.time;
      const last = this.held.get(event.id);
      if (!last) return;
      if (this.mode === "draw") {
        this.gone += Math.hypot(event.x - last.x, event.y - last.y);
        this.paper.go(event);
      }
      const before = [...this.held.values()].map(({ x, y }) => [x, y]);
      Object.assign(last, { x: event.x, y: event.y });
      const after = [...this.held.values()].map(({ x, y }) => [x, y]);
      if (this.mode === "pan") this.paper.pan(after[0][0] - before[0][0], after[0][1] - before[0][1]);
      if (this.mode === "pinch") this.paper.pinch(before, after);
    }

    up(event) {
      if (event.type === "pen") this.penSeen = event.time;
      this.palms.delete(event.id);
      if (!this.held.delete(event.id)) return;
      if (this.mode === "draw") {
        const tapped = event.type === "touch" && this.gone < TAP.px && event.time - this.first.time < TAP.ms;
        this.tap = tapped ? event : null;
      }
      const drew = this.mode === "draw";
      // The finger that is left of two draws nothing, until it is lifted, too.
      this.mode = this.held.size ? "rest" : "none";
      // The hand is free by now: what the end of a stroke asks for may begin.
      if (drew) this.paper.end();
    }

    // The system took the pointer away: of a finger it was none, but a palm or a gesture of the system's.
    cancel(event) {
      if (this.mode === "draw" && event.type === "touch" && this.held.has(event.id)) {
        this.held.delete(event.id);
        this.mode = this.held.size ? "rest" : "none";
        this.paper.takeBack();
      } else {
        this.up(event);
      }
    }

    reset() {
      this.held.clear();
      this.mode = "none";
    }

    near(tap, event, { ms, px }) {
      return event.time - tap.time < ms && Math.hypot(event.x - tap.x, event.y - tap.y) < px;
    }
  };
})(Sketchgen);
