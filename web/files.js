// Opening drawings and saving them; a server that does it writes nothing down.
"use strict";

(function (S) {
  const LARGEST = 2 * 1024 * 1024;

  // Of pressure and time the server keeps the first only.
  const strokesOf = ({ strokes, styles }) => strokes.map((points, i) => {
    const { pressure, ...style } = styles[i];
    const pressed = pressure && pressure.length === points.length;
    return { added: false, ...style, points: pressed ? points.map(([x, y], k) => [x, y, 0, pressure[k]]) : points };
  });

  // Opens the text of a file, whose drawing takes the place of that on the paper.
  S.openText = async function (text, name) {
    // SVG begins with "<", JSON with "{" or "[": a picture or a film is not sent at all.
    const fault = !text.trim() ? "empty" : text.length > LARGEST ? "too_large" : /^[\s\ufeff]*[<{[]/.test(text) ? "" : "unknown";
    if (fault) return S.say(S.t(`files.${fault}`, { name }));
    const found = await S.ask(S.t("files.opening"), () => S.server.open({ text, name }));
    if (!found) return;
    S.sketch.load(strokesOf(found), found.category);
    S.show("draw");
    S.say(S.t("files.opened", { name }));
  };

  S.openFile = async function (file) {
    if (file.size > LARGEST) return S.say(S.t("files.too_large", { name: file.name }));
    let text = "";
    // A folder, or a file that is gone, cannot be read.
    try { text = await file.text(); } catch { return S.say(S.t("files.unreadable", { name: file.name })); }
    return S.openText(text, file.name);
  };

  // Hands a file to the person.
  S.download = function (blob, name) {
    const link = S.make("a", { href: URL.createObjectURL(blob), download: name });
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 10000);
  };

  // The drawing as a file of a format: {name, blob}, or null where that failed, which was told.
  S.exported = async function (format) {
    if (!S.sketch.strokes.length) {
      S.say(S.t("files.nothing"));
      return null;
    }
    const question = { drawing: S.sketch.payload(), smooth: S.smooth(), format };
    return S.ask(S.t("files.saving"), () => S.server.save(question));
  };

  S.save = async function (format) {
    const made = await S.exported(format);
    if (!made) return;
    S.download(made.blob, made.name);
    S.say(S.t("files.saved", { name: made.name }));
  };

  S.onMount(() => {
    const input = S.$("#sg-file");
    S.menu("sg-menu-open").add({
      id: "file", label: S.t("files.choose"), hint: S.t("files.choose.hint"), run: () => input.click(),
    });
    input.addEventListener("change", () => {
      if (input.files.length) S.openFile(input.files[0]);
      input.value = "";
    });
    for (const format of S.server.formats) {
      const [label, hint] = [S.t(`files.${format}`), S.t(`files.${format}.hint`)];
      S.menu("sg-menu-save").add({ id: format, label, hint, run: () => S.save(format) });
    }
  });
})(Sketchgen);
