// The view: which part of the page stands in the window, how large. No DOM.
"use strict";

(function (S) {
  const MIN_SCALE = 0.25, MAX_SCALE = 12;   // times the scale at which the page fits
  const EDGE = 24;                          // px of the page that cannot be moved out of the window

  S.View = class {
    constructor(width = S.PAGE.width, height = S.PAGE.height) {
      Object.assign(this, { width, height });
      this.fit();
    }

    // px of the window for a unit of the page where the whole page fits.
    get whole() {
      return Math.min(this.width / S.PAGE.width, this.height / S.PAGE.height);
    }

    // The part of the page that the window shows.
    get box() {
      const { x, y, scale, width, height } = this;
      return { x: -x / scale, y: -y / scale, width: width / scale, height: height / scale };
    }

    toPage([x, y]) {
      return [(x - this.x) / this.scale, (y - this.y) / this.scale];
    }

    toWindow([x, y]) {
      return [x * this.scale + this.x, y * this.scale + this.y];
    }

    // Shows the page, or a box on it, as large as the window has room for.
    fit(box = { x: 0, y: 0, ...S.PAGE }) {
      this.fitted = box.width === S.PAGE.width && box.height === S.PAGE.height && !box.x && !box.y;
      this.scale = Math.min(this.width / box.width, this.height / box.height);
      this.x = (this.width - box.width * this.scale) / 2 - box.x * this.scale;
      this.y = (this.height - box.height * this.scale) / 2 - box.y * this.scale;
    }

    // A window of another size keeps its middle, and a page that fitted still fits.
    resize(width, height) {
      if (width === this.width && height === this.height) return;
      const middle = this.toPage([this.width / 2, this.height / 2]), times = this.scale / this.whole;
      Object.assign(this, { width, height });
      if (this.fitted) return this.fit();
      this.scale = times * this.whole;
      this.move(middle, [width / 2, height / 2]);
    }

    // Moves a point of the page to a place of the window.
    move([px, py], [x, y]) {
      const inside = (place, size, shown) => Math.max(EDGE - size, Math.min(shown - EDGE, place));
      this.x = inside(x - px * this.scale, S.PAGE.width * this.scale, this.width);
      this.y = inside(y - py * this.scale, S.PAGE.height * this.scale, this.height);
      this.fitted = false;
    }

    pan(dx, dy) {
      this.move([0, 0], [this.x + dx, this.y + dy]);
    }

    // What lies under `at` stays there.
    zoom(factor, at = [this.width / 2, this.height / 2]) {
      const under = this.toPage(at), whole = this.whole;
      this.scale = Math.max(MIN_SCALE * whole, Math.min(MAX_SCALE * whole, this.scale * factor));
      this.move(under, at);
    }

    // Two fingers move from `before` to `after`, each a pair of places: what was under them stays there.
    pinch(before, after) {
      const between = ([[ax, ay], [bx, by]]) => Math.hypot(bx - ax, by - ay);
      const middle = ([[ax, ay], [bx, by]]) => [(ax + bx) / 2, (ay + by) / 2];
      const under = this.toPage(middle(before));
      this.zoom(between(after) / Math.max(between(before), 1));
      this.move(under, middle(after));
    }

    // Shows a box that lies partly outside the window, and what was seen already.
    reveal(box) {
      const seen = this.box, right = box.x + box.width, bottom = box.y + box.height;
      const inside = box.x >= seen.x && box.y >= seen.y && right <= seen.x + seen.width && bottom <= seen.y + seen.height;
      if (inside) return false;
      const x = Math.min(seen.x, box.x), y = Math.min(seen.y, box.y);
      this.fit({
        x, y,
        width: Math.max(seen.x + seen.width, right) - x,
        height: Math.max(seen.y + seen.height, bottom) - y,
      });
      return true;
    }
  };
})(Sketchgen);
