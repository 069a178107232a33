// Opening files in the browser: JSON, ndjson and Excalidraw as they are, SVG by the browser's own reading of it.
"use strict";

(function (S) {
  const FILL = 0.8;                       // share of the page that a drawing without a page of its own fills
  const CHORD = 6, MOST_CHORDS = 64;      // px of the page between points of a curve
  const THIN = 1, THICK = 24, GREY = 40;  // widths taken; difference of tones up to which a colour is ink
  const MOST_USES = 500;

  const number = (value) => {
    if (typeof value !== "number" || !Number.isFinite(value)) throw new Error("not a number");
    return value;
  };
  const asPoint = (value) => {
    if (!Array.isArray(value) || value.length < 2) throw new Error("not a point");
    return [number(value[0]), number(value[1])];
  };
  const list = (value) => {
    if (!Array.isArray(value)) throw new Error("not a list");
    return value;
  };

  // --- JSON ----------------------------------------------------------------------------------------------
  // Each reader returns {lines: [{points, color?, width?, corners?, added?, pressure?}], page, category}; page is a
  // box in the lines' own units, or null. What is malformed throws.

  // Widths of a line at its points, as multiples of its pen's, as pressure; the page's own are 0.4 to 1.6.
  const asPressure = (widths) => widths.map((width) => Math.round(1000 * (width - 0.4) / 1.2) / 1000);

  function canvas(value) {
    const lines = list(Array.isArray(value) ? value : value.strokes).map((stroke) => ({ points: list(stroke).map(asPoint) }));
    const { styles, width, height, page, given, category } = value;
    if (Array.isArray(styles)) {
      lines.forEach((line, i) => {
        const { color, width: wide, corners, pressure } = styles[i] || {};
        Object.assign(line, { color, width: wide, corners: corners === true });
        if (Array.isArray(pressure) && pressure.length === line.points.length) line.pressure = pressure.map(number);
      });
    }
    if (Number.isInteger(given)) lines.forEach((line, i) => (line.added = i >= given));
    return { lines, page: page ? list(page).map(number) : width && height ? [0, 0, number(width), number(height)] : null, category };
  }

  function quickdraw({ word, drawing }) {
    const line = (stroke) => ({ points: list(list(stroke)[0]).map((x, i) => [number(x), number(list(stroke[1])[i])]) });
    return { lines: drawing.map(line), page: null, category: word };
  }

  function scene({ elements, sketchgen }) {
    const lines = [];
    for (const each of list(elements)) {
      const { type, x, y, width, height, angle = 0, isDeleted, opacity, strokeColor: color, strokeWidth } = each;
      const free = type === "freedraw" || type === "draw";
      if (isDeleted || opacity === 0) continue;
      const [w, h] = [width, height], own = (each.customData && each.customData.sketchgen) || {};
      let points = null, pressure;
      if (free || type === "line" || type === "arrow") {
        points = list(each.points).map(asPoint);
        const { pressures } = each;
        if (free && !each.simulatePressure && Array.isArray(pressures) && pressures.length === points.length && pressures.some((one) => one !== 0.5)) {
          const kept = Array.isArray(own.nodes) ? own.nodes.map((node) => pressures[node]) : pressures;
          pressure = asPressure(kept.map((one) => Math.sin((Math.PI / 2) * (0.5 - 0.6 * (0.5 - number(one)))) / Math.SQRT1_2));
        }
        if (Array.isArray(own.nodes)) points = own.nodes.map((node) => asPoint(points[node]));
        else if (points.length === 2 && Math.hypot(points[1][0] - points[0][0], points[1][1] - points[0][1]) < 0.001) points.pop();
      } else if (type === "rectangle") points = [[0, 0], [w, 0], [w, h], [0, h], [0, 0]];
      else if (type === "diamond") points = [[w / 2, 0], [w, h / 2], [w / 2, h], [0, h / 2], [w / 2, 0]];
      else if (type === "ellipse") {
        points = Array.from({ length: 33 }, (_, i) => [w / 2 + (w / 2) * Math.cos((i * Math.PI) / 16), h / 2 + (h / 2) * Math.sin((i * Math.PI) / 16)]);
      }
      if (!points || !points.length) continue;
      const middle = [0, 1].map((axis) => {
        const places = points.map((point) => point[axis]);
        return (Math.min(...places) + Math.max(...places)) / 2;
      });
      const [cos, sin] = [Math.cos(angle), Math.sin(angle)];
      points = points.map(([px, py]) => {
        const [u, v] = angle ? [px - middle[0], py - middle[1]] : [px, py];
        return angle ? [u * cos - v * sin + middle[0] + x, u * sin + v * cos + middle[1] + y].map(number) : [u + x, v + y].map(number);
      });
      const corners = free ? own.corners === true : !each.roundness && type !== "ellipse";
      lines.push({ points, color, width: strokeWidth * (free ? 6 : 1), corners, pressure });
    }
    return { lines, page: sketchgen && sketchgen.page ? list(sketchgen.page).map(number) : null, category: sketchgen && sketchgen.category };
  }

  function fromJson(text) {
    let value;
    try {
      value = JSON.parse(text);
    } catch {
      // Lines of ndjson: the first drawing.
      value = JSON.parse(text.split("\n").find((line) => line.trim()));
    }
    if (value && typeof value.type === "string" && value.type.startsWith("excalidraw")) return scene(value);
    return value && value.drawing ? quickdraw(value) : canvas(value);
  }

  // --- SVG -----------------------------------------------------------------------------------------------

  const SHAPES = "path,rect,circle,ellipse,line,polyline,polygon", UNSEEN = "defs,clipPath,mask,pattern,marker,symbol,[data-sketchgen=show]";
  const COUNTS = { M: 2, L: 2, H: 1, V: 1, C: 6, S: 4, Q: 4, T: 2, A: 7, Z: 0 };

  // The commands of a path, one for each segment, in absolute places: [letter, ...numbers].
  function* commands(d) {
    const letters = /\s*([a-z])/iy, numbers = /[\s,]*([-+]?(?:\d+\.?\d*|\.\d+)(?:e[-+]?\d+)?)/iy, flags = /[\s,]*([01])/y;
    const next = (pattern, at) => {
      pattern.lastIndex = at;
      return pattern.exec(d);
    };
    let at = 0, letter = "", x = 0, y = 0, start = [0, 0];
    for (;;) {
      const named = next(letters, at);
      if (named) [letter, at] = [named[1], at + named[0].length];
      const kind = letter.toUpperCase(), relative = letter !== kind, found = [];
      if (!(kind in COUNTS) || (!named && (!next(numbers, at) || kind === "Z"))) return;
      for (let i = 0; i < COUNTS[kind]; i++) {
        const match = next(kind === "A" && (i === 3 || i === 4) ? flags : numbers, at);
        // A path is drawn up to its first mistake.
        if (!match) return;
        at += match[0].length;
        found.push(Number(match[1]));
      }
      const from = [x, y], placed = found.map((value, i) => {
        if (!relative || (kind === "A" && i < 5)) return value;
        return value + (kind === "V" || (kind !== "H" && (kind === "A" ? i - 5 : i) % 2) ? from[1] : from[0]);
      });
      if (kind === "H") [x] = placed;
      else if (kind === "V") [y] = placed;
      else if (kind === "Z") [x, y] = start;
      else [x, y] = placed.slice(-2);
      if (kind === "M") {
        start = [x, y];
        // Further places after a move are lines.
        letter = relative ? "l" : "L";
      }
      yield { kind, from, placed, to: [x, y] };
    }
  }

  const mirrored = ([cx, cy], [x, y]) => [2 * x - cx, 2 * y - cy];

  // The lines of a path: its lines' own points, and points along its curves unless only nodes are wanted.
  function pathLines(d, nodesOnly, scale, piece) {
    const lines = [];
    let points = null, control = null, before = "";
    for (const { kind, from, placed, to } of commands(d)) {
      if (kind === "M") lines.push((points = [to]));
      else {
        if (before === "Z") lines.push((points = [from]));
        const smooth = control && (kind === "S" ? "CS" : "QT").includes(before) ? mirrored(control, from) : from;
        const [letter, numbers] = kind === "S" ? ["C", [...smooth, ...placed]] : kind === "T" ? ["Q", [...smooth, ...placed]] : [kind, placed];
        if ("CQA".includes(letter) && !nodesOnly) {
          piece.setAttribute("d", `M${from}${letter}${numbers}`);
          const length = piece.getTotalLength(), count = Math.min(MOST_CHORDS, Math.ceil((length * scale) / CHORD));
          for (let i = 1; i < count; i++) {
            const at = piece.getPointAtLength((i / count) * length);
            points.push([at.x, at.y]);
          }
        }
        control = "CQ".includes(letter) ? numbers.slice(-4, -2) : null;
        if (kind !== "Z" || Math.hypot(to[0] - from[0], to[1] - from[1]) > 0) points.push(to);
      }
      before = kind;
    }
    // A dot, which is written as a line of no length.
    return lines.filter((line) => line.length > 1).map((line) => (line.length === 2 && String(line[0]) === String(line[1]) ? [line[0]] : line));
  }

  // What an element draws, as a path.
  function outline(element) {
    const value = (name) => (element[name] ? element[name].baseVal.value : 0);
    const ellipse = (x, y, rx, ry) => `M${x + rx},${y}A${rx},${ry} 0 0 1 ${x - rx},${y}A${rx},${ry} 0 0 1 ${x + rx},${y}Z`;
    switch (element.localName) {
      case "path": return element.getAttribute("d") || "";
      case "line": return `M${value("x1")},${value("y1")}L${value("x2")},${value("y2")}`;
      case "rect": {
        const [x, y, w, h] = ["x", "y", "width", "height"].map(value);
        return w && h ? `M${x},${y}h${w}v${h}h${-w}Z` : "";
      }
      case "circle": return ellipse(value("cx"), value("cy"), value("r"), value("r"));
      case "ellipse": return ellipse(value("cx"), value("cy"), value("rx"), value("ry"));
      default: return `M${element.getAttribute("points") || ""}${element.localName === "polygon" ? "Z" : ""}`;
    }
  }

  function expandUses(root) {
    for (let count = 0; count < MOST_USES; count++) {
      const use = root.querySelector("use");
      if (!use) return;
      const target = root.ownerDocument.getElementById(use.href.baseVal.slice(1));
      const group = document.createElementNS(root.namespaceURI, "g");
      for (const name of ["style", "class", "fill", "stroke", "stroke-width"]) if (use.hasAttribute(name)) group.setAttribute(name, use.getAttribute(name));
      group.setAttribute("transform", `${use.getAttribute("transform") || ""} translate(${use.x.baseVal.value} ${use.y.baseVal.value})`);
      if (target && !target.contains(use)) {
        const copy = target.cloneNode(true);
        copy.removeAttribute("id");
        group.append(...(copy.localName === "symbol" ? copy.children : [copy]));
      }
      use.replaceWith(group);
    }
    throw new Error("too many uses");
  }

  // The file's own root in a frame of its own, in which nothing runs and nothing is fetched.
  async function framed(text) {
    const file = new DOMParser().parseFromString(text.replace(/^\ufeff/, "").trimStart(), "image/svg+xml");
    if (file.querySelector("parsererror") || file.documentElement.localName !== "svg") throw new Error("not an SVG");
    // What would run or be fetched goes before the policy has to forbid it.
    for (const each of file.querySelectorAll("script,image,feImage,foreignObject")) each.remove();
    const policy = "default-src 'none'; style-src 'unsafe-inline'";
    const still = "* { animation: none !important; transition: none !important }";
    const frame = S.make("iframe", { sandbox: "allow-same-origin", tabindex: -1, "aria-hidden": "true", srcdoc: `<meta http-equiv="Content-Security-Policy" content="${policy}"><style>${still}</style>` });
    frame.style.cssText = "position: fixed; left: -9999px; width: 1000px; height: 1000px; border: 0";
    const there = new Promise((go) => frame.addEventListener("load", go, { once: true }));
    document.body.append(frame);
    await there;
    return { frame, root: frame.contentDocument.body.appendChild(frame.contentDocument.importNode(file.documentElement, true)) };
  }

  function read(root, styleOf) {
    expandUses(root);
    const { x, y, width, height } = root.viewBox.baseVal || {}, plain = [root.width.baseVal.value, root.height.baseVal.value];
    const page = width > 0 && height > 0 ? [x, y, width, height] : root.hasAttribute("width") && plain.every((side) => side > 0) ? [0, 0, ...plain] : null;
    Object.assign(root.style, { width: "1000px", height: "1000px" });
    const home = root.getScreenCTM().inverse(), size = page || [0, 0, 1000, 1000];
    const scale = Math.min(S.PAGE.width / size[2], S.PAGE.height / size[3]), lines = [];
    const piece = root.appendChild(document.createElementNS(root.namespaceURI, "path"));
    for (const element of root.querySelectorAll(SHAPES)) {
      if (element === piece || element.closest(UNSEEN) || !element.checkVisibility({ opacityProperty: true, visibilityProperty: true })) continue;
      const style = styleOf(element), stroked = style.stroke !== "none" && parseFloat(style.strokeWidth) > 0;
      if (!stroked && style.fill === "none") continue;
      const matrix = home.multiply(element.getScreenCTM()), grown = Math.sqrt(Math.abs(matrix.a * matrix.d - matrix.b * matrix.c));
      const nodes = element.dataset.sketchgen === "nodes";
      for (const found of pathLines(outline(element), nodes, scale * grown, piece)) {
        const points = found.map(([px, py]) => [matrix.a * px + matrix.c * py + matrix.e, matrix.b * px + matrix.d * py + matrix.f]);
        const box = S.boxOf([points], 0, 0);
        // A background is no line.
        if (!stroked && Math.min(...[0, 1].map((axis) => spread(points, axis) / size[axis + 2])) > 0.95 && box) continue;
        const widths = (element.dataset.widths || "").split(" ").map(Number);
        const pressed = stroked && widths.length === points.length && widths.every((each) => each > 0 && isFinite(each));
        const width = stroked ? parseFloat(style.strokeWidth) * grown / (pressed ? Math.min(...widths) : 1) : undefined;
        lines.push({
          points, color: stroked ? style.stroke : style.fill, width, corners: !nodes && points.length > 2,
          pressure: pressed ? asPressure(widths) : undefined,
        });
      }
    }
    return { lines, page, category: null };
  }

  function spread(points, axis) {
    const places = points.map((point) => point[axis]);
    return places.reduce((a, b) => Math.max(a, b)) - places.reduce((a, b) => Math.min(a, b));
  }

  async function fromSvg(text) {
    const { frame, root } = await framed(text);
    try {
      return read(root, (element) => frame.contentWindow.getComputedStyle(element));
    } finally {
      frame.remove();
    }
  }

  // --- on the page ---------------------------------------------------------------------------------------

  const tint = S.make("canvas", { width: 1, height: 1 }).getContext("2d");

  // Black, white and greys are the page's own ink; the model's colour says that the model drew it.
  function styled({ color, width, corners, added }, scale) {
    tint.fillStyle = "#000000";
    tint.fillStyle = typeof color === "string" ? color : "";
    const hex = tint.fillStyle.slice(0, 7), tones = [1, 3, 5].map((at) => parseInt(hex.slice(at, at + 2), 16));
    const style = { added: added === undefined ? hex === "#d8480f" : added };
    if (hex !== "#d8480f" && Math.max(...tones) - Math.min(...tones) > GREY) style.color = hex;
    const wide = Math.round(100 * Math.min(Math.max(width * scale, THIN), THICK)) / 100;
    if (wide > 0 && wide !== S.PEN) style.width = wide;
    if (corners) style.corners = true;
    return style;
  }

  function placed({ lines, page, category }) {
    const drawn = lines.filter(({ points }) => points.length);
    const { length } = drawn.flatMap(({ points }) => points);
    if (!length) throw new Error("no lines");
    if (drawn.length > S.MOST_STROKES || length > S.MOST_POINTS) {
      throw Object.assign(new Error(), { words: S.t("paper.full", { strokes: S.MOST_STROKES, points: S.MOST_POINTS }) });
    }
    const own = S.boxOf(drawn.map(({ points }) => points), 0, 0), all = drawn.flatMap(({ points }) => points);
    const ink = { x: own.x, y: own.y, width: spread(all, 0), height: spread(all, 1) };
    const box = page ? { x: page[0], y: page[1], width: page[2], height: page[3] } :
      { ...ink, x: own.x + (own.width - ink.width) / 2, y: own.y + (own.height - ink.height) / 2 };
    const { PAGE } = S, fits = (page ? 1 : FILL) * Math.min(PAGE.width / Math.max(box.width, 1e-9), PAGE.height / Math.max(box.height, 1e-9));
    const scale = Math.max(box.width, box.height) > 1e-6 ? fits : 1;
    const shift = [PAGE.width / 2 - scale * (box.x + box.width / 2), PAGE.height / 2 - scale * (box.y + box.height / 2)];
    const same = scale === 1 && !shift.some(Boolean);
    return {
      strokes: drawn.map(({ points }) => (same ? points : points.map(([x, y]) => [scale * x + shift[0], scale * y + shift[1]]))),
      styles: drawn.map((line) => ({ ...styled(line, scale), ...(line.pressure ? { pressure: line.pressure } : {}) })),
      category: S.MODEL.categories.includes(category) ? category : null,
    };
  }

  // {text, name} of a file to {strokes, styles, category}.
  S.opened = async function ({ text, name }) {
    try {
      return placed(/^[\s\ufeff]*</.test(text) ? await fromSvg(text) : fromJson(text));
    } catch (error) {
      throw Object.assign(error, { words: error.words || S.t("files.unknown", { name }) });
    }
  };
})(Sketchgen);
