// A drawing as the fragment of an address, and back: whoever gets the link has the drawing, and no server keeps it.
"use strict";

(function (S) {
  const KEY = "d=";
  const VERSION = 1, PLAIN = 128;     // the first byte; PLAIN where a browser cannot compress
  const MOST = 8000, SHORT = 2000;    // characters; chats cut longer addresses off
  const LARGEST = 1000000;            // bytes of a drawing, unpacked
  const STEPS = 4;                    // steps of a px
  const FAR = 100000;                 // px
  const ADDED = 1, CORNERS = 2, COLOR = 4, WIDTH = 8, PRESSURE = 16;

  // --- bytes ---------------------------------------------------------------------------------------------

  class Writer {
    constructor() {
      this.bytes = [];
    }

    // Seven bits in each byte, and whether another one follows.
    number(value) {
      for (; value > 127; value = Math.floor(value / 128)) this.bytes.push((value % 128) + 128);
      this.bytes.push(value);
    }

    signed(value) {
      this.number(value < 0 ? -2 * value - 1 : 2 * value);
    }

    text(text) {
      const bytes = new TextEncoder().encode(text);
      this.number(bytes.length);
      this.bytes.push(...bytes);
    }
  }

  class Reader {
    constructor(bytes) {
      Object.assign(this, { bytes, at: 0 });
    }

    byte() {
      if (this.at >= this.bytes.length) throw new Error("cut off");
      return this.bytes[this.at++];
    }

    number(most = 2 ** 31) {
      let value = 0;
      for (let unit = 1; ; unit *= 128) {
        const byte = this.byte();
        value += (byte % 128) * unit;
        if (value > most) throw new Error("too large");
        if (byte < 128) return value;
      }
    }

    signed() {
      const value = this.number();
      return value % 2 ? -(value + 1) / 2 : value / 2;
    }

    text() {
      const end = this.number(200) + this.at;
      if (end > this.bytes.length) throw new Error("cut off");
      return new TextDecoder().decode(this.bytes.slice(this.at, (this.at = end)));
    }
  }

  // Adler-32: tells a link that lost or changed a letter.
  function checksum(bytes) {
    let a = 1, b = 0;
    for (const byte of bytes) b = (b + (a = (a + byte) % 65521)) % 65521;
    return [b >> 8, b & 255, a >> 8, a & 255];
  }

  function toText(bytes) {
    let letters = "";
    for (const byte of bytes) letters += String.fromCharCode(byte);
    return btoa(letters).replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "");
  }

  const fromText = (text) => Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (letter) => letter.charCodeAt(0));

  // Sends bytes through a (de)compressor, up to a size.
  async function through(stream, bytes) {
    const reader = new Blob([bytes]).stream().pipeThrough(stream).getReader();
    const found = [];
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return Uint8Array.from(found);
      if (found.length + value.length > LARGEST) throw new Error("too large");
      for (const byte of value) found.push(byte);
    }
  }

  // --- a drawing as bytes --------------------------------------------------------------------------------

  // The points without which a line would be off by more than the tolerance (Ramer, Douglas and Peucker).
  function thinned(points, tolerance) {
    const keep = new Set([0, points.length - 1]), spans = tolerance ? [[0, points.length - 1]] : [];
    while (spans.length) {
      const [first, last] = spans.pop();
      let most = tolerance, at = 0;
      for (let i = first + 1; i < last; i++) {
        const off = S.distanceToStroke([points[first], points[last]], points[i][0], points[i][1]);
        if (off > most) [most, at] = [off, i];
      }
      if (!at) continue;
      keep.add(at);
      spans.push([first, at], [at, last]);
    }
    return tolerance ? points.filter((_, i) => keep.has(i)) : points;
  }

  const pressed = (points) => points.some((point) => point.length > 3 && point[3] !== 0.5);

  function writeStroke(writer, stroke, tolerance) {
    const points = thinned(stroke.points, tolerance), pressure = pressed(points);
    const color = /^#[0-9a-f]{6}$/i.test(stroke.color || ""), width = stroke.width > 0;
    writer.number(stroke.added * ADDED + Boolean(stroke.corners) * CORNERS + color * COLOR + width * WIDTH + pressure * PRESSURE);
    if (color) for (const at of [1, 3, 5]) writer.bytes.push(parseInt(stroke.color.slice(at, at + 2), 16));
    if (width) writer.number(Math.round(stroke.width * 10));
    writer.number(points.length);
    let before = [0, 0];
    for (const point of points) {
      const now = [Math.round(point[0] * STEPS), Math.round(point[1] * STEPS)];
      for (const axis of [0, 1]) writer.signed(now[axis] - before[axis]);
      if (pressure) writer.bytes.push(Math.round((point[3] ?? 0.5) * 200));
      before = now;
    }
  }

  function readStroke(reader, room) {
    const flags = reader.number(ADDED + CORNERS + COLOR + WIDTH + PRESSURE), stroke = { added: Boolean(flags & ADDED) };
    if (flags & CORNERS) stroke.corners = true;
    if (flags & COLOR) stroke.color = `#${[0, 0, 0].map(() => reader.byte().toString(16).padStart(2, "0")).join("")}`;
    if (flags & WIDTH) stroke.width = reader.number(10000) / 10;
    const count = reader.number(room);
    let x = 0, y = 0;
    stroke.points = Array.from({ length: count }, () => {
      [x, y] = [x + reader.signed(), y + reader.signed()];
      if (Math.max(Math.abs(x), Math.abs(y)) > FAR * STEPS) throw new Error("too far");
      return flags & PRESSURE ? [x / STEPS, y / STEPS, 0, reader.byte() / 200] : [x / STEPS, y / STEPS];
    });
    if (!count) throw new Error("a stroke without points");
    return stroke;
  }

  function bytesOf({ strokes, category, smooth }, tolerance) {
    const writer = new Writer();
    writer.bytes.push(Number(smooth));
    writer.text(category);
    writer.number(strokes.length);
    for (const stroke of strokes) writeStroke(writer, stroke, tolerance);
    return Uint8Array.from(writer.bytes);
  }

  function drawingOf(bytes) {
    const reader = new Reader(bytes), smooth = Boolean(reader.byte()), category = reader.text();
    let room = S.MOST_POINTS;
    const strokes = Array.from({ length: reader.number(S.MOST_STROKES) }, () => {
      const stroke = readStroke(reader, room);
      room -= stroke.points.length;
      return stroke;
    });
    if (reader.at !== bytes.length || !strokes.length) throw new Error("not as long as it says");
    return { strokes, category, smooth };
  }

  // --- links ---------------------------------------------------------------------------------------------

  async function fragmentOf(drawing, tolerance) {
    const bytes = bytesOf(drawing, tolerance), packs = "CompressionStream" in window;
    const packed = packs ? await through(new CompressionStream("deflate-raw"), bytes) : bytes;
    return KEY + toText([VERSION + (packs ? 0 : PLAIN), ...checksum(bytes), ...packed]);
  }

  // The address of this page with a drawing, {strokes, category, smooth}, in its fragment. A long drawing loses
  // points that nobody sees. Throws an error with the words for a person if it is longer even then.
  S.linkTo = async function (drawing) {
    let fragment = "";
    for (const [tolerance, most] of [[0, SHORT], [0.4, MOST], [1, MOST]]) {
      fragment = await fragmentOf(drawing, tolerance);
      if (fragment.length <= most) return `${location.origin}${location.pathname}#${fragment}`;
    }
    throw new Error(S.t("share.too_long", { count: fragment.length.toLocaleString(S.language), most: MOST.toLocaleString(S.language) }));
  };

  // The text of a drawing within an address or a fragment; null where there is none.
  S.linked = (address) => (/#d=([^&\s]*)/.exec(address) || [null, null])[1];

  // The drawing of such a text. Throws an error with the words for a person if it is none.
  S.readLink = async function (text) {
    try {
      if (text.length > 50 * MOST) throw new Error("too long");
      const bytes = fromText(text), plain = bytes[0] >= PLAIN, packed = bytes.slice(5);
      if (bytes[0] % PLAIN > VERSION) throw Object.assign(new Error(), { words: "share.link_newer" });
      if (!plain && !("DecompressionStream" in window)) throw Object.assign(new Error(), { words: "share.link_old_browser" });
      const body = plain ? packed : await through(new DecompressionStream("deflate-raw"), packed);
      if (String(checksum(body)) !== String(bytes.slice(1, 5))) throw new Error("changed");
      return drawingOf(body);
    } catch (error) {
      throw new Error(S.t(error.words || "share.link_damaged"));
    }
  };
})(Sketchgen);
