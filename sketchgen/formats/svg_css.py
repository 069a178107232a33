"""The style of SVG elements by CSS: style sheets, attributes and inheritance, and what is visible by it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any
from xml.etree.ElementTree import Element

import cssselect2
import tinycss2

from sketchgen.errors import FormatError
from sketchgen.formats.svg_values import INHERITED, Style, is_valid
from sketchgen.formats.svg_xml import local_tag

MAX_CSS = 100_000
"""Maximum number of characters of all style sheets, without comments and embedded fonts."""

MAX_SELECTORS = 2_000
"""Maximum number of selectors of all style sheets."""

MAX_WORK = 360_000
"""Maximum work for all elements, styles, paths, transforms and clip-paths; 1 takes about 3 microseconds."""

_OWN = {
    "display": "inline",
    "opacity": "1",
    "overflow": "hidden",
    "clip-path": "none",
    "transform": "none",
    "transform-origin": "0 0",
    "transform-box": "view-box",
    "translate": "none",
    "rotate": "none",
    "scale": "none",
}
GEOMETRY = frozenset({"d", "x", "y", "width", "height", "cx", "cy", "r", "rx", "ry"})
"""Attributes that a style may set."""

_KNOWN = frozenset({*INHERITED, *_OWN, *GEOMETRY})
_ATTRIBUTES = _KNOWN - GEOMETRY - {"transform", "translate", "rotate", "scale"}

ATTRIBUTE = "transform attribute"
"""Key of the transform that is an attribute: its syntax is not that of CSS."""

_TRANSIENT = GEOMETRY | {ATTRIBUTE}
_Declaration = tuple[str, str, bool]
"""A property, its value, and whether it is important."""

_TOKENS = frozenset("\"'\\/{}[]@!<")
_VAR = re.compile(r"var\(\s*(--[\w-]+)\s*(?:,([^()]*(?:\([^()]*\)[^()]*)*))?\)")
_DATA = re.compile(r"/\*|url\(\s*[\"']?data:", re.IGNORECASE)
_MEDIA = ("", "all", "screen", "only screen", "only all")
_TRUE = re.compile(
    r"prefers-color-scheme:\s*light|prefers-reduced-motion:\s*no-preference|min-(width|height|resolution):.*"
)


class Budget:
    """Counts work, and ends it with an error before it takes long."""

    def __init__(self) -> None:
        self.left = MAX_WORK

    def spend(self, count: int) -> None:
        """Count some work."""
        self.left -= count
        if self.left < 0:
            raise FormatError("it would take too long to read; simplify the drawing or split it")


class _Node(cssselect2.ElementWrapper):
    """An element as selectors see it; every look at its relatives is counted."""

    budget: Budget

    @property
    def ancestors(self) -> Any:
        """The ancestors, outermost first."""
        found = super().ancestors
        self.budget.spend(len(found))
        return found

    @property
    def previous_siblings(self) -> Any:
        """The siblings before; not kept, as they would fill the memory."""
        node = self.previous
        while node is not None:
            self.budget.spend(1)
            yield node
            node = node.previous

    @property
    def etree_siblings(self) -> Any:
        """The children of the parent."""
        self.budget.spend(len(self._siblings))
        return self._siblings

    @etree_siblings.setter
    def etree_siblings(self, siblings: Any) -> None:
        self._siblings = siblings

    def iter_children(self) -> Iterator[Any]:  # pyright: ignore[reportIncompatibleMethodOverride]
        """Yield the children."""
        for child in super().iter_children():
            # Each is made anew.
            self.budget.spend(20)
            yield child


class _Matcher(cssselect2.Matcher):
    """A matcher that counts its tests."""

    def __init__(self, budget: Budget) -> None:
        super().__init__()
        self._budget = budget

    def add_relevant_selectors(self, element: Any, selectors: Any, relevant_selectors: Any) -> None:  # type: ignore[override]
        """Add the selectors that match an element."""
        self._budget.spend(len(selectors))
        super().add_relevant_selectors(element, selectors, relevant_selectors)


class Cascade:
    """What the style sheets, attributes and `style` of each element declare."""

    def __init__(self, root: Element) -> None:
        """Parse the style sheets of a file, and match them to its elements."""
        budget = self.budget = Budget()
        self._left = MAX_CSS
        self._functions: set[str] = set()
        self._matched: dict[Element, dict[Element, list[_Declaration]]] = {}
        self._parsed: dict[str, list[_Declaration]] = {"": []}
        self._declared: dict[tuple[Element, Element], dict[str, str]] = {}
        sheets = [each for each in root.iter() if local_tag(each) == "style" and _is_css(each)]
        matcher = _Matcher(budget)
        for sheet in sheets:
            for selectors, declarations in self._rules(_without_data(sheet.text or "")):
                for selector in selectors:
                    matcher.add_selector(selector, declarations)
                if matcher.order > MAX_SELECTORS:
                    raise FormatError(f"more than {MAX_SELECTORS} selectors in its style sheet; simplify it")
        self._matcher = matcher if matcher.order else None
        # A class of its own, since the library makes the nodes.
        self._node: Any = type("_Counted", (_Node,), {"budget": budget})
        self._root = root

    def _match(self, scope: Element) -> dict[Element, list[_Declaration]]:
        """Return what the style sheets declare for the elements of a tree.

        Args:
            scope: the root of the file, or the target of a use, whose copy knows nothing of its parents.
        """
        if (found := self._matched.get(scope)) is None:
            found = self._matched[scope] = {}
            if self._matcher is not None:
                how = {"parent": None, "index": 0, "previous": None, "in_html_document": False}
                if scope is not self._root:
                    how["parent"] = self._node(Element("use"), **how)
                for node in self._node(scope, **how).iter_subtree():
                    rows = [
                        row
                        for *_, pseudo, rows in self._matcher.match(node)
                        if pseudo is None
                        for row in rows
                    ]
                    if rows:
                        found[node.etree_element] = rows
        return found

    def _rules(self, text: str) -> Iterator[tuple[list[Any], list[_Declaration]]]:
        """Yield the selectors and declarations of the rules that apply to a screen."""
        self._spend(text)
        rules = tinycss2.parse_stylesheet(text, skip_comments=True, skip_whitespace=True)
        stack = [iter(rules)]
        while stack:
            rule = next(stack[-1], None)
            if rule is None:
                stack.pop()
            elif rule.type == "qualified-rule":
                declarations = _declarations(rule.content)
                if declarations and (selectors := _selectors(rule.prelude)):
                    yield selectors, declarations
            elif rule.type == "at-rule" and rule.content is not None and len(stack) < 8 and _applies(rule):
                stack.append(iter(tinycss2.parse_rule_list(rule.content, True, True)))

    def _spend(self, text: str) -> None:
        """Count characters of CSS."""
        self._left -= len(text)
        self.budget.spend(len(text))
        if self._left < 0:
            raise FormatError(f"more than {MAX_CSS} characters of CSS; simplify its style sheet")

    def _inline(self, text: str) -> list[_Declaration]:
        """Return the declarations of a `style` attribute."""
        if (found := self._parsed.get(text)) is None:
            self.budget.spend(len(text) // 8)
            found = _plain_declarations(text)
            if found is None:
                self._spend(text)
                parsed = tinycss2.parse_blocks_contents(text, skip_comments=True, skip_whitespace=True)
                found = _declarations_of(parsed)
            self._parsed[text] = found
        return found

    def style(self, element: Element, parent: Style, scope: Element | None = None) -> dict[str, str]:
        """Return the computed style of an element.

        Args:
            element: the element.
            parent: the style of what it inherits from.
            scope: what a use refers to, if the element is in its copy.
        """
        scope = self._root if scope is None else scope
        self.budget.spend(len(parent) // 40)
        style = {**parent, **_OWN}
        for name in _TRANSIENT.intersection(parent):
            del style[name]
        if (own := self._declared.get((scope, element))) is None:
            own = self._declared[scope, element] = self._own(element, scope)
        for name, value in own.items():
            _set(style, name, value, parent, self.budget)
        return style

    def _own(self, element: Element, scope: Element) -> dict[str, str]:
        """Return what is declared for an element: by attributes, rules, its `style`, and important ones."""
        own = {
            name: value for name, value in element.items() if name in _ATTRIBUTES and is_valid(name, value)
        }
        if (value := element.get("transform")) is not None:
            own[ATTRIBUTE] = value
        rows = [*self._match(scope).get(element, ()), *self._inline(element.get("style", ""))]
        for level in (False, True):
            own |= {name: value for name, value, important in rows if important is level}
        # Colours by functions are costly, each once.
        if new := {value for value in own.values() if "(" in value} - self._functions:
            self._functions |= new
            self.budget.spend(25 * len(new))
        if "transform" in own:
            own.pop(ATTRIBUTE, None)
        # Others refer to variables.
        return dict(sorted(own.items(), key=lambda item: not item[0].startswith("--"))) if rows else own


def _set(style: dict[str, str], name: str, value: str, parent: Style, budget: Budget) -> None:
    """Set a declared value."""
    first = INHERITED.get(name) or _OWN.get(name)
    if "var(" in value:
        value = _substituted(value, style, budget)
        if not is_valid(name, value):
            value = "unset"
    word = value.strip().lower()
    if word == "inherit" or (word in ("unset", "revert", "revert-layer") and name in INHERITED):
        value = parent.get(name, first or "")
    elif word in ("initial", "unset", "revert", "revert-layer"):
        value = first or ""
    if value or first is not None:
        style[name] = value


def _substituted(value: str, style: Style, budget: Budget) -> str:
    """Return a value with its variables replaced."""
    for _ in range(8):
        budget.spend(10 + len(value) // 10)
        changed = _VAR.sub(lambda match: style.get(match[1], match[2] or "").strip()[:1000], value[:4000])
        if changed == value:
            break
        value = changed
    return value


def _is_css(element: Element) -> bool:
    """Return whether a style sheet is CSS and made for screens."""
    kind, media = element.get("type", "").strip().lower(), element.get("media", "")
    return kind in ("", "text/css") and _media_applies(media)


def _without_data(text: str) -> str:
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


def _media_applies(text: str) -> bool:
    """Return whether a media query is true for a screen with light colours."""
    return any(_query_applies(query) for query in text.lower().split(","))


def _query_applies(query: str) -> bool:
    kind, *conditions = [
        part.strip() for part in query.replace("(", " and (").split(" and ") if part.strip()
    ] or [""]
    if kind.startswith("("):
        kind, conditions = "", [kind, *conditions]
    negated = kind.startswith("not ") and kind.removeprefix("not ").strip()
    if negated:
        return negated not in _MEDIA
    return kind in _MEDIA and all(_TRUE.fullmatch(each.strip("() ")) for each in conditions)


def _applies(rule: Any) -> bool:
    """Return whether the content of an at-rule applies."""
    if rule.lower_at_keyword == "media":
        return _media_applies(tinycss2.serialize(rule.prelude))
    if rule.lower_at_keyword == "supports":
        return "not" not in tinycss2.serialize(rule.prelude).lower().split()
    return rule.lower_at_keyword == "layer"


def _selectors(prelude: Any) -> list[Any]:
    """Return the selectors of a rule; none if one of them is unknown, as in CSS."""
    try:
        return cssselect2.compile_selector_list(prelude) if len(prelude) < 400 else []
    except (
        cssselect2.SelectorError,
        NotImplementedError,
        SyntaxError,
        ValueError,
        RecursionError,
        MemoryError,
    ):
        return []


def _declarations(content: Any) -> list[_Declaration]:
    """Return the declarations in the block of a rule."""
    return _declarations_of(tinycss2.parse_blocks_contents(content, skip_comments=True, skip_whitespace=True))


def _declarations_of(parsed: Iterable[Any]) -> list[_Declaration]:
    """Return the valid declarations that matter here."""
    rows = (
        (
            each.name if each.name.startswith("--") else each.lower_name,
            tinycss2.serialize(each.value).strip(),
            each.important,
        )
        for each in parsed
        if each.type == "declaration" and (each.lower_name in _KNOWN or each.name.startswith("--"))
    )
    return [row for row in rows if is_valid(row[0], row[1])]


def _plain_declarations(text: str) -> list[_Declaration] | None:
    """Return declarations without strings, comments and escapes, much faster; None if there are any."""
    if _TOKENS.intersection(text):
        return None
    rows: list[_Declaration] = []
    for part in text.split(";"):
        if part.count("(") != part.count(")"):
            return None
        name, _, value = part.partition(":")
        name, value = name.strip().lower(), value.strip()
        if (name in _KNOWN or name.startswith("--")) and is_valid(name, value):
            rows.append((name, value, False))
    return rows
