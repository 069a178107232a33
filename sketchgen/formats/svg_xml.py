"""Parse the text of an SVG file into elements: nothing is expanded, fetched, or kept that is not needed."""

from __future__ import annotations

import codecs
import re
from typing import Any
from xml.etree.ElementTree import Element, ParseError, TreeBuilder

from defusedxml import ElementTree
from defusedxml.common import DefusedXmlException

from sketchgen.errors import FormatError
from sketchgen.sketch.files import MAX_BYTES

MAX_ELEMENTS = 10_000
"""Maximum number of elements, each use of a definition counted."""

MAX_ATTRIBUTES = 300_000
"""Maximum number of attributes of all elements."""

MAX_NESTING = 256
"""Maximum depth of elements, drawn or not."""

_MAX_DECLARED = 40
"""Maximum number of namespaces that a DOCTYPE declares."""

_MAX_REFERENCES = 10_000
"""Maximum number of references in a file that declares entities."""

_HREFS = ("href", "{http://www.w3.org/1999/xlink}href")
_NAMESPACE = re.compile(r"(?:https?://|urn:)[^\s&%<>\"']{1,200}")
_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
    (b"<\0", "utf-16-le"),
    (b"\0<", "utf-16-be"),
)
_ENCODING = re.compile(rb"""<\?xml[^>]{0,200}?\sencoding\s{0,9}=\s{0,9}["']([\w.:-]{1,40})""")


class _Builder(TreeBuilder):
    """Builds elements within limits; of their texts only style sheets are kept."""

    def __init__(self) -> None:
        super().__init__()
        self._count = self._depth = 0
        self._keeps = self._prefixed = False

    def start(self, tag: Any, attrs: Any, /) -> Element:
        """Open an element."""
        self._count += 1
        self._depth += 1
        if self._count > MAX_ELEMENTS:
            raise FormatError(f"more than {MAX_ELEMENTS} elements; simplify the drawing")
        if self._depth > MAX_NESTING:
            raise FormatError(f"elements nested more than {MAX_NESTING} deep; ungroup the drawing")
        if self._count == 1:
            self._prefixed = tag.startswith("{")
        elif self._prefixed and not tag.startswith("{"):
            # Of no namespace, and so nothing that browsers draw.
            tag = "{}" + tag
        self._keeps = tag.endswith("style")
        return super().start(tag, attrs)

    def data(self, data: Any, /) -> None:
        """Keep the text of a style sheet."""
        if self._keeps:
            super().data(data)

    def end(self, tag: Any, /) -> Element:
        """Close an element."""
        self._depth -= 1
        self._keeps = False
        return super().end(tag if tag.startswith("{") or not self._prefixed else "{}" + tag)


class _Parser(ElementTree.DefusedXMLParser):
    """A parser that allows a DOCTYPE to name a DTD, which is never fetched, and to declare namespaces.

    Illustrator declares them as entities, KanjiVG as fixed attributes. Whatever else could expand is refused:
    other entities, and defaults of other attributes.
    """

    def __init__(self) -> None:
        super().__init__(target=_Builder())
        self._declared = 0
        self.parser.AttlistDeclHandler = self._attribute

    def defused_entity_decl(  # pyright: ignore[reportIncompatibleMethodOverride]
        self, name: str, is_parameter_entity: bool | int, value: Any, base: Any, *ids: Any
    ) -> None:
        """Handle an entity; called by expat."""
        if is_parameter_entity or any(ids) or not self._is_namespace(value):
            super().defused_entity_decl(name, bool(is_parameter_entity), value, base, *ids)

    def _attribute(self, _element: str, name: str, _kind: str, default: str | None, _required: int) -> None:
        """Handle a declared attribute; called by expat."""
        if default is not None and not (name.startswith("xmlns") and self._is_namespace(default)):
            super().defused_start_doctype_decl(name, None, None, True)

    def _is_namespace(self, value: str | None) -> bool:
        """Return whether a declared value names a namespace, and count it."""
        self._declared += 1
        return self._declared <= _MAX_DECLARED and bool(_NAMESPACE.fullmatch(value or ""))

    @property
    def declares(self) -> bool:
        """Whether the file declares namespaces in its DOCTYPE."""
        return self._declared > 0


