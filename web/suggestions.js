// Suggestions: finished drawings that grow beside the paper while the model draws, and can be kept, whole or in parts.
"use strict";

(function (S) {
  const LEAST = 0.04;     // an addition shorter than this share of the drawing is none
  const LATE = 80;        // ms without an answer after which it is shown that the model draws
  const SIMILAR = 0.5;    // share of a suggestion's strokes with which ones like it begin

  const lengthOf = (points) =>
    points.reduce((sum, [x, y], i) => (i ? sum + Math.hypot(x - points[i - 1][0], y - points[i - 1][1]) : 0), 0);

  const copied = (strokes) => strokes.map((points) => points.map(([x, y]) => [x, y]));
  const asAdded = (strokes) => S.asStrokes(copied(strokes), true);
  const pointsOf = (strokes) => strokes.map((stroke) => stroke.points);

  // One suggestion: strokes that grow, and its thumbnail.
  class Suggestion extends S.Thumb {
    constructor(set, prefix) {
      super({ base: set.base, onclick: () => S.suggestions.keep(this) });
      Object.assign(this, { set, prefix, category: null });
      this.begin();
      this.take.append(S.make("kbd", { "aria-hidden": "true" }));
      const act = (icon, label, run) =>
        S.make("button", { class: "act", label: S.t(label), onclick: () => run(this) }, S.icon(icon));
      this.name = S.make("span", { class: "name" });
      this.element.append(S.make("div", { class: "foot" }, this.name,
        act("more", "suggestions.more", (each) => S.suggestions.moreLike(each)),
        act("parts", "suggestions.parts", (each) => S.suggestions.chooseParts(each))));
      this.take.addEventListener("focus", () => this.take.matches(":focus-visible") && S.suggestions.show(this));
    }

    pointedAt(inside) {
      S.suggestions.show(inside ? this : null, inside);
    }

    // From its first strokes, if it has some from another one.
    begin() {
      this.strokes = copied(this.prefix);
      this.open = false;
      this.at = [0, 0, 0];
      this.finish();
      this.dirty = true;
    }

    get grown() {
      return this.arrived > this.prefix.flat().length;
    }

    // Where some of its strokes are, in words.
    where(strokes) {
      return strokes.flat().length ? S.t(`place.${S.placeOf(strokes, [...pointsOf(this.base), ...this.strokes])}`) : "";
    }

    // Whether it adds next to nothing.
    get empty() {
      const box = S.boxOf(pointsOf(this.base), 60, 0) || { width: 60 };
      return this.strokes.reduce((sum, points) => sum + lengthOf(points), 0) < LEAST * box.width;
    }

    draw(inks) {
      super.draw(inks);
      this.element.classList.toggle("growing", !this.grown);
    }

    // Its number, and what a screen reader says of it.
    number(index, count, kept) {
      this.take.querySelector("kbd").textContent = index < 9 ? index + 1 : "";
      const name = (this.name.textContent = this.category ? S.nameOf(this.category) : "");
      const values = { number: index + 1, of: count, name, added: S.t("suggestions.added", { count: this.strokes.length }), where: this.where(this.strokes) };
      this.take.setAttribute("aria-label", S.t(this.category ? "suggestions.named" : "suggestions.unnamed", values));
      this.take.setAttribute("aria-pressed", String(kept));
    }
  }

  // One stroke of a suggestion, among all the others.
  class Part extends S.Thumb {
    constructor(each, index, chosen) {
      const label = S.t("suggestions.part", { number: index + 1, of: each.strokes.length, where: each.where([each.strokes[index]]) });
      super({ base: each.base, label, "aria-pressed": String(chosen), onclick: () => S.suggestions.togglePart(index) });
      Object.assign(this, { index, strokes: each.strokes });
      this.finish();
      this.element.classList.toggle("kept", chosen);
    }

    paint(context, inks) {
      context.globalAlpha = 0.25;
      super.paint(context, inks);
      context.globalAlpha = 1;
      S.drawStroke(context, { points: this.strokes[this.index] }, inks.added, 1.4 * this.width);
    }
  }

  // What one request, or several at once, have brought for a drawing.
  class SuggestionSet {
    constructor(base, count, prefix) {
      this.base = base;
      this.done = false;
      this.all = Array.from({ length: count }, () => new Suggestion(this, prefix));
    }

    get items() {
      return this.done ? this.all.filter((each) => !each.empty) : this.all;
    }
  }

  class Suggestions {
    constructor(strip) {
      this.strip = strip;
      this.thumbs = strip.querySelector(".thumbs");
      this.states = new WeakMap();    // list of strokes -> what the strip shows beside it: {set, kept, parts}
      this.state = null;
      this.run = null;                // {set, stops, left} while the model draws
      this.shown = null;              // the suggestion that is seen on the paper
      this.outdated = false;
      this.live = S.remembered("live") === "yes";
      this.penUp = 0;
      this.timings = { firstPoint: [], pending: false };
      Object.assign(S.actions, {
        finish: () => (this.running ? this.halt() : this.finish()),
        live: () => this.setLive(!this.live),
        surprise: () => this.surprise(),
        done: () => this.endParts(),
      });
      S.sketch.onChange((reason, more) => this.changed(more));
      this.mover = new S.Mover(() => this.items, () => this.running, () => this.shown && !this.choosing && this.drawGhost());
      S.whenItLooksElse(this.thumbs, () => this.drawAll());
      this.starters = S.model.starters.map((starter) => this.starter(starter));
      // Where suggestions will stand.
      this.places = Array.from({ length: 4 }, () => ({ element: S.make("div", { class: "place", "aria-hidden": "true" }) }));
      requestAnimationFrame(() => this.render());
    }

    get running() {
      return this.run !== null;
    }

    get items() {
      return this.state ? this.state.set.items : [];
    }

    // Whether all that was asked for is there and has been drawn.
    get settled() {
      return !this.running && this.items.every((each) => each.complete);
    }

    // --- asking ------------------------------------------------------------------------------------------

    finish(why) {
      if (why !== "live") this.penUp = performance.now();
      this.request([{ category: S.sketch.category, count: S.settings.count }]);
    }

    // Each of another category that chance names.
    surprise() {
      const names = [...S.model.categories];
      const pick = () => names.splice(Math.floor(Math.random() * names.length), 1)[0];
      const temperature = Math.max(0.5, S.settings.temperature), best_of = Math.min(4, S.settings.best_of);
      this.request(Array.from({ length: Math.min(4, names.length) }, () => ({ category: pick(), count: 1, temperature, best_of })));
    }

    // Ones that begin as this one does.
    moreLike(each) {
      if (this.outdated) return;
      const prefix = each.strokes.slice(0, Math.floor(SIMILAR * each.strokes.length));
      const category = each.category || S.sketch.category;
      const { base } = each.set;
      if (S.sketch.strokes !== base) S.sketch.change(base);
      this.request([{ category, count: S.settings.count }], copied(prefix));
    }

    request(questions, prefix = []) {
      if (S.pad.hand.busy) return;
      this.halt();
      const base = S.sketch.strokes, drawing = S.sketch.payload([...base, ...asAdded(prefix)]);
      let seed = Math.floor(Math.random() * 2 ** 31), first = 0;
      const run = { base, left: questions.length, stops: [], set: null };
      run.heard = new Promise((tell) => (run.tell = tell));    // of the first answer, and of the guesses in it
      this.run = run;
      this.timings.pending = true;
      // The request comes first: what is seen of it can wait for its answer.
      for (const question of questions) {
        const place = first;
        first += question.count;
        run.stops.push(S.server.draw({ drawing, ...S.settings, seed: seed++, ...question }, (message) => this.receive(run, place, message)));
      }
      run.set = new SuggestionSet(base, first, prefix);
      S.say(S.t("suggestions.drawing", { count: first }), { stay: true });
      // Painting and the first point would be in each other's way.
      setTimeout(() => this.run === run && this.renderSoon(), LATE);
    }

    // What the run says: its place in line, an error, or new points.
    receive(run, first, message) {
      run.tell(message.guesses);
      if (message.waiting) {
        S.say(S.t("suggestions.waiting", { count: message.waiting }), { stay: true });
        return;
      }
      if (message.error) {
        run.set.done = true;
        this.end();
        S.say(message.error);
        return;
      }
      const { set } = run;
      if (!this.state || this.state.set !== set) this.become(set);
      // What was shown so far was the first of several, and another one is better.
      for (const index of message.anew || []) set.all[first + index].begin();
      message.alts.forEach((points, index) => set.all[first + index].add(points));
      (message.categories || []).forEach((category, index) => (set.all[first + index].category = category));
      if (!message.done) this.tellProgress(set, message);
      else if (--run.left === 0) this.finished(set);
      this.measure(set);
      this.mover.wake();
    }

    tellProgress(set, message) {
      // Nothing new while it still draws: it tries further ones, of which the best will be shown.
      if (S.settings.best_of > 1 && set.all.every((each) => each.grown) && message.alts.every((points) => !points.length)) {
        S.say(S.t("suggestions.choosing"), { stay: true });
      }
    }

    finished(set) {
      set.done = true;
      this.end();
      const count = this.items.length;
      S.say(count ? S.t("suggestions.done", { count }) : S.t("suggestions.none"));
      if (!this.items.includes(this.shown)) this.shown = this.kept ? null : this.items[0] || null;
      this.render();
    }

    measure(set) {
      if (!this.timings.pending || !set.all.some((each) => each.grown)) return;
      this.drawGhost();
      this.timings.pending = false;
      this.timings.firstPoint.push(performance.now() - this.penUp);
    }

    // Stops the model, here and on the server.
    halt() {
      if (!this.running) return;
      if (this.run.set) this.run.set.done = true;
      this.end();
      S.say("");
    }

    end() {
      if (this.run) {
        this.run.tell();
        for (const stop of this.run.stops) stop();
      }
      this.run = null;
      this.renderSoon();
    }

    // --- what is shown -----------------------------------------------------------------------------------

    become(set) {
      this.state = { set, kept: null, parts: null };
      this.states.set(set.base, this.state);
      this.shown = set.all[0];
      this.setOutdated(false);
      this.fresh = true;
      this.renderSoon();
    }

    // The drawing is another one: the strip goes with it.
    changed({ drawn }) {
      if (drawn && this.live) {
        this.finish("live");
        return;
      }
      const { strokes } = S.sketch, found = this.states.get(strokes) || null;
      if (this.run && this.run.base !== strokes && !(found && found.set === this.run.set)) this.halt();
      this.state = found;
      this.shown = found && found.kept === null && !found.parts ? this.items[0] || null : null;
      this.setOutdated(false);
      this.renderSoon();
    }

    penDown() {
      this.halt();
      this.shown = null;
      S.pad.ghost = null;
      this.setOutdated(true);
    }

    // While a stroke is drawn, and then until there are others, the suggestions are those of the drawing before.
    setOutdated(outdated) {
      this.outdated = outdated;
      this.strip.classList.toggle("stale", outdated);
    }

    setLive(live) {
      this.live = live;
      S.remember("live", live ? "yes" : "no");
      S.say(S.t(live ? "suggestions.live_on" : "suggestions.live_off"));
      this.render();
    }

    get kept() {
      return this.state ? this.state.kept : null;
    }

    // Shows a suggestion on the paper; null for the first one, unless one has been kept.
    show(each, replay = false) {
      if (!this.state || this.outdated || this.state.parts || (each && each.set !== this.state.set)) return;
      const before = this.shown;
      this.shown = each || (this.kept ? null : before && this.items.includes(before) ? before : this.items[0] || null);
      if (each && replay && each.set.done) {
        each.replay();
        this.mover.wake();
      }
      this.drawGhost();
      this.mark();
    }

    // --- keeping -----------------------------------------------------------------------------------------

    // Keeps a suggestion, or one of a number from 0, instead of one that was kept before; the same again takes it back.
    keep(which) {
      const each = typeof which === "number" ? this.items[which] : which;
      if (!each || !each.grown || !this.state || this.outdated || each.set !== this.state.set) return;
      const { base } = each.set;
      if (this.kept === each) {
        S.sketch.change(base);
        S.say(S.t("suggestions.taken_back"));
        return;
      }
      const strokes = [...base, ...asAdded(each.strokes)];
      this.states.set(strokes, { set: each.set, kept: each, parts: null });
      S.sketch.change(strokes);
      S.say(S.t("suggestions.kept", { count: each.strokes.length }));
    }

    // Its strokes can be kept one by one, on the paper or in the strip.
    chooseParts(each) {
      if (this.outdated) return;
      this.halt();
      this.withParts(each, new Set());
      S.say(S.t("suggestions.choose"));
    }

    // The drawing with some strokes of a suggestion.
    withParts(each, chosen) {
      const { base } = each.set, parts = { each, chosen };
      const strokes = chosen.size ? [...base, ...asAdded(each.strokes.filter((_, index) => chosen.has(index)))] : [...base];
      each.finish();
      this.states.set(strokes, { set: each.set, kept: null, parts });
      S.sketch.change(strokes);
    }

    togglePart(index) {
      const { each, chosen } = this.state.parts, next = new Set(chosen);
      if (!next.delete(index)) next.add(index);
      this.withParts(each, next);
    }

    // Whether strokes are being chosen: a press on the paper chooses one instead of drawing.
    get choosing() {
      return Boolean(this.state && this.state.parts);
    }

    chooseAt([x, y]) {
      const { each } = this.state.parts;
      const far = each.strokes.map((points) => S.distanceToStroke(points, x, y));
      const nearest = far.indexOf(Math.min(...far));
      if (far[nearest] < 24) this.togglePart(nearest);
    }

    endParts() {
      this.state = { ...this.state, parts: null };
      this.states.set(S.sketch.strokes, this.state);
      this.shown = null;
      this.render();
    }

    escape() {
      if (this.choosing) this.endParts();
      else if (this.running) this.halt();
    }

    // --- the picture -------------------------------------------------------------------------------------

    starter({ name, category, strokes }) {
      const called = S.t(`starter.${name}`), label = S.t("suggestions.starter", { name: called });
      const open = () => {
        S.sketch.load(S.asStrokes(strokes, false), category);
        this.finish();
      };
      const thumb = new S.Thumb({ base: S.asStrokes(strokes, false), label, "data-starter": name, onclick: open });
      thumb.element.append(S.make("div", { class: "foot" }, S.make("span", { class: "name" }, called)));
      return thumb;
    }

    renderSoon() {
      if (this.stale) return;
      this.stale = true;
      requestAnimationFrame(() => this.stale && this.render());
    }

    render() {
      this.stale = false;
      const { strip, items, running } = this, blank = this.starters.length > 0 && !S.sketch.strokes.length && !items.length && !running;
      const finish = S.$("[data-do=finish]");
      finish.classList.toggle("running", running);
      finish.querySelector(".words").textContent = S.t(running ? "tools.stop" : "tools.finish");
      S.label(finish, S.t(running ? "tools.stop" : "tools.finish"));
      S.$("[data-do=live]").setAttribute("aria-pressed", String(this.live));
      strip.dataset.state = this.choosing ? "parts" : blank ? "blank" : items.length || running ? "some" : "none";
      strip.querySelector("h2").textContent = S.t(this.choosing ? "suggestions.choose" : blank ? "suggestions.start" : "suggestions.title");
      strip.querySelector(".tip").textContent = blank ? "" : S.t(this.choosing ? "suggestions.tip_parts" : items.length ? "suggestions.tip_keep" : "suggestions.tip");
      const waiting = running && this.run.set && (!this.state || this.state.set !== this.run.set) && !items.length;
      this.seen = this.choosing ? this.parts() : blank ? this.starters : waiting ? this.run.set.all : items.length || running ? items : this.places;
      this.place(this.seen.map((each) => each.element));
      if (this.fresh) this.thumbs.scrollTo(0, 0);
      this.fresh = false;
      this.mark();
      this.drawAll();
      this.drawGhost();
    }

    // Puts thumbnails into the strip, without taking the focus from who is there.
    place(elements) {
      const { thumbs } = this, before = [...thumbs.children];
      if (elements.length === before.length && elements.every((each, index) => each === before[index])) return;
      const active = thumbs.getRootNode().activeElement, at = before.findIndex((each) => each.contains(active));
      const { scrollLeft, scrollTop } = thumbs;
      thumbs.replaceChildren(...elements);
      Object.assign(thumbs, { scrollLeft, scrollTop });
      const next = active && active.isConnected ? active : elements[at] && elements[at].querySelector("button");
      if (at >= 0 && next) next.focus({ preventScroll: true });
    }

    mark() {
      this.items.forEach((each, index) => {
        each.number(index, this.items.length, this.kept === each);
        each.element.classList.toggle("shown", this.shown === each);
        each.element.classList.toggle("kept", this.kept === each);
      });
    }

    // A thumbnail for each stroke.
    parts() {
      const { each, chosen } = this.state.parts;
      return each.strokes.map((_, index) => new Part(each, index, chosen.has(index)));
    }

    drawAll() {
      const inks = S.inks(S.root);
      for (const each of this.seen || []) if (each.draw) each.draw(inks);
    }

    drawGhost() {
      const pad = S.pad;
      if (this.choosing) {
        const { each, chosen } = this.state.parts;
        pad.ghost = { strokes: each.strokes.filter((_, index) => !chosen.has(index)).map((points) => ({ points })) };
      } else if (this.shown && this.shown !== this.kept) {
        pad.ghost = { strokes: this.shown.visible(), under: this.kept ? this.shown.set.base : null };
      } else {
        pad.ghost = null;
      }
      pad.draw();
    }
  }

  S.onMount(() => (S.suggestions = new Suggestions(S.$("#sg-strip"))));
})(Sketchgen);
