// Between two drawings that are alike: strokes that move, appear and go.
"use strict";

(function (S) {
  const POINTS = 48;
  // Strokes farther apart than this share of the drawings' size fade instead of moving.
  const FAR = 0.3;

  // A stroke as so many points, evenly along it.
  function even(points) {
    const along = [0];
    for (let i = 1; i < points.length; i++) {
      along.push(along[i - 1] + Math.hypot(points[i][0] - points[i - 1][0], points[i][1] - points[i - 1][1]));
    }
    const length = along[along.length - 1];
    let at = 0;
    return Array.from({ length: POINTS }, (_, index) => {
      const wanted = (length * index) / (POINTS - 1);
      while (at < points.length - 2 && along[at + 1] < wanted) at += 1;
      const next = points[at + 1] || points[at], gap = along[at + 1] - along[at];
      const share = gap > 0 ? Math.min(1, (wanted - along[at]) / gap) : 0;
      return [0, 1].map((axis) => points[at][axis] + share * (next[axis] - points[at][axis]));
    });
  }

  // Returns a function of the share of the way, 0 to 1, to strokes {points, alpha}; `size` is that of the drawings.
  S.tween = function (first, last, size) {
    const pairs = Array.from({ length: Math.max(first.length, last.length) }, (_, index) => {
      const ends = [first[index], last[index]];
      if (!ends[0] || !ends[1]) return { ends };
      const [from, to] = ends.map(even);
      const apart = from.reduce((sum, [x, y], i) => sum + Math.hypot(to[i][0] - x, to[i][1] - y), 0) / POINTS;
      return apart > FAR * size ? { ends } : { ends, from, to };
    });
    return (share) => {
      if (share <= 0) return first.map((points) => ({ points, alpha: 1 }));
      if (share >= 1) return last.map((points) => ({ points, alpha: 1 }));
      return pairs.flatMap(({ ends, from, to }) => {
        if (from) {
          const points = from.map(([x, y], i) => [x + share * (to[i][0] - x), y + share * (to[i][1] - y)]);
          return [{ points, alpha: 1 }];
        }
        return [[ends[0], 1 - share], [ends[1], share]].filter(([points]) => points).map(([points, alpha]) => ({ points, alpha }));
      });
    };
  };
})(Sketchgen);