def parse_xml(text: str | bytes, name: str) -> Element:
    """Return the root element of an SVG text.

    Args:
        text: in UTF-8, UTF-16, UTF-32 with a byte order mark, or the encoding that it declares.
        name: what errors call it.

    Raises:
        FormatError: empty, too large, not well-formed, not SVG; a DOCTYPE that declares more than namespaces.
    """
    if len(text) > MAX_BYTES:
        raise FormatError(f"{name} is larger than {MAX_BYTES // 2**20} MB; simplify the drawing")
    text = (
        (decoded(text, name) if isinstance(text, bytes) else text).lstrip("\ufeff \t\r\n").rstrip("\0 \r\n")
    )
    if not text:
        raise FormatError(f"{name} is empty")
    if text.count("=") > MAX_ATTRIBUTES:
        raise FormatError(f"{name} has more than {MAX_ATTRIBUTES} attributes; simplify the drawing")
    # Comments count, too: each costs a call.
    if text.count("<") > 8 * MAX_ELEMENTS:
        raise FormatError(f"{name} has more than {MAX_ELEMENTS} elements; simplify the drawing")
    references = text.count("&")
    try:
        parser = _Parser()
        # The DOCTYPE comes first: what it declares is known before anything refers to it.
        head = text.find("<svg") + 1
        parser.feed(text[:head])
        if parser.declares and references > _MAX_REFERENCES:
            raise FormatError(f"more than {_MAX_REFERENCES} references to entities; save it without")
        parser.feed(text[head:])
        root = parser.close()
    except FormatError as error:
        raise FormatError(f"{name}: {error}") from error
    except DefusedXmlException as error:
        raise FormatError(
            f"{name} declares entities or a DTD of its own in its DOCTYPE, which is refused; save it without"
        ) from error
    except (ParseError, ValueError, LookupError, RecursionError) as error:
        raise FormatError(f"{name} is not SVG: {' '.join(str(error).split())[:80]}") from error
    if local_tag(root) != "svg":
        raise FormatError(f"{name} is not SVG: its root element is <{local_tag(root)[:40]}>")
    return root


def decoded(data: bytes, name: str) -> str:
    """Return the text of a file: by its byte order mark, its first character, or its XML declaration."""
    encoding = next((encoding for mark, encoding in _MARKS if data.startswith(mark)), None)
    if encoding is None:
        found = _ENCODING.match(data.lstrip()[:300])
        encoding = found[1].decode("ascii") if found else "utf-8"
        # It was UTF-16 once, and some program has saved it anew.
        encoding = "utf-8" if encoding.lower().startswith(("utf-16", "ucs-2", "iso-10646")) else encoding
    try:
        return data.decode(encoding)
    except (UnicodeError, LookupError) as error:
        raise FormatError(f"{name} is not SVG: it is no text in {encoding[:40]}; save it as UTF-8") from error


def local_tag(element: Element) -> str:
    """Return the local name of an SVG element; "" for comments and elements of other namespaces."""
    tag = element.tag
    if not isinstance(tag, str):
        return ""
    space, _, local = tag.rpartition("}")
    return local if not space or "w3.org/2000/svg" in space else ""


def holds(element: Element) -> bool:
    """Return whether the conditions of an element hold for a browser that speaks English."""
    extensions, languages = element.get("requiredExtensions"), element.get("systemLanguage")
    if extensions is not None:
        return False
    if languages is None:
        return True
    return any(each.strip().lower().split("-")[0] == "en" for each in languages.split(","))


def href(element: Element) -> str:
    """Return the id that an element refers to; "" for something outside the file."""
    text = next((value for key in _HREFS if (value := element.get(key))), "")
    return text[1:] if text.startswith("#") else ""
