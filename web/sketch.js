// The document: the strokes on the paper, what they show, and the history of both.
"use strict";

(function (S) {
  const HISTORY = 200;
  S.MOST_STROKES = 500;
  S.MOST_POINTS = 20000;

  const sound = (point) => Array.isArray(point) && point.length >= 2 && point.every(Number.isFinite);

  // A stroke from outside, or null where it is none.
  const soundStroke = (stroke) =>
    stroke && Array.isArray(stroke.points) && stroke.points.length && stroke.points.every(sound)
      ? { ...stroke, added: Boolean(stroke.added) } : null;

  // A stroke is {points: [[x, y, ms, pressure], ...], added, color?, width?, corners?}. Lists of strokes are
  // never changed, but replaced, so that the history and others can hold on to them.
  class Sketch {
    constructor() {
      this.strokes = [];
      this.category = "auto";     // or "none", or the name of a category
      this.past = [];             // {strokes, category} each
      this.future = [];
      this.listeners = [];
    }

    // Calls `tell(reason, more)` after each change: "change", "undo", "redo" or "load". `more.drawn` says that
    // a person has just drawn a stroke. Who has much to do does it in the next frame.
    onChange(tell) {
      this.listeners.push(tell);
    }

    get state() {
      return { strokes: this.strokes, category: this.category };
    }

    get points() {
      return this.strokes.reduce((sum, stroke) => sum + stroke.points.length, 0);
    }

    // A step forward, which can be undone.
    change(strokes, { category = this.category, drawn = false } = {}) {
      this.past.push(this.state);
      if (this.past.length > HISTORY) this.past.shift();
      this.future = [];
      this.become({ strokes, category }, "change", { drawn });
    }

    // The same step goes on: what one gesture does is undone at once.
    amend(strokes) {
      this.become({ strokes, category: this.category }, "change");
    }

    // The last step was none: a gesture that turned out to be another one.
    takeBack() {
      if (this.past.length) this.become(this.past.pop(), "undo");
    }

    undo() {
      this.step(this.past, this.future, "undo");
    }

    redo() {
      this.step(this.future, this.past, "redo");
    }

    step(from, to, reason) {
      if (!from.length) return;
      to.push(this.state);
      this.become(from.pop(), reason);
    }

    // Another drawing takes the place of this one, which undo brings back.
    load(strokes, category = "auto") {
      this.past.push(this.state);
      this.future = [];
      this.become({ strokes, category: category || "auto" }, "load");
    }

    // What it shows, as a person tells; no step of its own in the history.
    setCategory(category) {
      this.become({ strokes: this.strokes, category }, "change");
    }

    become({ strokes, category }, reason, more = {}) {
      Object.assign(this, { strokes, category });
      for (const tell of this.listeners) tell(reason, more);
    }

    // What the server is sent, for completions and for files. The model sees lines, a person their pen: `styles`.
    payload(strokes = this.strokes) {
      const style = ({ color, width, corners }) => (color || width || corners ? { color, width, corners } : null);
      return {
        styles: strokes.map(style),
        strokes: strokes.map((stroke) => stroke.points),
        added: strokes.map((stroke) => Boolean(stroke.added)),
        width: S.PAGE.width,
        height: S.PAGE.height,
      };
    }

    toJSON() {
      return { ...this.state, past: this.past, future: this.future };
    }

    // Takes what `toJSON` gave, or anything else, of which what is sound is kept.
    fromJSON(data) {
      // A stroke that stands in several states of the history stays one.
      const known = new Map();
      const strokeOf = (each) => known.get(each) ?? known.set(each, soundStroke(each)).get(each);
      const state = (each) => ({
        strokes: (each && Array.isArray(each.strokes) ? each.strokes : []).map(strokeOf).filter(Boolean),
        category: each && typeof each.category === "string" ? each.category : "auto",
      });
      const states = (list) => (Array.isArray(list) ? list.slice(-HISTORY).map(state) : []);
      const found = data || {};
      this.past = states(found.past);
      this.future = states(found.future);
      this.become(state(found), "load");
    }
  }

  S.sketch = new Sketch();
})(Sketchgen);
