// Starts a page without a server, and keeps it in this browser for when there is no network.
"use strict";

(function (S) {
  document.documentElement.lang = S.language;

  // As the system says, unless a person chose.
  const dark = window.matchMedia("(prefers-color-scheme: dark)");
  const follow = () => S.remembered("theme") || document.body.classList.toggle("dark", dark.matches);
  follow();
  dark.addEventListener("change", follow);

  S.onMount(() => {
    const menu = S.menu("sg-menu-app");
    menu.part();
    menu.add({ id: "credits", label: S.t("static.credits"), icon: "blank", run: () => window.open("credits.txt") });
  });

  async function keep() {
    const { serviceWorker } = navigator, before = serviceWorker.controller;
    serviceWorker.addEventListener("controllerchange", () => before && S.say(S.t("static.update")));
    await serviceWorker.register("service.js");
  }

  S.mount(document.getElementById("app"), S.local, S.MODEL);
  // The files are in the browser's own cache by then. Where the address is not safe, or the browser keeps nothing,
  // there is no such worker.
  S.local.begin().then(keep).catch(() => {});
})(Sketchgen);
