// Options: what a person may change about suggestions; the browser keeps it.
"use strict";

(function (S) {
  // What a person chooses under Options; the guidance of a model that cannot be guided is never asked for.
  S.settings = {};

  const kept = (key) => S.remembered(`option.${key}`);

  // A slider of a setting, with words at its ends; what is counted is said as a number, too.
  function slider(key, { min, max, step, counted = false }) {
    const id = `sg-option-${key}`, saved = Number(kept(key));
    if (kept(key) !== null && saved >= min && saved <= max) S.settings[key] = saved;
    const input = S.make("input", { id, type: "range", min, max, step, value: S.settings[key] });
    const output = S.make("output", { for: id }, counted ? input.value : "");
    input.addEventListener("input", () => {
      S.settings[key] = Number(input.value);
      if (counted) output.textContent = input.value;
      S.remember(`option.${key}`, input.value);
    });
    const ends = S.make("div", { class: "ends", "aria-hidden": "true" },
      S.make("span", {}, S.t(`options.${key}.low`)), S.make("span", {}, S.t(`options.${key}.high`)));
    return S.make("div", { class: "option" }, S.make("label", { for: id }, S.t(`options.${key}`)), output, input, ends);
  }

  function smooth() {
    const input = S.make("input", { type: "checkbox", "data-option": "smooth" });
    input.checked = S.smooth();
    input.addEventListener("change", () => {
      S.setSmooth(input.checked);
      S.remember("smooth", input.checked ? "yes" : "no");
    });
    return S.make("label", { class: "option check" }, input, S.t("options.smooth"));
  }

  S.onMount(() => {
    Object.assign(S.settings, S.model.settings);
    const advanced = [slider("best_of", { min: 1, max: 16, step: 1, counted: true })];
    if (S.model.guidance !== null) {
      S.settings.guidance = S.model.guidance;
      advanced.push(slider("guidance", { min: 0, max: S.model.most_guidance, step: 0.5 }));
    }
    S.$("#sg-options").append(
      S.make("h2", {}, S.t("options.label")),
      slider("temperature", { min: 0, max: 1, step: 0.05 }),
      slider("count", { min: 1, max: 9, step: 1, counted: true }),
      S.make("details", {}, S.make("summary", {}, S.t("options.advanced")), ...advanced, smooth())
    );
  });
})(Sketchgen);
