// The pen's colour and width, and what the eraser takes: a panel beside the tools.
"use strict";

(function (S) {
  // Each is seen on light and on dark paper (at least 3.5 to 1); null is the ink, which is the opposite of the paper.
  const COLOURS = { ink: null, red: "#dc2f45", ochre: "#b07b00", green: "#2f8f4e", blue: "#2f7fd6", violet: "#9254de" };
  const WIDTHS = { fine: 2, medium: S.PEN, bold: 8, marker: 16 };

  // A row of buttons, one of which is pressed.
  function row(name, choices, show, isChosen, choose) {
    const buttons = Object.entries(choices).map(([key, value]) => {
      const button = S.make("button", { class: `choice ${name}`, label: S.t(`paper.${name}.${key}`), onclick: () => choose(value) });
      button.append(...show(value, key));
      return { button, value };
    });
    const mark = () => buttons.forEach(({ button, value }) => button.setAttribute("aria-pressed", String(isChosen(value))));
    const group = S.make("div", { class: "choices", role: "group", label: S.t(`paper.${name}`) }, ...buttons.map(({ button }) => button));
    return { group, mark };
  }

  function dot(size, color) {
    const found = S.make("span", { class: "dot" });
    found.style.width = found.style.height = `${size}px`;
    if (color) found.style.background = color;
    return found;
  }

  S.onMount(() => {
    const { pad } = S, ink = pad.ink, swatch = S.$("[data-menu=sg-pens] .dot");
    const saved = [Object.values(COLOURS).find((color) => color && color === S.remembered("color")), Number(S.remembered("width"))];
    if (saved[0]) ink.color = saved[0];
    if (Object.values(WIDTHS).includes(saved[1])) ink.width = saved[1];

    const colours = row("color", COLOURS, (value) => [dot(22, value)], (value) => ink.color === value, (color) => become({ color }));
    const widths = row("width", WIDTHS, (value) => [dot(4 + value)], (value) => ink.width === value, (width) => become({ width }));
    const kinds = row("eraser", { pieces: "eraser", strokes: "remover" }, (_, key) => [S.t(`paper.eraser.${key}`)],
      (value) => (S.remembered("eraser") || "eraser") === value,
      (value) => {
        pad.setTool(value);
        mark();
      });

    function mark() {
      for (const each of [colours, widths, kinds]) each.mark();
      swatch.style.background = ink.color || "";
      swatch.style.width = swatch.style.height = `${6 + ink.width}px`;
    }

    function become(change) {
      Object.assign(ink, change);
      S.remember("color", ink.color || "");
      S.remember("width", String(ink.width));
      pad.setTool("pen");
      mark();
    }

    S.$("#sg-pens").append(
      S.make("h2", {}, S.t("paper.pen")), colours.group, widths.group,
      S.make("h2", {}, S.t("paper.eraser")), kinds.group
    );
    mark();
  });
})(Sketchgen);
