// The box in which a person looks for a category: a combobox with a list, as WAI-ARIA's pattern has it.
"use strict";

(function (S) {
  // What the model knows by its English name; the other names come when the page stands.
  S.names = null;

  // A category in the language of the page.
  S.nameOf = (category) => S.names.name(category, S.language);

  // What a glyph of the page's fonts looks like, to tell an emoji from the box that stands for a missing one.
  const paper = S.make("canvas", { width: 24, height: 24 }).getContext("2d", { willReadFrequently: true });

  function looks(text) {
    paper.clearRect(0, 0, 24, 24);
    paper.font = "16px system-ui, sans-serif";
    paper.fillText(text, 2, 18);
    return paper.getImageData(0, 0, 24, 24).data.join();
  }

  const drawn = new Map();
  let missing = null;

  // The emoji of a category; none where there is none, or where this browser has no picture of it.
  S.emojiOf = function (category) {
    const emoji = S.names.emoji(category);
    missing = missing || looks("\u{1ffff}");
    if (!drawn.has(emoji)) drawn.set(emoji, looks(emoji) !== missing);
    return drawn.get(emoji) ? emoji : "";
  };

  async function fetchNames(languages) {
    S.names = new S.Names(Object.fromEntries(S.model.categories.map((category) => [category, {}])), languages);
    try {
      S.names = new S.Names(await S.server.names(), languages);
    } catch { /* English does */ }
  }

  S.CategorySearch = class {
    // panel: a popover with an input, a line for what was not found, and a list.
    constructor(panel) {
      Object.assign(this, { panel, choices: new Map(), active: -1, options: [] });
      [this.input, this.told, this.list] = panel.querySelectorAll("input, [role=status], [role=listbox]");
      this.list.id = `${panel.id}-list`;
      this.input.setAttribute("aria-controls", this.list.id);
      this.input.placeholder = S.t("guess.placeholder");
      this.input.addEventListener("input", () => this.find());
      this.input.addEventListener("keydown", (event) => this.key(event));
      panel.addEventListener("beforetoggle", (event) => event.newState === "open" && this.open());
      // The caret stays in the box, whatever of the list is pressed.
      this.list.addEventListener("mousedown", (event) => event.preventDefault());
      this.list.addEventListener("click", (event) => {
        const option = event.target.closest("[role=option]");
        if (option) this.take(this.options.indexOf(option));
      });
    }

    // Calls `choose(category)` with what was found for a button that opens the panel.
    serve(button, choose) {
      this.choices.set(button, choose);
    }

    open() {
      this.input.value = "";
      this.find();
    }

    find() {
      const typed = this.input.value, { found, kind } = S.names.search(typed);
      this.found = found;
      this.options = found.map((each, index) => this.option(each, index));
      this.list.replaceChildren(...this.options);
      this.list.scrollTop = 0;
      const unfound = { near: "guess.nearest", far: "guess.nearest", none: "guess.nothing" }[kind];
      this.told.textContent = unfound ? S.t(unfound, { text: typed.trim() }) : "";
      // Enter takes the first one that was meant; what is only the nearest must be chosen.
      this.activate(kind === "match" || kind === "near" ? 0 : -1);
    }

    // Its emoji, its name in the visitor's language and in English, and the name that was meant.
    option({ category, name }, index) {
      const usual = S.names.name(category);
      const others = [...new Set([category, name])].filter((each) => each !== usual && each !== S.names.emoji(category));
      const option = S.make("li", { role: "option", id: `${this.panel.id}-${index}`, "aria-selected": "false", "data-category": category });
      option.append(
        S.make("span", { class: "emoji", "aria-hidden": "true" }, S.emojiOf(category)),
        S.make("span", {}, usual), S.make("small", {}, others.join(" · "))
      );
      return option;
    }

    activate(index) {
      const before = this.options[this.active], now = this.options[index];
      this.active = now ? index : -1;
      if (before) before.setAttribute("aria-selected", "false");
      if (!now) {
        this.input.removeAttribute("aria-activedescendant");
        return;
      }
      now.setAttribute("aria-selected", "true");
      this.input.setAttribute("aria-activedescendant", now.id);
      now.scrollIntoView({ block: "nearest" });
    }

    key(event) {
      // While an input method still composes, its keys are its own.
      if (event.isComposing || event.ctrlKey || event.metaKey || event.altKey) return;
      const last = this.options.length - 1, page = 8;
      const to = {
        ArrowDown: this.active < last ? this.active + 1 : 0,
        ArrowUp: this.active > 0 ? this.active - 1 : last,
        PageDown: Math.min(this.active + page, last),
        PageUp: Math.max(this.active - page, 0),
      }[event.key];
      if (to !== undefined) this.activate(to);
      else if (event.key === "Enter") this.take(this.active);
      else {
        // The focus is back at the button then, from which it goes on; nothing is chosen.
        if (event.key === "Tab") this.panel.hidePopover();
        return;
      }
      event.preventDefault();
    }

    take(index) {
      if (!this.found[index]) return;
      this.panel.hidePopover();
      this.choices.get(this.panel.opener)(this.found[index].category);
    }
  };

  S.onMount(() => {
    S.categorySearch = new S.CategorySearch(S.$("#sg-search"));
    S.namesThere = fetchNames([S.remembered("language"), ...navigator.languages].filter(Boolean));
  });
})(Sketchgen);
