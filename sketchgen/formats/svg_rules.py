"""The rules of style sheets: which apply to a screen, their selectors, layers and declarations."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import cssselect2
import tinycss2

from sketchgen.formats.svg_transform import length
from sketchgen.formats.svg_values import CSS_WIDE, KNOWN, is_valid

Declaration = tuple[str, str, bool]
"""A property, its value, and whether it is important."""

LayerName = tuple[str, ...]
"""The names of a cascade layer and of those around it, outermost first."""

Rule = tuple[LayerName, list[Declaration]]
"""The layer of a rule, () for none, and what it declares."""

_MAX_NESTED = 4_000
"""Maximum number of characters of selectors of nested rules, written out."""

_MAX_MEDIA = 10_000
"""Maximum number of characters of a list of media queries; the rest does not count."""

_TOKENS = frozenset("\"'\\/{}[]@!<")
_READ = KNOWN | {"all", "font"}
_FONT = re.compile(r"(?:^|\s)([\d.]{1,20}(?:[a-z]{2,3}|%))(?=[\s/])")
_DATA = re.compile(r"/\*|url\(\s*[\"']?data:", re.IGNORECASE)
_FEATURES = {
    "prefers-color-scheme": "light",
    "prefers-reduced-motion": "no-preference",
    "orientation": "landscape",
    "hover": "hover",
    "pointer": "fine",
}
_WINDOW = {"width": 1280.0, "height": 800.0}
"""Size that media queries are told, px."""

_COMPARED = re.compile(
    r"(?:(?P<low>[^<>=]+?)\s*(?P<above>[<>]=?)\s*)?(?P<side>width|height)\s*(?:(?P<below>[<>]=?)\s*(?P<high>[^<>=]+))?"
)


def rules(text: str, layers: dict[LayerName, int]) -> Iterator[tuple[list[Any], Rule]]:
    """Yield selectors and declarations of the rules that apply to a screen; `layers` notes their order."""
    namespaces: dict[str | None, str] = {}
    parsed = tinycss2.parse_stylesheet(text, skip_comments=True, skip_whitespace=True)
    stack: list[tuple[Iterator[Any], list[Any], LayerName]] = [(iter(parsed), [], ())]
    while stack:
        nodes, outer, layer = stack[-1]
        rule = next(nodes, None)
        if rule is None:
            stack.pop()
        elif rule.type not in ("at-rule", "qualified-rule"):
            continue
        elif rule.content is None:
            namespaces |= _namespace(rule)
            for name in _layer_names(rule)[:100]:
                _layer(layers, layer, name)
        elif len(stack) < 8 and _applies(rule):
            outer = _nested(rule.prelude, outer) if rule.type == "qualified-rule" else outer
            for name in _layer_names(rule)[:1]:
                layer = _layer(layers, layer, name)
            parse = tinycss2.parse_blocks_contents if outer else tinycss2.parse_rule_list
            content = parse(rule.content, skip_comments=True, skip_whitespace=True)
            if outer and (declarations := declarations_of(content)):
                yield _selectors(outer, namespaces), (layer, declarations)
            stack.append((iter(content), outer, layer))


def _layer_names(rule: Any) -> list[str]:
    """Return the names in a rule of layers; none for other rules."""
    if rule.type == "qualified-rule" or rule.lower_at_keyword != "layer":
        return []
    return [name.strip() for name in tinycss2.serialize(rule.prelude).split(",")]


def _layer(layers: dict[LayerName, int], outer: LayerName, name: str) -> LayerName:
    """Return the name of a layer in a layer, and note the order of names; "" for one without a name."""
    layer = (*outer, *(name.split(".")[:8] if name else [f" {len(layers)}"]))
    for end in range(len(layer)):
        layers.setdefault(layer[: end + 1], len(layers))
    return layer


def media_applies(text: str) -> bool:
    """Return whether a media query is true for a screen with light colours."""
    texts = text[:_MAX_MEDIA].lower().split(",")
    queries = [tinycss2.parse_component_value_list(each, True) for each in texts]
    return any(_is_true(query, _is_shown) for query in queries)


def _applies(rule: Any) -> bool:
    """Return whether the content of a rule applies."""
    if rule.type == "qualified-rule" or rule.lower_at_keyword == "layer":
        return True
    if rule.lower_at_keyword == "media":
        return media_applies(tinycss2.serialize(rule.prelude))
    return rule.lower_at_keyword == "supports" and _is_true(rule.prelude, _is_supported)


def _is_true(tokens: Iterable[Any], test: Callable[[Any], bool]) -> bool:
    """Return whether a condition of `not`, `and`, `or` and brackets is true; `test` decides on its parts."""
    found, negated, either = True, False, False
    for token in tokens:
        if token.type in ("whitespace", "comment"):
            continue
        word = token.lower_value if token.type == "ident" else ""
        if word in ("not", "only"):
            negated |= word == "not"
        elif word in ("and", "or"):
            either = word == "or"
        else:
            inside = [each for each in getattr(token, "content", ()) if each.type != "whitespace"]
            nested = inside and (inside[0].type == "() block" or inside[0] == "not")
            value = _is_true(inside, test) if nested else test(token)
            found = found or value if either else found and value
    return found != negated


def _is_shown(token: Any) -> bool:
    """Return whether a type of media or a feature is that of a screen."""
    if token.type == "ident":
        return token.lower_value in ("all", "screen")
    if token.type != "() block":
        return False
    name, colon, value = (part.strip() for part in tinycss2.serialize(token.content).lower().partition(":"))
    if len(name) > 100 or len(value) > 100:
        return False
    if name in _FEATURES:
        return not value or value == _FEATURES[name]
    if name == "min-resolution":
        return True
    bound, _, side = name.partition("-")
    if colon and bound in ("min", "max"):
        name = f"{side} {'>=' if bound == 'min' else '<='} {value}"
    match = _COMPARED.fullmatch(name)
    if match is None or (colon and bound == name):
        return False
    size, faults = _WINDOW[match["side"]], list[str]()
    low, high = (length(match[end], size, faults.append, size) for end in ("low", "high"))
    return not faults and _compare(low, match["above"], size) and _compare(size, match["below"], high)


def _compare(one: float, sign: str | None, other: float) -> bool:
    """Return whether a comparison by "<", "<=", ">" or ">=" is true; None always is."""
    return sign is None or (one == other and "=" in sign) or (one < other if "<" in sign else one > other)


def _is_supported(token: Any) -> bool:
    """Return whether browsers know a declaration or a selector."""
    if token.type == "function":
        return token.lower_name == "selector"
    if token.type != "() block":
        return False
    name, _, value = (part.strip() for part in tinycss2.serialize(token.content).lower().partition(":"))
    return is_valid(name, value) and not name.startswith(("-moz-", "-ms-", "-o-"))


def _nested(prelude: list[Any], outer: list[Any]) -> list[Any]:
    """Return the selectors of a rule in the rule of other selectors, which `&` stands for.

    Source: https://www.w3.org/TR/css-nesting-1/
    """
    if not outer:
        return prelude
    parent = f":is({tinycss2.serialize(outer)})"
    texts = [""]
    for part in prelude:
        if part == ",":
            texts.append("")
        else:
            texts[-1] += parent if part == "&" else tinycss2.serialize([part])
    texts = [text if parent in text else f"{parent} {text}" for text in texts]
    text = ",".join(texts)
    return tinycss2.parse_component_value_list(text if len(text) < _MAX_NESTED else "", True)


def _namespace(rule: Any) -> dict[str | None, str]:
    """Return the prefix, None for the default, and the namespace that a rule declares; none for others."""
    names = [each.value for each in rule.prelude if each.type in ("ident", "string", "url")]
    if rule.lower_at_keyword != "namespace" or not names:
        return {}
    return {names[0] if len(names) > 1 else None: names[-1]}


def _selectors(prelude: Any, namespaces: dict[str | None, str]) -> list[Any]:
    """Return the selectors of a rule; none if one of them is unknown, as in CSS."""
    try:
        return cssselect2.compile_selector_list(prelude, namespaces) if len(prelude) < 400 else []
    except (
        cssselect2.SelectorError,
        NotImplementedError,
        SyntaxError,
        ValueError,
        RecursionError,
        MemoryError,
    ):
        return []


def declarations_of(parsed: Iterable[Any]) -> list[Declaration]:
    """Return the valid declarations that matter here."""
    found: list[Declaration] = []
    for each in parsed:
        if each.type == "declaration" and (each.lower_name in _READ or each.name.startswith("--")):
            name = each.name if each.name.startswith("--") else each.lower_name
            _declare(found, name, tinycss2.serialize(each.value).strip(), each.important)
    # Of those that are repeated, the last counts.
    last = {(name, important): value for name, value, important in found}
    return [(name, value, important) for (name, important), value in last.items()]


def _declare(found: list[Declaration], name: str, value: str, important: bool) -> None:
    """Add a declaration if it is valid; `all` stands for every property, of `font` the size counts."""
    if name == "all":
        found += [(each, value, important) for each in KNOWN if value.lower() in CSS_WIDE]
    elif name == "font":
        found += [("font-size", size, important) for size in _FONT.findall(value)[:1]]
    elif is_valid(name, value):
        found.append((name, value, important))


def plain_declarations(text: str) -> list[Declaration] | None:
    """Return declarations without strings, comments and escapes, much faster; None if there are any."""
    if _TOKENS.intersection(text):
        return None
    rows: list[Declaration] = []
    for part in text.split(";"):
        if part.count("(") != part.count(")"):
            return None
        name, _, value = part.partition(":")
        name, value = name.strip().lower(), value.strip()
        if name in _READ or name.startswith("--"):
            _declare(rows, name, value, False)
    return rows


def without_data(text: str) -> str:
    """Return a style sheet without comments and embedded files, which would take long to parse."""
    kept, at = [], 0
    for match in _DATA.finditer(text):
        if match.start() >= at:
            kept.append(text[at : match.start()])
            end = "*/" if match.group() == "/*" else ")"
            at = text.find(end, match.end()) + len(end)
            if at < len(end):
                return "".join(kept)
    return "".join([*kept, text[at:]])
