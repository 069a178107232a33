"""The names of the categories in `datasets/names.json`: complete, clean, and each for one category."""

from __future__ import annotations

import unicodedata
from collections import defaultdict

import pytest

from sketchgen.resources import categories, names, unknown_category

LANGUAGES = ("en", "de", "fr", "es", "it", "pt", "ja", "zh")

SHARED = {
    "emoji": "",
    "en": "bag ball bat bike blade boat building bus cake computer cooker gun lamp lolly palm pen phone "
    "range ship smile sub watch wine",
    "de": "ball becher birne boot bus computer herd kuchen lampe laterne rad rechner schiff schläger see "
    "tasche tasse telefon torte uhr wirbelsturm",
    "fr": "ballon basket bateau bus camionnette casque gâteau lampadaire lampe ordinateur poêle portable sac "
    "tableau tasse téléphone trombone verre",
    "es": "araña balón barco bolsa camioneta escalera hogar mono paleta pelota reloj taza teléfono",
    "it": "barca bicchiere borsa camioncino lampada orologio palla scala tazza telefono torta",
    "pt": "barco bola bolo bolsa carrinha escada lanterna pera relógio serra taco telefone tênis xícara",
    "ja": "アイス くも ケーキ は はな パンツ ボール ランプ ワイン 時計 船 足",
    "zh": "包 球 杯子 灯 电脑 电话 船 蛋糕 雪糕",
}
"""What really means several categories, such as "bat"; everything else means one."""


def folded(name: str) -> str:
    """A name without case, accents, hyphens and spaces, in hiragana where it is in katakana."""
    name = name.casefold().replace("œ", "oe").replace("-", " ")
    apart = unicodedata.normalize("NFD", name)
    plain = "".join(letter for letter in apart if not "\u0300" <= letter <= "\u036f")
    kana = (chr(ord(letter) - 0x60) if "ァ" <= letter <= "ヶ" else letter for letter in plain)
    return unicodedata.normalize("NFC", "".join(kana)).replace(" ", "")


def test_every_category_has_a_name_in_every_language() -> None:
    assert list(names()) == categories()
    for category, entry in names().items():
        assert tuple(entry) == ("emoji", *LANGUAGES)
        assert all(entry[language] for language in LANGUAGES), category
        assert entry["en"][0] == category


@pytest.mark.parametrize("language", ["emoji", *LANGUAGES])
def test_a_name_means_one_category_unless_it_is_known_to_mean_several(language: str) -> None:
    meant: dict[str, list[str]] = defaultdict(list)
    for category, entry in names().items():
        for name in {folded(name) for name in entry[language]}:
            meant[name].append(category)
    shared = {name for name, several in meant.items() if len(several) > 1}
    assert shared == {folded(name) for name in SHARED[language].split()}
    usual = [folded(entry[language][0]) for entry in names().values() if entry[language]]
    assert len(usual) == len(set(usual))


def test_names_are_clean() -> None:
    for category, entry in names().items():
        for language, words in entry.items():
            assert len({folded(word) for word in words}) == len(words), (category, language)
            for word in words:
                assert word == " ".join(word.split()) == unicodedata.normalize("NFC", word)
                assert not set(word) & set(';,|/"()'), word
                # Scripts are not mixed up between the columns.
                wide = any(unicodedata.east_asian_width(letter) in "WF" for letter in word)
                if language in ("ja", "zh"):
                    assert wide or word in ("PC", "UFO", "TV"), (category, word)
                elif language != "emoji":
                    assert not wide, (category, word)
                else:
                    assert not any(letter.isalnum() for letter in word), (category, word)


@pytest.mark.parametrize(
    ("name", "category"),
    [
        ("bike", "bicycle"),
        ("automobile", "car"),
        ("kitty", "cat"),
        ("TV", "television"),
        ("plane", "airplane"),
        ("Fledermaus", "bat"),
        ("marteau", "hammer"),
        ("PÁJARO", "bird"),
        ("coccodrillo", "crocodile"),
        ("maca", "apple"),
        ("ねこ", "cat"),
        ("自行车", "bicycle"),
        ("🚲", "bicycle"),
        ("mona lisa", "The Mona Lisa"),
        ("Teddy bear", "teddy-bear"),
        ("✈", "airplane"),
    ],
)
def test_an_unknown_category_is_known_by_its_other_names(name: str, category: str) -> None:
    assert f"did you mean '{category}'" in str(unknown_category(name, categories()))


def test_the_nearest_names_are_offered() -> None:
    assert str(unknown_category("catt", ["dog", "cat"])) == "no category 'catt'; did you mean 'cat'?"
    assert str(unknown_category("bat", ["baseball bat", "sun"])).endswith("did you mean 'baseball bat'?")
    # A name of its own counts more than another category's synonym.
    assert "'computer'" in str(unknown_category("computerr", ["computer", "laptop"]))
    # Categories that somebody trained on drawings of their own have no other names.
    assert str(unknown_category("mumin", ["moomin"])).endswith("did you mean 'moomin'?")
    assert str(unknown_category("xyz", ["b", "a"])) == "no category 'xyz'; there are 2, from 'a' to 'b'"
    assert str(unknown_category("x" * 99, [])) == f"no category '{'x' * 57}...'; none are known"
