// What all parts of the page share: the page's size, how a stroke is drawn, and drawing at the pace of a hand.
"use strict";

(function (S) {
  // The fixed logical page; what is on the screen is scaled, so that resizing never touches a drawing.
  S.PAGE = { width: 640, height: 480 };
  S.PEN = 4;
  // Along the ink and between strokes, in units of the page a second.
  S.PACE = { ink: 620, travel: 2600 };

  // The colours of a person's ink and of the model's, as the page has them now.
  S.inks = function (element) {
    const style = getComputedStyle(element);
    const colour = (name) => style.getPropertyValue(name).trim() || "#000";
    return { ink: colour("--ink"), added: colour("--added") };
  };

  // Sizes the bitmap to the screen's pixels, wipes it, and returns its context, for round lines.
  S.sized = function (canvas) {
    const ratio = window.devicePixelRatio || 1;
    const width = Math.max(1, Math.round(canvas.clientWidth * ratio));
    const height = Math.max(1, Math.round(canvas.clientHeight * ratio));
    if (canvas.width !== width || canvas.height !== height) {
      canvas.width = width;
      canvas.height = height;
    }
    const context = canvas.getContext("2d");
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.clearRect(0, 0, width, height);
    context.lineCap = context.lineJoin = "round";
    return context;
  };

  // The same, in units of a box of the page that fills the canvas.
  S.prepare = function (canvas, box) {
    const context = S.sized(canvas), { width, height } = canvas;
    const scale = Math.min(width / box.width, height / box.height);
    context.setTransform(
      scale, 0, 0, scale,
      (width - box.width * scale) / 2 - box.x * scale,
      (height - box.height * scale) / 2 - box.y * scale
    );
    return context;
  };

  // The box of some lists of points, with a margin; `least` is its shortest side. Null where there are none.
  S.boxOf = function (lists, least = 120, margin = 0.12) {
    let left = Infinity, top = Infinity, right = -Infinity, bottom = -Infinity;
    for (const points of lists) {
      for (const [x, y] of points) {
        left = Math.min(left, x);
        top = Math.min(top, y);
        right = Math.max(right, x);
        bottom = Math.max(bottom, y);
      }
    }
    if (left > right) return null;
    const side = Math.max(right - left, bottom - top, least) * (1 + 2 * margin);
    return { x: (left + right - side) / 2, y: (top + bottom - side) / 2, width: side, height: side };
  };

  // Where some lists of points lie among all: "left_top", "middle", ..., or "everywhere".
  S.placeOf = function (lists, all) {
    const spread = [0, 1].map((axis) => {
      const of = (some) => some.flat().map((point) => point[axis]);
      const range = (values) => [values.reduce((a, b) => Math.min(a, b)), values.reduce((a, b) => Math.max(a, b))];
      const [low, high] = range(of(all)), [from, to] = range(of(lists)), size = Math.max(high - low, 1);
      return { share: (to - from) / size, at: Math.min(2, Math.floor((3 * ((from + to) / 2 - low)) / size)) };
    });
    if (spread.every(({ share }) => share > 0.7)) return "everywhere";
    const [x, y] = [["left", "", "right"][spread[0].at], ["top", "", "bottom"][spread[1].at]];
    return [x, y].filter(Boolean).join("_") || "middle";
  };

  const pressed = (point) => point.length > 3 && point[3] > 0 && point[3] !== 0.5;

  // Adds the pieces of a line to a path, up to a number of them that need not be whole.
  function trace(path, points, curves, upTo, from = 0) {
    path.moveTo(points[from][0], points[from][1]);
    // A dot; a line without any length would not be drawn at all.
    if (points.length === 1 || upTo === 0) path.lineTo(points[0][0] + 0.01, points[0][1]);
    for (let i = from; i < Math.min(points.length - 1, upTo); i++) {
      const [x, y] = points[i], [ex, ey] = points[i + 1], share = Math.min(upTo - i, 1);
      if (curves) S.curveTo(path, points[i], curves[i], points[i + 1], share);
      else path.lineTo(x + share * (ex - x), y + share * (ey - y));
    }
  }

  // Lists of points grow at their ends, and nothing else of them changes.
  const paths = new WeakMap();

  function wholePath(points, curved) {
    let found = paths.get(points);
    if (!found || found.count !== points.length || found.curved !== curved) {
      found = { count: points.length, curved, path: new Path2D() };
      trace(found.path, points, curved ? S.controlPoints(points) : null, Infinity);
      paths.set(points, found);
    }
    return found.path;
  }

  function drawEven(context, points, upTo, corners, from) {
    const curved = S.smooth() && !corners && points.length > 2;
    if (!from && upTo >= points.length - 1 && points.length > 1) return context.stroke(wholePath(points, curved));
    context.beginPath();
    trace(context, points, curved ? S.controlPoints(points) : null, upTo, from);
    context.stroke();
  }

  // A pen that knows how hard it is pressed draws each piece at its own width.
  function drawPressed(context, points, width, upTo, from) {
    for (let i = from + 1; i < points.length && i <= upTo; i++) {
      context.lineWidth = width * (0.4 + 1.2 * points[i][3]);
      context.beginPath();
      context.moveTo(points[i - 1][0], points[i - 1][1]);
      context.lineTo(points[i][0], points[i][1]);
      context.stroke();
    }
  }

  // A stroke is {points, from, upTo, corners}: of the pieces between points those from `from` up to `upTo` are
  // drawn, which need not be whole.
  S.drawStroke = function (context, { points, from = 0, upTo = Infinity, corners }, colour, width) {
    if (!points.length) return;
    context.strokeStyle = colour;
    context.lineWidth = width;
    if (points.length > 1 && points.some(pressed)) drawPressed(context, points, width, upTo, from);
    else drawEven(context, points, upTo, corners, from);
  };

  // A drawing's strokes, each in its own colour and width, or else in those of who drew it.
  S.drawStrokes = function (context, inks, strokes, width) {
    for (const stroke of strokes) {
      const colour = stroke.color || (stroke.added ? inks.added : inks.ink);
      S.drawStroke(context, stroke, colour, stroke.width ? (width * stroke.width) / S.PEN : width);
    }
  };

  // Calls `draw` when the element gets another size or the page other colours.
  S.whenItLooksElse = function (element, draw) {
    new ResizeObserver(draw).observe(element);
    new MutationObserver(draw).observe(S.host, { attributeFilter: ["class"] });
  };

  S.distanceToStroke = function (points, x, y) {
    let best = Infinity;
    for (let i = 0; i < points.length; i++) {
      const [ax, ay] = points[Math.max(i - 1, 0)], [bx, by] = points[i];
      const dx = bx - ax, dy = by - ay, length = dx * dx + dy * dy;
      const share = length ? Math.max(0, Math.min(1, ((x - ax) * dx + (y - ay) * dy) / length)) : 0;
      best = Math.min(best, Math.hypot(x - ax - share * dx, y - ay - share * dy));
    }
    return best;
  };

  S.calm = () => window.matchMedia("(prefers-reduced-motion: reduce)").matches;

  // Strokes that are revealed at the pace of a hand while they may still be growing.
  S.Growing = class {
    constructor() {
      this.strokes = [];      // lists of [x, y]
      this.open = false;      // whether the next point belongs to the last stroke
      this.at = [0, 0, 0];    // stroke, point, share of the way to the next point
      this.ended = false;     // whether the model ended it
    }

    add(points) {
      for (const [x, y, pen] of points) {
        if (!this.open) this.strokes.push([]);
        this.strokes[this.strokes.length - 1].push([x, y]);
        this.open = pen === 0;
      }
    }

    get arrived() {
      return this.strokes.reduce((sum, stroke) => sum + stroke.length, 0);
    }

    get complete() {
      const [stroke, point] = this.at, last = this.strokes.length - 1;
      return last < 0 || stroke > last || (stroke === last && point >= this.strokes[last].length - 1);
    }

    finish() {
      const last = this.strokes.length - 1;
      if (last >= 0) this.at = [last, this.strokes[last].length - 1, 0];
    }

    // Moves the hand on by some milliseconds; returns whether it moved.
    move(milliseconds, faster) {
      if (this.complete) return false;
      if (S.calm()) {
        this.finish();
        return true;
      }
      let time = (milliseconds / 1000) * (faster || 1);
      let [stroke, point, share] = this.at;
      while (time > 0) {
        const points = this.strokes[stroke];
        const within = point + 1 < points.length;
        const next = within ? points[point + 1] : (this.strokes[stroke + 1] || [])[0];
        if (!next) break;
        const length = Math.hypot(next[0] - points[point][0], next[1] - points[point][1]);
        const need = ((1 - share) * length) / (within ? S.PACE.ink : S.PACE.travel);
        if (need > time) {
          share += (time / Math.max(need, 1e-9)) * (1 - share);
          break;
        }
        time -= need;
        share = 0;
        if (within) point += 1;
        else [stroke, point] = [stroke + 1, 0];
      }
      this.at = [stroke, point, share];
      return true;
    }

    // What the hand has drawn by now, as strokes for `drawStroke`.
    visible() {
      const [stroke, point, share] = this.at;
      const shown = this.strokes.slice(0, stroke).map((points) => ({ points }));
      if (stroke < this.strokes.length) shown.push({ points: this.strokes[stroke], upTo: point + share });
      return shown;
    }
  };
})(Sketchgen);
