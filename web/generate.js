// Generate: a wall of new drawings without an end; a click takes one to the paper.
"use strict";

(function (S) {
  const BATCH = 9;

  class Gallery {
    constructor(view) {
      this.view = view;
      this.category = "auto";
      this.stop = null;
      this.cells = [];
      this.anything = S.make("button", { class: "chip", onclick: () => this.become("auto") }, S.t("guess.anything"));
      this.words = S.make("span", { class: "words" });
      this.search = S.opens(S.make("button", { class: "chip", "data-menu": "sg-search" }, S.icon("search"), this.words));
      S.categorySearch.serve(this.search, (category) => this.become(category));
      this.wall = S.make("div", { class: "wall" });
      this.end = S.make("p", { class: "end" }, S.t("generate.drawing"));
      view.append(
        S.make("div", { class: "head" }, S.make("h1", {}, S.t("generate.title")), this.anything, this.search),
        this.wall, this.end
      );
      this.mover = new S.Mover(() => this.cells.filter((cell) => cell.seen), () => this.stop !== null, () => {});
      S.whenItLooksElse(this.wall, () => this.drawAll());
      // The next ones come when the last ones come into sight.
      new IntersectionObserver((found) => {
        this.near = found.some((each) => each.isIntersecting);
        this.more();
      }, { root: view, rootMargin: "300px" }).observe(this.end);
      // Out of sight a drawing has no picture: a long wall would fill the memory.
      this.sight = new IntersectionObserver((found) => found.forEach(({ target, isIntersecting }) => {
        const cell = this.cells.find((each) => each.element === target);
        if (cell) this.see(cell, isIntersecting);
      }), { root: view, rootMargin: "300px" });
      S.onView((name) => (name === "generate" ? this.open() : this.halt()));
      S.namesThere.then(() => this.rename());
    }

    // In the language of the page.
    rename() {
      const named = this.category !== "auto";
      this.words.textContent = named ? `${S.emojiOf(this.category)} ${S.nameOf(this.category)}`.trim() : S.t("guess.choose");
      this.anything.setAttribute("aria-pressed", String(!named));
      this.search.setAttribute("aria-pressed", String(named));
      for (const cell of this.cells) this.name(cell);
    }

    open() {
      if (!this.cells.length) this.become(this.category);
      else this.more();
      this.view.scrollTop = this.scrolled || 0;
    }

    // Drawings of another category, or of any; of any some stand there at once.
    become(category) {
      this.halt();
      this.category = category;
      this.scrolled = this.view.scrollTop = 0;
      this.cells = [];
      this.wall.replaceChildren();
      const ready = S.DRAWINGS.new.filter((each) => category === "auto" || each.category === category);
      for (const each of ready.sort(() => Math.random() - 0.5)) this.add(each.strokes, each.category);
      this.rename();
      this.more();
    }

    add(strokes = [], category = null) {
      const cell = new S.Thumb({ added: false, onclick: () => this.take(cell) });
      Object.assign(cell, { strokes, category, pointedAt: (inside) => inside && this.replay(cell) });
      cell.finish();
      cell.name = S.make("span", { class: "name" });
      cell.element.append(S.make("div", { class: "foot" }, cell.name));
      this.name(cell);
      this.cells.push(cell);
      this.wall.append(cell.element);
      this.sight.observe(cell.element);
      return cell;
    }

    see(cell, seen) {
      cell.seen = seen;
      if (seen) cell.draw(S.inks(S.root));
      else cell.canvas.width = cell.canvas.height = 0;
    }

    name(cell) {
      cell.name.textContent = cell.category ? S.nameOf(cell.category) : "";
      S.label(cell.take, S.t("generate.take", { name: cell.name.textContent || S.t("generate.something") }));
      cell.element.classList.toggle("growing", !cell.arrived);
    }

    replay(cell) {
      if (!cell.complete) return;
      cell.replay();
      this.mover.wake();
    }

    more() {
      if (this.stop || !this.near || S.viewed !== "generate") return;
      const fresh = Array.from({ length: BATCH }, () => this.add());
      const drawing = S.sketch.payload([]), seed = Math.floor(Math.random() * 2 ** 31);
      const receive = (message) => {
        if (message.waiting) return;
        if (message.error) {
          this.halt();
          // Not again and again by itself.
          this.near = false;
          S.say(message.error);
          return;
        }
        for (const index of message.anew || []) Object.assign(fresh[index], { strokes: [], open: false, at: [0, 0, 0] });
        message.alts.forEach((points, index) => fresh[index].add(points));
        (message.categories || []).forEach((category, index) => (fresh[index].category = category));
        fresh.forEach((cell) => this.name(cell));
        if (message.done) {
          this.stop = null;
          requestAnimationFrame(() => this.more());
        }
        this.mover.wake();
      };
      this.stop = S.server.draw({ drawing, ...S.settings, category: this.category, count: BATCH, seed }, receive);
    }

    halt() {
      if (this.stop) this.stop();
      this.stop = null;
      // What had not been begun will not come.
      this.cells = this.cells.filter((cell) => cell.arrived || cell.element.remove());
      this.scrolled = this.view.scrollTop || this.scrolled;
    }

    take(cell) {
      if (!cell.arrived) return;
      const strokes = cell.strokes.map((points) => points.map(([x, y]) => [x, y]));
      S.sketch.load(S.asStrokes(strokes, true), cell.category);
      S.show("draw");
    }

    drawAll() {
      const inks = S.inks(S.root);
      for (const cell of this.cells) if (cell.seen) cell.draw(inks);
    }
  }

  S.onMount(() => (S.gallery = new Gallery(S.$("#sg-generate"))));
})(Sketchgen);
