// Search over the names of the categories, in many languages and emoji. Pure functions; the page is elsewhere.
"use strict";

(function (S) {
  // Without case, accents, hyphens and emoji's selectors, in hiragana where it is in katakana.
  S.fold = function (text) {
    return text.toLowerCase().replace(/ß/g, "ss").replace(/œ/g, "oe").normalize("NFKD")
      .replace(/[\u0300-\u036f\ufe0f]|[\u{1f3fb}-\u{1f3ff}]/gu, "").normalize("NFC")
      .replace(/[\u30a1-\u30f6]/g, (kana) => String.fromCharCode(kana.charCodeAt(0) - 0x60))
      .replace(/[-_.,·・’'"!?\s]+/g, " ").trim();
  };

  // How words end in the plural, and in the singular instead.
  const ENDINGS = {
    en: [["s", ""], ["es", ""], ["ies", "y"], ["ves", "f"], ["ves", "fe"], ["men", "man"]],
    de: [["n", ""], ["en", ""], ["e", ""], ["er", ""], ["s", ""], ["se", ""]],
    fr: [["s", ""], ["x", ""], ["aux", "al"]],
    es: [["s", ""], ["es", ""], ["ces", "z"]],
    it: [["i", "o"], ["i", "e"], ["i", "a"], ["e", "a"], ["chi", "co"], ["che", "ca"]],
    pt: [["s", ""], ["es", ""], ["oes", "ao"], ["aes", "ao"], ["is", "l"], ["ns", "m"]],
  };

  const singulars = (text, language) => (ENDINGS[language] || [])
    .filter(([ending]) => text.length > ending.length + 1 && text.endsWith(ending))
    .map(([ending, other]) => text.slice(0, -ending.length) + other);

  // Letters to add, drop, replace or swap with the next to come from one text to another: the distance of
  // Damerau and Levenshtein without repeated edits.
  S.editDistance = function (from, to) {
    const a = [...from], b = [...to];
    let before = [], last = [], row = b.map((_, j) => j);
    row.push(b.length);
    for (let i = 1; i <= a.length; i++) {
      [before, last, row] = [last, row, [i]];
      for (let j = 1; j <= b.length; j++) {
        const same = a[i - 1] === b[j - 1];
        row[j] = Math.min(last[j] + 1, row[j - 1] + 1, last[j - 1] + (same ? 0 : 1));
        if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) row[j] = Math.min(row[j], before[j - 2] + 1);
      }
    }
    return row[b.length];
  };

  // Typing errors that are taken for such in a word of so many letters.
  const forgiven = (length) => (length < 3 ? 0 : length < 6 ? 1 : 2);

  // Share of wrong letters from which a word is not even near.
  const UNLIKE = 0.7;

  // Scripts in which one letter says as much as several of ours.
  const dense = (text) => /[\u3040-\u30ff\u4e00-\u9fff]|\p{Extended_Pictographic}/u.test(text);

  const EXACT = 0, PLURAL = 1, START = 2, WORD = 3, WITHIN = 4, NOT = 9;

  // How well a word of the table answers what was typed.
  function match(word, query, joined) {
    if (word.text === query || word.joined === joined) return EXACT;
    if (singulars(query, word.language).includes(word.text)) return PLURAL;
    // Of a language that is not the visitor's, a few letters mean nothing.
    const enough = query.length > 3 || dense(query);
    if (word.foreign && !enough) return NOT;
    if (word.text.startsWith(query) || word.joined.startsWith(joined)) return START;
    if (word.foreign && !dense(query)) return NOT;
    if (word.text.includes(` ${query}`)) return WORD;
    if (enough && word.text.includes(query)) return WITHIN;
    return NOT;
  }

  // The names of the categories for a visitor.
  S.Names = class {
    // table: {category: {emoji: [...], en: [...], de: [...], ...}}, the usual name first; a category that is not
    // Quick, Draw!'s has an empty entry. languages: the visitor's, such as ["de-AT", "en"], the first one first.
    constructor(table, languages) {
      this.table = table;
      const own = [...new Set(languages.map((name) => name.toLowerCase().split("-")[0]))];
      this.language = own[0] || "en";
      this.words = [];
      for (const [category, entry] of Object.entries(table)) {
        for (const [language, names] of Object.entries({ ...entry, en: entry.en || [category] })) {
          const place = own.indexOf(language), foreign = place < 0 && language !== "en" && language !== "emoji";
          names.forEach((name, rank) => {
            const texts = [S.fold(name)];
            // German without the keys for it.
            if (/[äöü]/i.test(name)) texts.push(S.fold(name.toLowerCase().replace(/[äöü]/g, "$&e")));
            for (const text of texts) {
              // The visitor's usual name, the category's own, and then further ones, the first ones first.
              const mine = place === 0 || language === "emoji", later = rank ? Math.min(rank, 9) : -5;
              const weight = (mine ? 8 : foreign ? 40 : 20) + later - (language === "en" && !rank && !mine ? 10 : 0);
              const joined = text.replace(/ /g, ""), length = [...joined].length;
              this.words.push({ category, name, language, foreign, text, joined, length, weight });
            }
          });
        }
      }
      const order = new Intl.Collator(this.language);
      this.sorted = Object.keys(table).sort((a, b) => order.compare(this.name(a), this.name(b)));
      this.place = new Map(this.sorted.map((category, place) => [category, place]));
    }

    // What a category is called in a language, the visitor's by default; in English where the table has none.
    name(category, language = this.language) {
      const entry = this.table[category] || {};
      return language === "en" ? category : (entry[language] || [category])[0];
    }

    emoji(category) {
      return ((this.table[category] || {}).emoji || [""])[0] || "";
    }

    // Returns {found: [{category, name}], kind}, the best first, `name` being the one that was meant. `kind` is
    // "all" where nothing was typed, "match", "near" for what may be meant by typing errors, "far" for the
    // nearest of what is not meant, and "none".
    search(typed) {
      const query = S.fold(typed);
      if (!query) {
        if (typed.trim()) return { found: [], kind: "none" };
        return { found: this.sorted.map((category) => ({ category, name: this.name(category) })), kind: "all" };
      }
      const joined = query.replace(/ /g, "");
      const found = this.best((word) => {
        const how = match(word, query, joined);
        return how === NOT ? Infinity : 1000 * how + 10 * word.weight + Math.min(word.text.length - query.length, 9);
      });
      return found.length ? { found, kind: "match" } : this.nearest(joined);
    }

    nearest(joined) {
      const length = [...joined].length;
      const errors = (word) => S.editDistance(joined, word.joined);
      // What comes from another language is meant only if nothing else is.
      for (const foreign of [false, true]) {
        const near = this.best((word) => {
          if (word.foreign !== foreign || Math.abs(word.length - length) > forgiven(length)) return Infinity;
          const found = errors(word);
          return found > forgiven(length) ? Infinity : 1000 * found + word.weight;
        });
        if (near.length) return { found: near.slice(0, 6), kind: "near" };
      }
      const far = this.best((word) => {
        if (word.foreign || word.language === "emoji") return Infinity;
        const share = errors(word) / Math.max(length, word.length);
        return share > UNLIKE ? Infinity : 1000 * share + word.weight;
      });
      return far.length ? { found: far.slice(0, 3), kind: "far" } : { found: [], kind: "none" };
    }

    // The categories by their best word, where `cost` is finite.
    best(cost) {
      const least = new Map();
      for (const word of this.words) {
        const now = cost(word), before = least.get(word.category);
        if (now < (before ? before.cost : Infinity)) least.set(word.category, { cost: now, word });
      }
      return [...least]
        .sort(([a, x], [b, y]) => x.cost - y.cost || this.place.get(a) - this.place.get(b))
        .map(([category, { word }]) => ({ category, name: word.name }));
    }
  };
})(Sketchgen);
