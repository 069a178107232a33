// Draw, Generate, Morph, Play back: one is seen at a time; the browser's history knows which.
"use strict";

(function (S) {
  const VIEWS = ["draw", "generate", "morph", "play"];
  const listeners = [];

  const named = () => {
    const name = new URLSearchParams(location.search).get("view");
    return VIEWS.includes(name) && (name !== "morph" || S.morph) ? name : "draw";
  };

  // Calls `tell(name)` when another view is seen, and for the first one.
  S.onView = (tell) => listeners.push(tell);

  function become(name) {
    S.viewed = name;
    S.root.dataset.view = name;
    for (const [id, view] of [["sg-generate", "generate"], ["sg-morph", "morph"], ["sg-play", "play"]]) S.$(`#${id}`).hidden = view !== name;
    for (const link of S.root.querySelectorAll("[data-view]")) {
      if (link.dataset.view === name) link.setAttribute("aria-current", "page");
      else link.removeAttribute("aria-current");
    }
    for (const tell of listeners) tell(name);
  }

  // Shows a view, as a step that the browser's Back takes back.
  S.show = function (name) {
    if (name === S.viewed) return;
    const address = new URL(location.href);
    if (name === "draw") address.searchParams.delete("view");
    else address.searchParams.set("view", name);
    history.pushState(history.state, "", address);
    become(name);
  };

  S.onMount((root) => {
    root.addEventListener("click", (event) => {
      const link = event.target.closest("a[data-view], .wordmark");
      if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
      event.preventDefault();
      S.show(link.dataset.view || "draw");
    });
    window.addEventListener("popstate", () => become(named()));
    // When all parts are mounted.
    queueMicrotask(() => become(named()));
  });
})(Sketchgen);
