// What a visitor reads: every text of the page comes from a file of words/, one for each language.
"use strict";

(function (S) {
  // S.WORDS is {en: {"area.name": text, ...}, ...}, from words/*.json; page.py puts it in front of all scripts.

  function chosen() {
    let wanted = null;
    try { wanted = localStorage.getItem("sketchgen.language"); } catch { /* as the browser says */ }
    const known = (name) => S.WORDS[name] && name;
    return [wanted, ...navigator.languages].map((name) => name && (known(name) || known(name.split("-")[0]))).find(Boolean);
  }

  S.language = chosen() || "en";
  const plural = new Intl.PluralRules(S.language);

  // The text of a key; {name} in it stands for a value. With a `count`, "key.one" and "key.other" are looked up.
  S.t = function (key, values = {}) {
    const find = (name) => (S.WORDS[S.language] || {})[name] ?? S.WORDS.en[name];
    const counted = "count" in values ? find(`${key}.${plural.select(values.count)}`) ?? find(`${key}.other`) : null;
    return (counted ?? find(key) ?? key).replace(/\{(\w+)\}/g, (whole, name) => values[name] ?? whole);
  };

  const percent = new Intl.NumberFormat(S.language, { style: "percent" });
  S.percent = (share) => percent.format(share);

  // Writes the texts of elements that name a key: data-t for the text, data-label for name and tooltip.
  S.translate = function (root) {
    for (const element of root.querySelectorAll("[data-t]")) element.textContent = S.t(element.dataset.t);
    for (const element of root.querySelectorAll("[data-label]")) S.label(element, S.t(element.dataset.label));
  };

  // Names an element for screen readers; buttons and links show it as a tooltip, with their key.
  S.label = function (element, text) {
    element.setAttribute("aria-label", text);
    const keys = element.dataset.keys;
    if (keys) element.setAttribute("aria-keyshortcuts", keys.replace("Ctrl", "Control"));
    if (element.matches("button, a")) element.title = keys ? `${text} (${keys})` : text;
  };
})(Sketchgen);
