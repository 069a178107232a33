"""The style of SVG elements by CSS: style sheets, attributes and inheritance, and what is visible by it."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from typing import Any
from xml.etree.ElementTree import Element

import cssselect2
import tinycss2

from sketchgen.errors import FormatError
from sketchgen.formats.svg_rules import (
    Declaration,
    LayerName,
    Rule,
    declarations_of,
    media_applies,
    plain_declarations,
    rules,
    without_data,
)
from sketchgen.formats.svg_transform import FONT, length
from sketchgen.formats.svg_values import FONT_SIZES, GEOMETRY, INHERITED, KNOWN, OWN, Style, is_valid
from sketchgen.formats.svg_xml import local_tag

MAX_CSS = 100_000
"""Maximum number of characters of all style sheets, without comments and embedded fonts."""

MAX_SELECTORS = 2_000
"""Maximum number of selectors of all style sheets."""

MAX_WORK = 380_000
"""Maximum work for all elements, styles, paths, transforms and clip-paths; 1 takes about 3 microseconds."""

ATTRIBUTE = "transform attribute"
"""Key of the transform that is an attribute: its syntax is not that of CSS."""

_ATTRIBUTES = KNOWN - GEOMETRY - {"transform", "translate", "rotate", "scale"}
_TRANSIENT = GEOMETRY | {ATTRIBUTE}
_VAR = re.compile(r"var\(\s*(--[\w-]+)\s*(?:,([^()]*(?:\([^()]*\)[^()]*)*))?\)")


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
        self._matched: dict[Element, dict[Element, list[Declaration]]] = {}
        self._parsed: dict[str, list[Declaration]] = {"": []}
        self._declared: dict[tuple[Element, Element], dict[str, str]] = {}
        self._layers: dict[LayerName, int] = {}
        sheets = [each for each in root.iter() if local_tag(each) == "style" and _is_css(each)]
        matcher = _Matcher(budget)
        for sheet in sheets:
            for selectors, rule in self._rules(sheet.text or ""):
                for selector in selectors:
                    matcher.add_selector(selector, rule)
                if matcher.order > MAX_SELECTORS:
                    raise FormatError(f"more than {MAX_SELECTORS} selectors in its style sheet; simplify it")
        self._matcher = matcher if matcher.order else None
        # A class of its own, since the library makes the nodes.
        self._node: Any = type("_Counted", (_Node,), {"budget": budget})
        self._root = root

    def _match(self, scope: Element) -> dict[Element, list[Declaration]]:
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
                    matched = [rule for *_, pseudo, rule in self._matcher.match(node) if pseudo is None]
                    self.budget.spend(sum(len(rows) for _, rows in matched) // 8)
                    if matched:
                        found[node.etree_element] = self._by_layers(matched)
        return found

    def _by_layers(self, matched: list[Rule]) -> list[Declaration]:
        """Return the declarations of rules in ascending order; of important ones the first layer wins."""
        if not self._layers:
            return [row for _, rows in matched for row in rows]

        def place(rule: Rule) -> list[float]:
            layer = rule[0]
            return [*(self._layers[layer[: end + 1]] for end in range(len(layer))), math.inf]

        upwards = sorted(matched, key=place)
        downwards = sorted(matched, key=lambda rule: [-each for each in place(rule)])
        found = [row for _, rows in upwards for row in rows if not row[2]]
        return found + [row for _, rows in downwards for row in rows if row[2]]

    def _rules(self, text: str) -> Iterator[tuple[list[Any], Rule]]:
        """Yield the selectors and declarations of a style sheet."""
        text = without_data(text)
        self._spend(text)
        return rules(text, self._layers)

    def _spend(self, text: str) -> None:
        """Count characters of CSS."""
        self._left -= len(text)
        self.budget.spend(len(text))
        if self._left < 0:
            raise FormatError(f"more than {MAX_CSS} characters of CSS; simplify its style sheet")

    def _inline(self, text: str) -> list[Declaration]:
        """Return the declarations of a `style` attribute."""
        if (found := self._parsed.get(text)) is None:
            self.budget.spend(len(text) // 8)
            found = plain_declarations(text)
            if found is None:
                self._spend(text)
                parsed = tinycss2.parse_blocks_contents(text, skip_comments=True, skip_whitespace=True)
                found = declarations_of(parsed)
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
        style = {**parent, **OWN}
        for name in _TRANSIENT.intersection(parent):
            del style[name]
        if (own := self._declared.get((scope, element))) is None:
            own = self._declared[scope, element] = self._own(element, scope)
        # Variables come first, and refer to each other in any order.
        if own and next(iter(own)).startswith("--"):
            style |= {name: value for name, value in own.items() if name.startswith("--")}
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
    first = INHERITED.get(name) or OWN.get(name)
    if "var(" in value:
        value = _substituted(value, style, budget)
        if not is_valid(name, value):
            value = "unset"
    word = value.strip().lower()
    if word == "inherit" or (word in ("unset", "revert", "revert-layer") and name in INHERITED):
        value = parent.get(name, first or "")
    elif word in ("initial", "unset", "revert", "revert-layer"):
        value = first or ""
    if name == "font-size":
        value = _font_size(value, float(parent[name]))
    if value or first is not None:
        style[name] = value


def _font_size(text: str, outer: float) -> str:
    """Return a font size in px, given that of the parent."""
    text = FONT_SIZES.get(text.strip().lower(), text)
    return repr(max(length(text, outer, lambda fault: None, outer, (outer, FONT[1])), 0.0))


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
    return kind in ("", "text/css") and media_applies(media)
