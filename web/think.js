// See the network think: where it would put the next point of a suggestion, and what it would do with the pen.
"use strict";

(function (S) {
  const CELL = 5;             // px of the window, for a cell of the heat map
  const REACH = 4.5;          // standard deviations, beyond which nothing of a component is seen
  const STEP = 260;           // ms for each point, as it plays
  const COLDEST = 0.03;       // temperature 0 would be a single point, which nobody could see

  // The odds at another temperature than 1: weights are raised to 1/T, variances multiplied by T (the pen's odds
  // within a component are not tempered). Components are [weight, x, y, xx, xy, yy, lift].
  S.tempered = function ({ end, components }, temperature) {
    const warm = Math.max(temperature, COLDEST), most = Math.max(...components.map(([weight]) => weight));
    const weights = components.map(([weight]) => (weight / most) ** (1 / warm));
    const total = weights.reduce((sum, weight) => sum + weight, 0);
    const found = components.map(([, x, y, xx, xy, yy, lift], i) =>
      [weights[i] / total, x, y, warm * xx, warm * xy, warm * yy, lift]);
    const lifted = found.reduce((sum, [weight, , , , , , lift]) => sum + weight * lift, 0);
    return { components: found, odds: { on: (1 - end) * (1 - lifted), lift: (1 - end) * lifted, end } };
  };

  // The density of a mixture at each cell of a grid over a box: a Float32Array, row by row.
  S.heat = function (components, box, columns, rows) {
    const cells = new Float32Array(columns * rows), dx = box.width / columns, dy = box.height / rows;
    for (const [weight, x, y, xx, xy, yy] of components) {
      // No narrower than a cell, else it might fall between two.
      const a = xx + (dx * dx) / 3, b = xy, c = yy + (dy * dy) / 3, free = a * c - b * b;
      if (!(free > 0)) continue;
      const reach = [REACH * Math.sqrt(a), REACH * Math.sqrt(c)], peak = weight / (2 * Math.PI * Math.sqrt(free));
      const column = (place) => Math.floor((place - box.x) / dx), row = (place) => Math.floor((place - box.y) / dy);
      for (let j = Math.max(0, row(y - reach[1])); j <= Math.min(rows - 1, row(y + reach[1])); j++) {
        const v = box.y + (j + 0.5) * dy - y;
        for (let i = Math.max(0, column(x - reach[0])); i <= Math.min(columns - 1, column(x + reach[0])); i++) {
          const u = box.x + (i + 0.5) * dx - x;
          cells[j * columns + i] += peak * Math.exp((-0.5 * (c * u * u - 2 * b * u * v + a * v * v)) / free);
        }
      }
    }
    return cells;
  };

  class Think {
    constructor() {
      this.on = S.remembered("think") === "yes";
      this.suggestion = null;     // whose thoughts they are
      this.steps = null;          // the answer of the server: {at, end, components} each
      this.step = 0;
      this.share = 0;             // of the way to the next point
      this.playing = false;
      this.canvas = document.createElement("canvas");
      this.build();
      S.pad.underlays.push((context) => this.draw(context));
      S.pad.overlays.push((context, inks) => this.drawPen(context, inks));
      S.sketch.onChange(() => this.lookSoon());
      this.turn(this.on);
    }

    build() {
      this.play = S.make("button", { class: "tool", onclick: () => this.setPlaying(!this.playing) });
      this.range = S.make("input", { type: "range", min: 0, max: 1, value: 0, label: S.t("think.position") });
      this.range.addEventListener("input", () => {
        this.setPlaying(false);
        this.go(Number(this.range.value));
      });
      this.heat = S.make("input", { type: "range", min: 0, max: 2, step: 0.05, value: S.settings.temperature, id: "sg-think-heat" });
      this.number = S.make("output", { for: "sg-think-heat" });
      this.heat.addEventListener("input", () => this.tell());
      this.bars = Object.fromEntries(["on", "lift", "end"].map((name) => [name, S.make("meter", { min: 0, max: 1, label: S.t(`think.${name}`) })]));
      this.shares = Object.fromEntries(["on", "lift", "end"].map((name) => [name, S.make("span", { class: "share" })]));
      const odds = ["on", "lift", "end"].flatMap((name) => [S.make("span", {}, S.t(`think.${name}`)), this.bars[name], this.shares[name]]);
      this.note = S.make("p", { class: "note" });
      this.body = S.make("div", { class: "body" },
        S.make("div", { class: "line" }, this.play, this.range),
        S.make("div", { class: "odds" }, ...odds),
        S.make("div", { class: "line" }, S.make("label", { for: "sg-think-heat" }, S.t("think.temperature")), this.heat, this.number));
      const close = S.make("button", { class: "tool", label: S.t("think.close"), onclick: () => this.turn(false) }, S.icon("close"));
      this.panel = S.$("#sg-think");
      this.panel.append(S.make("div", { class: "line" }, S.make("h2", {}, S.t("think.label")), close), this.note, this.body);
      this.option = S.make("input", { type: "checkbox", "data-option": "think" });
      this.option.addEventListener("change", () => this.turn(this.option.checked));
      (S.$("#sg-options details") || S.$("#sg-options")).append(
        S.make("label", { class: "option check" }, this.option, S.t("think.option")));
    }

    turn(on) {
      this.on = on;
      S.remember("think", on ? "yes" : "no");
      this.option.checked = on;
      this.panel.hidden = !on;
      if (!on) this.forget();
      this.tell();
      this.lookSoon();
    }

    forget() {
      this.setPlaying(false);
      Object.assign(this, { suggestion: null, steps: null });
      S.pad.played = null;
      S.pad.drawSoon();
    }

    // --- whose thoughts ----------------------------------------------------------------------------------

    // The suggestion that is seen on the paper, when it is all there.
    get wanted() {
      const { suggestions } = S, found = suggestions.shown || suggestions.kept;
      return this.on && !suggestions.choosing && !S.pad.hand.busy && found && found.set.done && found.grown ? found : null;
    }

    lookSoon() {
      if (this.looking) return;
      this.looking = setTimeout(() => {
        this.looking = 0;
        this.look();
      }, 120);
    }

    look() {
      const wanted = this.wanted;
      if (wanted !== this.suggestion) {
        this.forget();
        this.suggestion = wanted;
        if (wanted) this.ask(wanted);
      }
      this.tell();
    }

    async ask(suggestion) {
      const { base } = suggestion.set, body = { drawing: S.sketch.payload(base), added: suggestion.strokes, category: suggestion.category || "none" };
      let answer;
      try {
        answer = await S.server.think(body);
      } catch {
        answer = {};
      }
      if (this.suggestion !== suggestion) return;
      this.steps = answer.steps || null;
      this.failed = answer.steps ? "" : answer.error || S.t("run.unreachable");
      if (this.steps) {
        // A first point that is the last given one is none that was thought of.
        this.known = suggestion.strokes.flat().length - (this.steps.length - 1);
        this.range.max = this.steps.length - 1;
        this.go(0);
        this.setPlaying(!S.calm());
      }
      this.tell();
    }

    // --- playing -----------------------------------------------------------------------------------------

    go(step, share = 0) {
      Object.assign(this, { step, share });
      const growing = Object.assign(new S.Growing(), { strokes: this.suggestion.strokes });
      // The pen has drawn `step` points, and is on its way to the next one.
      let left = step + this.known - 1, stroke = 0;
      while (left >= growing.strokes[stroke].length && stroke + 1 < growing.strokes.length) left -= growing.strokes[stroke++].length;
      growing.at = [stroke, Math.max(left, 0), left < 0 ? 0 : share];
      S.pad.played = left < 0 ? [] : growing.visible();
      this.range.value = step;
      this.tell();
    }

    setPlaying(playing) {
      this.playing = playing && this.steps !== null;
      this.play.replaceChildren(S.icon(this.playing ? "pause" : "play"));
      S.label(this.play, S.t(this.playing ? "think.pause" : "think.play"));
      if (!this.playing) return;
      if (this.step >= this.steps.length - 1) this.go(0);
      let last = performance.now();
      const token = (this.token = {});
      const frame = (now) => {
        if (!this.playing || this.token !== token) return;
        const share = this.share + Math.max(0, Math.min(now - last, 100)) / STEP, end = this.steps.length - 1;
        last = now;
        this.go(Math.min(this.step + Math.floor(share), end), this.step + share >= end ? 0 : share % 1);
        if (this.step >= end) this.setPlaying(false);
        else requestAnimationFrame(frame);
      };
      requestAnimationFrame(frame);
    }

    // --- what is seen ------------------------------------------------------------------------------------

    get temperature() {
      return Number(this.heat.value);
    }

    // The odds of the next point, at the temperature that is chosen.
    tell() {
      if (!this.on) return;
      this.number.textContent = this.temperature.toFixed(2);
      this.body.hidden = !this.steps;
      this.note.textContent = this.steps ? S.t("think.note") : this.suggestion ? this.failed || S.t("think.wait") : S.t("think.nothing");
      if (this.steps) {
        this.now = S.tempered(this.steps[this.step], this.temperature);
        for (const [name, odd] of Object.entries(this.now.odds)) {
          this.bars[name].value = odd;
          this.shares[name].textContent = S.percent(odd);
        }
      }
      S.pad.drawSoon();
    }

    // The heat map, below the lines.
    draw(context) {
      if (!this.on) return;
      if (this.wanted !== this.suggestion) this.lookSoon();
      if (!this.steps || !this.wanted || !this.now) return;
      const { view } = S.pad, { box } = view;
      const columns = Math.ceil(view.width / CELL), rows = Math.ceil(view.height / CELL);
      const key = [columns, rows, box.x, box.y, box.width].join();
      if (this.painted !== this.now || this.paintedFor !== key) {
        this.paint(S.heat(this.now.components, box, columns, rows), columns, rows);
        Object.assign(this, { painted: this.now, paintedFor: key });
      }
      context.drawImage(this.canvas, box.x, box.y, box.width, box.height);
    }

    paint(cells, columns, rows) {
      Object.assign(this.canvas, { width: columns, height: rows });
      const context = this.canvas.getContext("2d"), image = context.createImageData(columns, rows);
      const colour = getComputedStyle(S.root).getPropertyValue("--accent").trim();
      const tones = [1, 3, 5].map((at) => parseInt(colour.slice(at, at + 2), 16));
      const most = cells.reduce((greatest, value) => Math.max(greatest, value), 1e-12);
      cells.forEach((value, i) => image.data.set([...tones, 210 * (value / most) ** 0.4], 4 * i));
      context.putImageData(image, 0, 0);
    }

    // Where the pen is, and where it went.
    drawPen(context, inks) {
      if (!this.on || !this.steps || !this.wanted) return;
      const [x, y] = this.steps[this.step].at, next = this.steps[this.step + 1], { scale } = S.pad.view;
      context.strokeStyle = context.fillStyle = inks.ink;
      context.lineWidth = 1.5 / scale;
      context.beginPath();
      context.arc(x, y, 5 / scale, 0, 2 * Math.PI);
      context.stroke();
      if (!next) return;
      context.beginPath();
      context.arc(next.at[0], next.at[1], 2.5 / scale, 0, 2 * Math.PI);
      context.fill();
    }
  }

  S.onMount(() => {
    if (S.server.think) S.think = new Think();
  });
})(Sketchgen);
