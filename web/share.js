// Out and in beside files: links, the clipboard, the sheet of a phone that shares; dropping and pasting.
"use strict";

(function (S) {
  // --- out -----------------------------------------------------------------------------------------------

  // Where there is no clipboard for pages, as on an address without https.
  function copiedByHand(text) {
    const field = S.make("textarea", { class: "unseen" });
    S.root.append(field);
    field.value = text;
    field.select();
    const copied = document.execCommand("copy");
    field.remove();
    return copied;
  }

  // Copies what is being made, a promise of a Blob or of null; `told` is said then.
  async function copy(type, making, told) {
    const made = making.then((blob) => blob || Promise.reject(new Error("nothing")));
    try {
      // The promise itself, at once: a click allows this for a moment only.
      await navigator.clipboard.write([new ClipboardItem({ [type]: made })]);
      return S.say(told);
    } catch {
      const blob = await made.catch(() => null);
      if (!blob) return;
      const text = type === "text/plain" && (await blob.text());
      if (text && copiedByHand(text)) return S.say(told);
    }
    S.say(S.t("share.no_clipboard"));
  }

  const asText = (text) => new Blob([text], { type: "text/plain" });

  async function fileAs(format, change) {
    const made = await S.exported(format);
    return made && change(made);
  }

  async function link() {
    const { strokes, category } = S.sketch;
    if (!strokes.length) {
      S.say(S.t("share.nothing"));
      return null;
    }
    try {
      return await S.linkTo({ strokes, category, smooth: S.smooth() });
    } catch (error) {
      S.say(error.message);
      return null;
    }
  }

  const copyLink = () => copy("text/plain", link().then((address) => address && asText(address)), S.t("share.link.copied"));

  const copyPicture = () => copy("image/png", fileAs("png", ({ blob }) => blob), S.t("share.png.copied"));

  const copySvg = () =>
    copy("text/plain", fileAs("svg", async ({ blob }) => asText(await blob.text())), S.t("share.svg.copied"));

  const copyScene = () => {
    const scene = fileAs("excalidraw", async ({ blob }) =>
      asText(JSON.stringify({ ...JSON.parse(await blob.text()), type: "excalidraw/clipboard" })));
    return copy("text/plain", scene, S.t("share.excalidraw.copied"));
  };

  // By the sheet of the system: the picture, and the link with it.
  async function share() {
    const url = await link();
    if (!url) return;
    const made = await S.exported("png");
    const files = made ? [new File([made.blob], made.name, { type: made.blob.type })] : [];
    const both = { title: S.t("share.title"), url, files };
    try {
      await navigator.share(navigator.canShare && navigator.canShare(both) ? both : { title: both.title, url });
    } catch (error) {
      if (error.name !== "AbortError") S.say(S.t("app.failed", { what: S.t("share.sheet") }));
    }
  }

  // --- in ------------------------------------------------------------------------------------------------

  async function openLink(text) {
    try {
      const { strokes, category, smooth } = await S.readLink(text);
      S.drawings.begin();
      S.setSmooth(smooth);
      S.sketch.load(strokes, category);
      S.show("draw");
      S.say(S.t("share.link.opened"));
    } catch (error) {
      S.say(error.message);
    }
  }

  // Once: what is drawn from here on is kept by the browser, not in the address.
  function openAddress() {
    const text = S.linked(location.hash);
    if (text === null) return;
    history.replaceState(history.state, "", location.pathname + location.search);
    openLink(text);
  }

  // Opens what was dropped or pasted.
  function take(data, name) {
    if (data.files.length) return S.openFile(data.files[0]);
    const text = data.getData("text/plain") || data.getData("text/uri-list");
    const linked = S.linked(text);
    if (linked !== null) return openLink(linked);
    return S.openText(text, name);
  }

  const writes = (element) => element.closest && element.closest("input, textarea, select, [contenteditable]");

  function listen() {
    const over = (inside) => S.$("#sg-paper").classList.toggle("dropping", inside);
    document.addEventListener("dragover", (event) => {
      if (writes(event.target)) return;
      event.preventDefault();
      event.dataTransfer.dropEffect = "copy";
      over(true);
    });
    document.addEventListener("dragleave", (event) => event.relatedTarget || over(false));
    document.addEventListener("drop", (event) => {
      over(false);
      if (writes(event.target)) return;
      event.preventDefault();
      take(event.dataTransfer, S.t("share.dropped"));
    });
    document.addEventListener("paste", (event) => {
      if (writes(event.target)) return;
      event.preventDefault();
      take(event.clipboardData, S.t("share.pasted"));
    });
    window.addEventListener("hashchange", openAddress);
  }

  S.onMount(() => {
    const menu = S.menu("sg-menu-share");
    const add = (id, run) => menu.add({ id, label: S.t(`share.${id}`), hint: S.t(`share.${id}.hint`), run });
    if (navigator.share) add("sheet", share);
    add("link", copyLink);
    add("png", copyPicture);
    add("svg", copySvg);
    add("excalidraw", copyScene);
    listen();
    // When all parts are mounted, the kept drawing among them.
    queueMicrotask(openAddress);
  });
})(Sketchgen);
