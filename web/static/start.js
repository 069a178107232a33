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

  // A version that came while the last visit went on takes over before this one begins.
  async function renew(workers) {
    const registration = await workers.getRegistration();
    if (!registration || !registration.waiting || !workers.controller) return false;
    const changed = new Promise((go) => workers.addEventListener("controllerchange", go, { once: true }));
    registration.waiting.postMessage("take over");
    await changed;
    location.reload();
    return true;
  }

  async function keep(workers) {
    const registration = await workers.register("service.js");
    registration.addEventListener("updatefound", () => {
      const { installing } = registration;
      installing.addEventListener("statechange", () => {
        if (installing.state === "installed" && workers.controller) S.say(S.t("static.update"));
      });
    });
  }

  async function start() {
    // None where the address is not safe, or the browser keeps nothing.
    let workers = null;
    try {
      workers = navigator.serviceWorker;
      if (workers && (await renew(workers))) return;
    } catch { /* begun all the same */ }
    S.mount(document.getElementById("app"), S.local, S.MODEL);
    await S.local.begin();
    // The files are in the browser's own cache by now.
    if (workers) keep(workers).catch(() => {});
  }

  start();
})(Sketchgen);
