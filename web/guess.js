// The live guess: after each stroke what the drawing may be, as chips of which one tap takes one.
"use strict";

(function (S) {
  const SHOWN = 3;
  // Below this probability the likeliest is hardly likely.
  const UNSURE = 0.25;
  // A screen reader hears of the guesses when the pen rests, in milliseconds.
  const RESTS = 1200;

  class Guess {
    constructor(chips) {
      Object.assign(this, { chips, guesses: [], of: null, asking: null, resting: 0 });
      this.timings = [];      // from a change of the strokes to the chips that it brought, ms
      this.lead = chips.querySelector(".lead");
      this.told = chips.querySelector("[role=status]");
      this.anything = chips.querySelector("[data-do=anything]");
      this.search = chips.querySelector("[data-menu=sg-search]");
      this.chosen = this.chip((category) => this.take("auto", category));
      this.chosen.append(S.icon("close"));
      this.seen = Array.from({ length: SHOWN }, () => this.chip((category) => this.take(category)));
      chips.querySelector(".seen").prepend(this.chosen, ...this.seen);
      S.categorySearch.serve(this.search, (category) => this.take(category));
      S.actions.anything = () => this.take(S.sketch.category === "none" ? "auto" : "none");
      S.sketch.onChange(() => this.ask());
      S.namesThere.then(() => this.render());
      this.ask();
    }

    chip(take) {
      const words = S.make("span", { class: "words" }), share = S.make("small");
      const chip = S.make("button", { class: "chip", hidden: true }, words, share);
      chip.addEventListener("click", () => take(chip.dataset.category));
      return chip;
    }

    // What it shows, as a person tells: a name, "none" or "auto". Suggestions that stand there are for another one.
    take(category) {
      const within = this.chips.contains(document.activeElement);
      S.sketch.setCategory(category);
      this.render();
      if (within && category !== "none") (this.chosen.hidden ? this.search : this.chosen).focus();
      if (S.suggestions.running || S.suggestions.items.length) S.suggestions.finish();
    }

    // A newer question drops the older one, here and on the server.
    ask() {
      const { strokes } = S.sketch;
      if (strokes === this.of) {
        this.render();
        return;
      }
      if (this.asking) this.asking.abort();
      this.of = strokes;
      this.asking = null;
      if (strokes.length) this.seek(strokes, (this.asking = new AbortController()).signal, performance.now());
      else this.become([]);
    }

    // A run that has been asked for at the same moment tells guesses, too; a question would only delay it.
    async seek(strokes, signal, asked) {
      const { run } = S.suggestions, found = run && run.base === strokes && (await run.heard);
      if (signal.aborted) return;
      if (!found) await this.fetch(signal, asked);
      else this.arrived(found, asked);
    }

    arrived(found, asked) {
      this.become(found);
      this.timings.push(performance.now() - asked);
    }

    async fetch(signal, asked) {
      try {
        const { guesses } = await S.server.guess({ drawing: S.sketch.payload() }, signal);
        if (!signal.aborted) this.arrived(guesses || [], asked);
      } catch {
        // Nobody answers: there is no guess, and drawing goes on. The next stroke asks again.
        if (!signal.aborted) this.become([]);
      }
    }

    become(guesses) {
      this.guesses = guesses;
      this.render();
      clearTimeout(this.resting);
      this.resting = setTimeout(() => (this.told.textContent = this.spoken()), RESTS);
    }

    spoken() {
      const names = this.seen.filter((chip) => !chip.hidden).map((chip) => S.nameOf(chip.dataset.category));
      return names.length ? S.t("guess.spoken", { names: names.join(", ") }) : "";
    }

    render() {
      const { category, strokes } = S.sketch, named = category !== "auto" && category !== "none";
      const others = this.guesses.filter(([name]) => name !== category);
      this.show(this.chosen, named ? category : null);
      this.chosen.setAttribute("aria-pressed", "true");
      if (named) this.chosen.title = S.t("guess.let_go", { name: S.nameOf(category) });
      this.seen.forEach((chip, index) => {
        const [name, share] = others[index] || [null, 0];
        this.show(chip, name);
        chip.setAttribute("aria-pressed", "false");
        chip.lastChild.textContent = index || named || !name ? "" : S.percent(share);
      });
      this.anything.setAttribute("aria-pressed", String(category === "none"));
      const unsure = others.length && others[0][1] < UNSURE;
      const lead = named ? "chosen" : !strokes.length || !others.length ? "empty" : unsure ? "unsure" : "see";
      this.lead.textContent = S.t(`guess.${lead}`);
      const label = S.t(strokes.length || named ? "guess.else" : "guess.choose");
      this.search.querySelector(".words").textContent = label;
      S.label(this.search, label);
    }

    show(chip, category) {
      chip.hidden = category === null;
      if (category === null) return;
      chip.dataset.category = category;
      const emoji = S.make("span", { class: "emoji", "aria-hidden": "true" }, S.emojiOf(category));
      chip.querySelector(".words").replaceChildren(emoji, S.nameOf(category));
    }
  }

  S.onMount(() => {
    S.guess = new Guess(S.$("#sg-chips"));
  });
})(Sketchgen);
