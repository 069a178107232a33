// The frame that all parts share: mounting, actions of buttons, the line that says what happens, settings.
// Scripts know each other by `Sketchgen` alone: a global of the page, and a variable of each pad in a notebook.
"use strict";

(function (S) {
  const mounts = [];

  // Calls `ready(root)` when the page stands; parts are mounted in the order of their scripts.
  S.onMount = (ready) => mounts.push(ready);

  // What buttons with data-do="name", and keys, do.
  S.actions = {};

  S.$ = (selector) => S.root.querySelector(selector);

  // element: the app; server: what computes, see transport.js; model: {categories, guidance, starters}. The classes
  // of `host` say how all looks, and in it keys are heard: the whole page, or what is embedded in another one.
  S.mount = function (element, server, model, host = document.body) {
    Object.assign(S, { root: element.querySelector(".sg"), server, model, host, embedded: host !== document.body });
    S.translate(S.root);
    S.root.addEventListener("click", (event) => {
      const button = event.target.closest("[data-do]");
      if (button && S.actions[button.dataset.do]) S.actions[button.dataset.do](button);
    });
    for (const ready of mounts) ready(S.root);
    S.root.classList.add("ready");
  };

  let fading = 0;

  // Tells a person, on the screen and by screen reader; "" takes it back. It goes by itself unless it is to stay.
  S.say = function (text, { stay = false } = {}) {
    const status = S.$("#sg-status");
    clearTimeout(fading);
    if (status.textContent !== text) status.textContent = text;
    status.classList.toggle("told", text !== "");
    if (text && !stay) fading = setTimeout(() => status.classList.remove("told"), Math.max(4000, 80 * text.length));
  };

  // Asks the server; an error is told, and the answer is null then.
  S.ask = async function (what, question) {
    try {
      const answer = await question();
      if (answer && !answer.error) return answer;
      S.say((answer && answer.error) || S.t("app.failed", { what }));
    } catch {
      S.say(S.t("app.no_answer", { what }));
    }
    return null;
  };

  // Small settings of this browser. A full or forbidden store must not keep anybody from drawing.
  S.remembered = function (key) {
    try { return localStorage.getItem(`sketchgen.${key}`); } catch { return null; }
  };
  S.remember = function (key, text) {
    try { localStorage.setItem(`sketchgen.${key}`, text); } catch { /* drawn all the same */ }
  };

  S.icon = function (name) {
    const icon = document.createElementNS("http://www.w3.org/2000/svg", "svg");
    icon.setAttribute("class", "icon");
    icon.setAttribute("aria-hidden", "true");
    icon.appendChild(document.createElementNS("http://www.w3.org/2000/svg", "use")).setAttribute("href", `#i-${name}`);
    return icon;
  };

  // An element with attributes, properties and children: S.make("button", { class: "tool", onclick: f }, icon, "Text").
  S.make = function (tag, settings = {}, ...children) {
    const element = document.createElement(tag);
    if (tag === "button") element.type = "button";
    for (const [name, value] of Object.entries(settings)) {
      if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
      else if (name === "label") S.label(element, value);
      else if (value === true) element.setAttribute(name, "");
      else if (value !== false && value !== null && value !== undefined) element.setAttribute(name, value);
    }
    element.append(...children);
    return element;
  };
})(Sketchgen);
