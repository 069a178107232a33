// The drawing as a file, made by the browser: the forms are those of sketchgen/formats.
"use strict";

(function (S) {
  const INKS = { ink: "#1b1b1f", added: "#d8480f" }, PAPER = "#ffffff";
  const EDGE = 0.02;                                          // room around ink beyond the page, of its longer side
  const WIDE = 1024;                                          // px of a picture's longer side
  const SPEED = 350, TRAVEL = 3, HOLD = 1.5, LONGEST = 30;    // px of a 255 box a second; seconds

  // A drawing of a link or of the browser's store may hold anything.
  const colourOf = ({ color, added }) => (/^#[\da-f]{6}$/i.test(color) ? color : added ? INKS.added : INKS.ink);
  const widthOf = ({ width }) => (width > 0 ? Number(width) : S.PEN);
  const wayOf = (points) => points.reduce((sum, [x, y], i) => sum + (i ? Math.hypot(x - points[i - 1][0], y - points[i - 1][1]) : 0), 0);

  // The strokes as the document has them, of what `S.sketch.payload` says.
  const strokesOf = ({ strokes, added, styles }) => strokes.map((points, i) => ({ ...styles[i], points, added: added[i] }));
  const inOrder = (strokes) => [...strokes.filter(({ added }) => !added), ...strokes.filter(({ added }) => added)];

  // The page, or more of it where ink lies beyond.
  function shown(strokes) {
    const { width, height } = S.PAGE, margin = EDGE * Math.max(width, height), all = strokes.flatMap(({ points }) => points);
    const reach = (axis, size) => {
      const low = all.reduce((least, point) => Math.min(least, point[axis]), 0);
      const high = all.reduce((most, point) => Math.max(most, point[axis]), size);
      return [low < 0 ? low - margin : 0, high > size ? high + margin : size];
    };
    const [[left, right], [top, bottom]] = [reach(0, width), reach(1, height)];
    return { x: left, y: top, width: right - left, height: bottom - top };
  }

  // --- SVG -----------------------------------------------------------------------------------------------

  // A pen that was pressed; its widths are those of S.drawStroke.
  const widths = ({ points }) =>
    points.length > 1 && points.some(([, , , pressure]) => pressure > 0 && pressure !== 0.5)
      ? points.map(([, , , pressure]) => 0.4 + 1.2 * Math.min(Math.max(pressure ?? 0.5, 0), 1)) : null;

  const round = (value) => Math.round(1000 * value) / 1000;

  function shape(stroke, smooth) {
    const points = stroke.points.map(([x, y]) => [x, y]);
    if (points.length === 1) return `<path d="M${points[0]}h0"`;
    if (!smooth || stroke.corners || points.length === 2) return `<polyline points="${points.join(" ")}"`;
    const curves = S.controlPoints(points).map((pair, i) => `C${pair.flat().map(round).join(" ")} ${points[i + 1].join(" ")}`);
    return `<path data-sketchgen="nodes" d="M${points[0].join(" ")}${curves.join("")}"`;
  }

  function element(stroke, smooth, more = "") {
    const pressed = more ? null : widths(stroke), width = widthOf(stroke) * (pressed ? Math.min(...pressed) : 1);
    const line = `${shape(stroke, smooth)} stroke="${colourOf(stroke)}" stroke-width="${round(width)}"${pressed ? ` data-widths="${pressed.map(round).join(" ")}"` : ""}${more}/>`;
    if (!pressed) return line;
    // Pieces of their own widths, which are seen only; what is read is the line beneath them.
    const piece = ([x, y], i) => i && `<path d="M${stroke.points[i - 1].slice(0, 2)}L${x},${y}" stroke-width="${round(widthOf(stroke) * pressed[i])}"/>`;
    return `${line}<g data-sketchgen="show" stroke="${colourOf(stroke)}">${stroke.points.map(piece).slice(1).join("")}</g>`;
  }

  function svg(strokes, groups, defs = "") {
    const { x, y, width, height } = shown(strokes), scale = 512 / Math.max(width, height);
    const size = `width="${round(width * scale)}" height="${round(height * scale)}" viewBox="${[x, y, width, height].join(" ")}"`;
    const pen = 'fill="none" stroke-linecap="round" stroke-linejoin="round"';
    return `<svg xmlns="http://www.w3.org/2000/svg" ${size} style="background:${PAPER}">${defs}<g ${pen}>\n${groups}\n</g></svg>\n`;
  }

  function still(strokes, smooth) {
    const part = (added) => strokes.filter((stroke) => stroke.added === added).map((stroke) => element(stroke, smooth)).join("\n");
    if (!strokes.some(({ added }) => added)) return svg(strokes, part(false));
    return svg(strokes, `<g class="given">\n${part(false)}\n</g>\n<g class="added">\n${part(true)}\n</g>`);
  }

  // Draws itself, stroke after stroke, by CSS alone; see sketchgen/formats/animation.py.
  function animated(strokes, smooth) {
    const { width, height } = shown(strokes), pace = SPEED * Math.max(width, height) / 255, spans = [];
    let time = 0, pen = null;
    for (const { points } of strokes) {
      if (pen) time += wayOf([pen, points[0]]) / pace / TRAVEL;
      spans.push([time, (time += Math.max(wayOf(points) / pace, 0.04))]);
      pen = points[points.length - 1];
    }
    const faster = Math.min(1, LONGEST / time), period = time * faster + HOLD, name = `ink-${Date.now().toString(36)}`;
    const percent = (seconds) => `${((100 * seconds * faster) / period).toFixed(4)}%`, dash = "stroke-dasharray:1;stroke-dashoffset";
    const rules = spans.map(([from, to], i) =>
      `@keyframes ${name}-${i}{0%,${percent(from)}{${dash}:1;visibility:hidden}${percent(to)},100%{${dash}:0;visibility:visible}}`);
    const calm = "@media print,(prefers-reduced-motion:reduce){polyline,path{animation:none!important}}";
    const move = (i) => ` pathLength="1" style="animation:${name}-${i} ${round(period)}s linear infinite"`;
    const lines = strokes.map((stroke, i) => element(stroke, smooth, move(i)));
    return svg(strokes, lines.join("\n"), `<defs><style>\n${[...rules, calm].join("\n")}\n</style></defs>`);
  }

  // --- other forms ---------------------------------------------------------------------------------------

  function png(strokes) {
    const box = shown(strokes), scale = WIDE / Math.max(box.width, box.height);
    const canvas = S.make("canvas", { width: Math.round(box.width * scale), height: Math.round(box.height * scale) });
    const context = canvas.getContext("2d");
    context.fillStyle = PAPER;
    context.fillRect(0, 0, canvas.width, canvas.height);
    context.lineCap = context.lineJoin = "round";
    context.setTransform(scale, 0, 0, scale, -box.x * scale, -box.y * scale);
    S.drawStrokes(context, INKS, strokes, S.PEN);
    return new Promise((go, fail) => canvas.toBlob((blob) => (blob ? go(blob) : fail(new Error("PNG"))), "image/png"));
  }

  // The pressure under which Excalidraw draws a line in this multiple of its width at a half; see excalidraw.py.
  const pressureOf = (width) => {
    const share = Math.asin(Math.min(width * Math.SQRT1_2, 1)) / (Math.PI / 2);
    return round(Math.min(Math.max(0.5 - (0.5 - share) / 0.6, 0), 1));
  };

  // Excalidraw draws a free line near its points, not through them: it gets more of them. Its own are `nodes`.
  function dense(stroke, smooth) {
    const own = stroke.points.map(([x, y]) => [x, y]), [[x0, y0]] = own, nodes = [0], found = [own[0]];
    const wide = widths(stroke) || own.map(() => 1), pressures = [pressureOf(wide[0])];
    const curves = smooth && !stroke.corners && own.length > 2 ? S.controlPoints(own) : null;
    for (let i = 1; i < own.length; i++) {
      const [a, d] = [own[i - 1], own[i]], [b, c] = curves ? curves[i - 1] : [a, d];
      const pieces = Math.max(1, Math.ceil(wayOf([a, d]) / (S.PAGE.width / 160)));
      for (let k = 1; k < pieces; k++) {
        const t = k / pieces, u = 1 - t;
        const at = (j) => (curves ? u ** 3 * a[j] + 3 * u * u * t * b[j] + 3 * u * t * t * c[j] + t ** 3 * d[j] : u * a[j] + t * d[j]);
        found.push([round(at(0)), round(at(1))]);
        pressures.push(pressureOf(u * wide[i - 1] + t * wide[i]));
      }
      nodes.push(found.push(d) - 1);
      pressures.push(pressureOf(wide[i]));
    }
    if (own.length === 1) return { nodes, points: [[0, 0], [0.0001, 0.0001]], pressures: [0.5, 0.5] };
    return { nodes, points: found.map(([x, y]) => [x - x0, y - y0]), pressures };
  }

  function excalidraw(strokes, smooth) {
    const PEN = 6;      // px of a free line for each unit of its strokeWidth
    const elements = strokes.map((stroke, i) => {
      const { nodes, points, pressures } = dense(stroke, smooth), [[x, y]] = stroke.points, mark = {};
      const size = (axis) => Math.max(...points.map((point) => point[axis])) - Math.min(...points.map((point) => point[axis]));
      if ((stroke.corners || !smooth) && stroke.points.length > 2) mark.corners = true;
      if (nodes.length < points.length && stroke.points.length > 1) mark.nodes = nodes;
      return {
        id: `sketchgen-${i}`, type: "freedraw", x, y, width: size(0), height: size(1), angle: 0,
        strokeColor: colourOf(stroke), strokeWidth: round(widthOf(stroke) / PEN), backgroundColor: "transparent",
        fillStyle: "solid", strokeStyle: "solid", roughness: 0, opacity: 100, groupIds: [], frameId: null,
        roundness: null, seed: i + 1, version: 1, versionNonce: i + 1, isDeleted: false, boundElements: null,
        updated: 1, link: null, locked: false, points, pressures, simulatePressure: false,
        lastCommittedPoint: points[points.length - 1], customData: { sketchgen: mark },
      };
    });
    const page = [0, 0, S.PAGE.width, S.PAGE.height], appState = { viewBackgroundColor: PAPER, gridSize: null };
    return JSON.stringify({ type: "excalidraw", version: 2, source: "sketchgen", elements, appState, files: {}, sketchgen: { page, category: null } });
  }

  function json(strokes) {
    const style = ({ color, width, corners, ...stroke }) => {
      const pressure = widths(stroke) ? stroke.points.map((point) => point[3]) : undefined;
      return color || width || corners || pressure ? { color, width, corners, pressure } : null;
    };
    const given = strokes.filter(({ added }) => !added).length, page = [0, 0, S.PAGE.width, S.PAGE.height];
    const value = { format: "sketchgen", version: 1, strokes: strokes.map(({ points }) => points.map(([x, y]) => [x, y])), page, category: null };
    if (given < strokes.length) value.given = given;
    const styles = strokes.map(style);
    return JSON.stringify(styles.some(Boolean) ? { ...value, styles } : value) + "\n";
  }

  const ndjson = (strokes) =>
    JSON.stringify({ drawing: strokes.map(({ points }) => [points.map(([x]) => x), points.map(([, y]) => y)]) }) + "\n";

  const FORMS = {
    svg: ["drawing.svg", "image/svg+xml", (strokes, smooth) => still(strokes, smooth)],
    png: ["drawing.png", "image/png", png],
    animated: ["drawing-animated.svg", "image/svg+xml", animated],
    excalidraw: ["drawing.excalidraw", "application/vnd.excalidraw+json", (strokes, smooth) => excalidraw(inOrder(strokes), smooth)],
    json: ["drawing.json", "application/json", (strokes) => json(inOrder(strokes))],
    ndjson: ["drawing.ndjson", "application/x-ndjson", (strokes) => ndjson(inOrder(strokes))],
  };

  // {drawing, smooth, format} to {name, blob}.
  S.savedAs = async function ({ drawing, smooth, format }) {
    const [name, type, make] = FORMS[format], made = await make(strokesOf(drawing), smooth);
    return { name, blob: made instanceof Blob ? made : new Blob([made], { type }) };
  };
})(Sketchgen);
