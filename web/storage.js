// Drawings kept in this browser: each tab has its own, with its history; others can be gone back to.
"use strict";

(function (S) {
  const PREFIX = "sketchgen.drawing.", TAB = "sketchgen.tab", OLD = "sketchgen.sketch.1.strokes";
  // Browsers give a page 5 million characters, which settings need a little of.
  const MOST_DRAWINGS = 24, MOST_CHARACTERS = 4000000, MOST_OF_ONE = 1500000;
  const SOON = 400;               // ms after a change

  // --- one drawing as text -------------------------------------------------------------------------------

  // Each stroke once, and of each state what differs from the one before: a history of 200 steps is hardly
  // longer than the drawing.
  function pack({ strokes, category, past, future }) {
    const table = [], numbers = new Map();
    const number = (stroke) => {
      if (!numbers.has(stroke)) numbers.set(stroke, table.push(stroke) - 1);
      return numbers.get(stroke);
    };
    let before = [];
    const states = [...past, { strokes, category }, ...future].map((state) => {
      let same = 0;
      while (same < before.length && before[same] === state.strokes[same]) same++;
      before = state.strokes;
      return [same, state.strokes.slice(same).map(number), state.category];
    });
    return { strokes: table, states, at: past.length };
  }

  function unpack({ strokes, states, at }) {
    let before = [];
    const found = states.map(([same, rest, category]) => {
      before = [...before.slice(0, same), ...rest.map((number) => strokes[number])];
      return { strokes: before, category };
    });
    return { ...found[at], past: found.slice(0, at), future: found.slice(at + 1) };
  }

  // The text of a drawing with as much of its history as there is room for.
  function textOf(data) {
    for (;;) {
      const text = JSON.stringify(pack(data));
      if (text.length <= MOST_OF_ONE || !(data.past.length + data.future.length)) return text;
      data = { ...data, past: data.past.slice(Math.ceil(data.past.length / 2)), future: [] };
    }
  }

  // A value is "time writer text", so that age and writer are known without reading the whole.
  const headOf = (value) => (value ? value.slice(0, value.indexOf("{")) : "");
  const timeOf = (value) => parseInt(value, 10) || 0;

  function dataOf(value) {
    try {
      return unpack(JSON.parse(value.slice(headOf(value).length)));
    } catch { return null; }
  }

  // --- all drawings --------------------------------------------------------------------------------------

  // [{id, value}], the newest first.
  function kept() {
    const found = [];
    for (let i = 0; i < localStorage.length; i++) {
      const key = localStorage.key(i);
      if (key.startsWith(PREFIX)) found.push({ id: key.slice(PREFIX.length), value: localStorage.getItem(key) });
    }
    return found.sort((a, b) => timeOf(b.value) - timeOf(a.value));
  }

  // Writes a drawing; the oldest others give way to it.
  function write(id, value) {
    const others = kept().filter((each) => each.id !== id);
    let characters = others.reduce((sum, each) => sum + each.value.length, value.length);
    const drop = () => {
      const oldest = others.pop();
      characters -= oldest.value.length;
      localStorage.removeItem(PREFIX + oldest.id);
    };
    while (others.length && (others.length >= MOST_DRAWINGS || characters > MOST_CHARACTERS)) drop();
    for (;;) {
      try {
        localStorage.setItem(PREFIX + id, value);
        return;
      } catch (error) {
        // Something else on this origin takes up room, too.
        if (!others.length) throw error;
        drop();
      }
    }
  }

  // --- the drawing of this tab ---------------------------------------------------------------------------

  const random = () => Math.random().toString(36).slice(2, 12);
  const writer = random();
  let id = random(), head = "", timer = 0, told = false, restoring = false;

  function become(name, seen) {
    [id, head] = [name, seen];
    sessionStorage.setItem(TAB, id);
  }

  function save() {
    clearTimeout(timer);
    timer = 0;
    try {
      // A tab that was duplicated has the same drawing; who comes second goes on with one of its own.
      const there = headOf(localStorage.getItem(PREFIX + id));
      if (there && there !== head) become(random(), "");
      const data = S.sketch.toJSON();
      if (!data.strokes.length && !data.past.length && !data.future.length) {
        localStorage.removeItem(PREFIX + id);
        return;
      }
      head = `${Date.now()} ${writer} `;
      write(id, head + textOf(data));
      sessionStorage.setItem(TAB, id);
    } catch {
      // Full, or forbidden as in private windows: drawn all the same.
      if (!told) S.say(S.t("storage.not_kept"));
      told = true;
    }
  }

  const flush = () => timer && save();

  function restore(data) {
    restoring = true;
    S.sketch.fromJSON(data);
    restoring = false;
  }

  S.drawings = {
    // Keeps what is on the paper among the recent drawings, and gives this tab an empty one.
    begin() {
      flush();
      try { become(random(), ""); } catch { /* forbidden */ }
      restore({});
    },

    // Goes on with a recent drawing, in this tab.
    open(name) {
      flush();
      const value = localStorage.getItem(PREFIX + name), data = value && dataOf(value);
      if (!data) return S.say(S.t("storage.gone"));
      become(name, headOf(value));
      restore(data);
      S.show("draw");
    },

    // [{id, strokes, category, time}] of the others that have strokes, the newest first.
    recent() {
      try {
        return kept()
          .filter((each) => each.id !== id)
          .map(({ id: name, value }) => ({ ...dataOf(value), id: name, time: timeOf(value) }))
          .filter((each) => each.strokes && each.strokes.length);
      } catch { return []; }
    },

    forget() {
      for (const each of kept()) if (each.id !== id) localStorage.removeItem(PREFIX + each.id);
    },
  };

  function restoreTab() {
    const name = sessionStorage.getItem(TAB);
    const value = name && localStorage.getItem(PREFIX + name);
    const data = value && dataOf(value);
    if (data) {
      become(name, headOf(value));
      restore(data);
      return;
    }
    // The page kept one drawing for all tabs before.
    const old = localStorage.getItem(OLD);
    if (old === null) return;
    localStorage.removeItem(OLD);
    restore({ strokes: JSON.parse(old) });
    save();
  }

  // --- recent drawings in the menu -----------------------------------------------------------------------

  function listRecent(section) {
    const drawings = S.drawings.recent();
    section.hidden = !drawings.length;
    const when = new Intl.DateTimeFormat(S.language, { dateStyle: "medium", timeStyle: "short" });
    const thumbs = drawings.map((each) => {
      const named = !["auto", "none"].includes(each.category);
      const label = S.t("storage.open", { name: named ? each.category : S.t("storage.drawing"), when: when.format(each.time) });
      const open = () => {
        section.parentElement.hidePopover();
        S.drawings.open(each.id);
      };
      return new S.Thumb({ base: each.strokes, role: "menuitem", label, onclick: open });
    });
    section.querySelector(".recent").replaceChildren(...thumbs.map((thumb) => thumb.element));
    // When the menu is open, and has its size.
    requestAnimationFrame(() => thumbs.forEach((thumb) => thumb.draw(S.inks(section))));
  }

  function addToMenu() {
    const menu = S.$("#sg-menu-open");
    const section = S.make("div", { class: "recents", role: "group", label: S.t("storage.recent") },
      S.make("p", { "aria-hidden": "true" }, S.t("storage.recent")), S.make("div", { class: "recent" }),
      S.make("button", { class: "item", role: "menuitem", onclick: () => {
        if (!window.confirm(S.t("storage.forget.sure"))) return;
        S.drawings.forget();
        listRecent(section);
      } }, S.t("storage.forget")));
    S.menu("sg-menu-open").add({ id: "new", label: S.t("storage.new"), hint: S.t("storage.new.hint"), run: () => {
      S.drawings.begin();
      S.show("draw");
    } });
    menu.append(section);
    menu.addEventListener("beforetoggle", (event) => event.newState === "open" && listRecent(section));
  }

  S.onMount(() => {
    addToMenu();
    try { restoreTab(); } catch { /* a damaged or forbidden store is an empty one */ }
    S.sketch.onChange(() => {
      if (!restoring && !timer) timer = setTimeout(save, SOON);
    });
    window.addEventListener("pagehide", flush);
    document.addEventListener("visibilitychange", () => document.hidden && flush());
  });
})(Sketchgen);
