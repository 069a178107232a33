// Popovers that buttons with data-menu="id" open: menus to which parts add their items, and panels. The menu of the
// page itself: theme, language and keys.
"use strict";

(function (S) {
  // Beside its button, where the window has room.
  function place(popover, button) {
    const at = button.getBoundingClientRect(), gap = 6, edge = 8;
    const { offsetWidth: width, offsetHeight: height } = popover;
    const within = (value, most) => Math.max(edge, Math.min(value, most - edge));
    const bar = button.closest("[role=toolbar]");
    if (bar && bar.offsetHeight > bar.offsetWidth) {
      popover.style.left = `${bar.getBoundingClientRect().right + gap}px`;
      popover.style.top = `${within(at.top, window.innerHeight - height)}px`;
      return;
    }
    const below = at.bottom + gap + height <= window.innerHeight - edge || at.top < height + gap;
    // Below the left half of the window it begins where its button does.
    const left = at.left + at.right < window.innerWidth ? at.left : at.right - width;
    popover.style.left = `${within(left, window.innerWidth - width)}px`;
    popover.style.top = `${within(below ? at.bottom + gap : at.top - gap - height, window.innerHeight - height)}px`;
  }

  function open(popover, button) {
    if (popover.matches(":popover-open")) {
      popover.hidePopover();
      return;
    }
    popover.opener = button;
    popover.showPopover();
    const grown = new ResizeObserver(() => place(popover, button));
    grown.observe(popover);
    button.setAttribute("aria-expanded", "true");
    const first = popover.querySelector("button:not(:disabled), input");
    if (first) first.focus({ preventScroll: true });
    popover.addEventListener("toggle", function closed(event) {
      if (event.newState !== "closed") return;
      button.setAttribute("aria-expanded", "false");
      grown.disconnect();
      popover.removeEventListener("toggle", closed);
    });
  }

  function walk(event) {
    const items = [...event.currentTarget.querySelectorAll("button:not(:disabled)")];
    const at = items.indexOf(document.activeElement), last = items.length - 1;
    const to = { ArrowDown: at < last ? at + 1 : 0, ArrowUp: at > 0 ? at - 1 : last, Home: 0, End: last }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    items[to].focus();
  }

  const menus = new Map();

  class Menu {
    constructor(element) {
      this.element = element;
      element.setAttribute("role", "menu");
      element.addEventListener("keydown", walk);
    }

    // Adds an item: {label, hint?, icon?, run, id?}. Returns its button.
    add({ label, hint, icon, run, id }) {
      const item = S.make("button", { class: "item", role: "menuitem", "data-item": id });
      if (icon) item.append(S.icon(icon));
      item.append(S.make("span", {}, label));
      if (hint) item.append(S.make("small", {}, hint));
      item.addEventListener("click", () => {
        this.element.hidePopover();
        run();
      });
      this.element.append(item);
      return item;
    }

    // A line between items.
    part() {
      this.element.append(S.make("hr"));
    }
  }

  // The menu of an element's id, such as "sg-menu-save".
  S.menu = function (id) {
    if (!menus.has(id)) menus.set(id, new Menu(S.$(`#${id}`)));
    return menus.get(id);
  };

  // Makes a button with data-menu="id" open that popover, whose `opener` it is then.
  S.opens = function (button) {
    const popover = S.$(`#${button.dataset.menu}`);
    button.setAttribute("aria-haspopup", popover.matches(".menu") ? "menu" : "dialog");
    button.setAttribute("aria-expanded", "false");
    // A press outside closes a popover by itself; its own button must not open it again then.
    let wasOpen = false;
    button.addEventListener("pointerdown", () => (wasOpen = popover.matches(":popover-open")));
    button.addEventListener("click", (event) => {
      if (wasOpen && event.detail) popover.hidePopover();
      else open(popover, button);
      wasOpen = false;
    });
    return button;
  };

  S.onMount((root) => root.querySelectorAll("[data-menu]").forEach(S.opens));

  // Light or dark: as the system says, unless a person chose.
  S.setTheme = function (theme) {
    document.body.classList.toggle("dark", theme === "dark");
    S.remember("theme", theme);
  };
  S.onMount(() => {
    const theme = S.remembered("theme");
    if (theme) document.body.classList.toggle("dark", theme === "dark");
    S.menu("sg-menu-app").add({
      label: S.t("app.theme"),
      icon: "theme",
      run: () => S.setTheme(document.body.classList.contains("dark") ? "light" : "dark"),
    });
    addLanguages();
    const keys = S.t("paper.keys").split(/[;；]/).map((line) => S.make("li", {}, line));
    // A screen reader hears of them at the paper; a menu may hold items only.
    S.$("#sg-menu-app").append(S.make("ul", { class: "keys", "aria-hidden": "true" }, ...keys));
  });

  // Each language by its own name; the page is loaded anew in it.
  function addLanguages() {
    const codes = Object.keys(S.WORDS), menu = S.menu("sg-menu-app");
    if (codes.length < 2) return;
    menu.part();
    for (const code of codes) {
      const label = new Intl.DisplayNames(code, { type: "language" }).of(code);
      const choose = () => {
        S.remember("language", code);
        location.reload();
      };
      const item = menu.add({ id: code, label, icon: code === S.language ? "check" : "blank", run: choose });
      item.lang = code;
    }
  }
})(Sketchgen);
