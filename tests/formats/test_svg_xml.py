from __future__ import annotations

import pytest

from sketchgen.errors import FormatError
from sketchgen.formats.svg_xml import MAX_ELEMENTS, local_tag, parse_xml

SVG = '<svg xmlns="http://www.w3.org/2000/svg" id="é"><path/></svg>'
W3C = (
    '<!DOCTYPE svg PUBLIC "-//W3C//DTD SVG 1.1//EN"\n"http://www.w3.org/Graphics/SVG/1.1/DTD/svg11.dtd" [{}]>'
)
KANJI = '<!ATTLIST g xmlns:kvg CDATA #FIXED "http://kanjivg.tagaini.net" kvg:element CDATA #IMPLIED>'


@pytest.mark.parametrize(
    "data",
    [
        SVG,
        "\ufeff" + SVG,
        SVG.encode(),
        SVG.encode("utf-8-sig"),
        SVG.encode("utf-16"),
        SVG.encode("utf-16-le"),
        SVG.encode("utf-16-be"),
        b"\xfe\xff" + (SVG + "\n").encode("utf-16-be"),
        SVG.encode("utf-32"),
        ('<?xml version="1.0" encoding="ISO-8859-1"?>' + SVG).encode("latin-1"),
        ("<?xml version='1.0' encoding='utf-16'?>" + SVG).encode(),
        ("<?xml version='1.0' encoding='UTF-16'?>" + SVG).encode("utf-16-be"),
        "\n<?xml version='1.0' encoding='UTF-16'?>" + SVG,
    ],
)
def test_encodings(data):
    assert parse_xml(data, "x.svg").get("id") == "é"


def test_namespaces_in_a_doctype():
    illustrator = W3C.format(
        '<!ENTITY ns_svg "http://www.w3.org/2000/svg"><!ENTITY ns_ai "http://ns.adobe.com/x/">'
    )
    root = parse_xml(illustrator + '<svg xmlns="&ns_svg;" xmlns:i="&ns_ai;"><i:a/><g/></svg>', "x.svg")
    assert [local_tag(child) for child in root] == ["", "g"]
    (group,) = parse_xml(W3C.format(KANJI) + SVG.replace("<path/>", '<g kvg:element="x"/>'), "x.svg")
    assert group.get("{http://kanjivg.tagaini.net}element") == "x"


@pytest.mark.parametrize(
    "declared",
    [
        '<!ENTITY a "text">',
        '<!ENTITY a "http://x.org/"><!ENTITY b "&a;&a;">',
        '<!ENTITY a "http://x.org/&#60;">',
        '<!ENTITY a SYSTEM "http://x.org/">',
        '<!ENTITY % a "http://x.org/">',
        '<!ENTITY % a SYSTEM "http://x.org/"> %a;',
        '<!ATTLIST path d CDATA "M0,0h5">',
        '<!ATTLIST g xmlns:a CDATA "javascript:1">',
        "".join(f'<!ENTITY a{i} "http://x.org/">' for i in range(99)),
    ],
)
def test_what_else_a_doctype_declares_is_refused(declared):
    with pytest.raises(
        FormatError, match="declares entities or a DTD of its own in its DOCTYPE, which is refused"
    ):
        parse_xml(W3C.format(declared) + SVG, "x.svg")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("<svg>" + "<g/>" * MAX_ELEMENTS + "</svg>", "more than 10000 elements"),
        ("<svg>" + "<!---->" * 8 * MAX_ELEMENTS + "</svg>", "more than 10000 elements"),
        ("<svg " + " ".join(f'a{i}=""' for i in range(300_001)) + "/>", "more than 300000 attributes"),
        ("<g>" * 300, "nested more than 256 deep"),
        (
            W3C.format('<!ENTITY a "http://x.org/">') + "<svg>" + "&a;" * 20_000 + "</svg>",
            "references to entities",
        ),
        (b"<?xml version='1.0' encoding='zip'?>" + SVG.encode(), "no text in zip"),
        (SVG.encode("latin-1"), "no text in utf-8"),
        (b"\x00\x00\x00", "is empty"),
    ],
)
def test_limits(text, message):
    with pytest.raises(FormatError, match=message) as caught:
        parse_xml(text, "x.svg")
    assert str(caught.value).startswith("x.svg")


def test_only_style_sheets_keep_their_text():
    root = parse_xml("<svg><style>a{}</style><text>b<style>c</style>d</text></svg>", "x.svg")
    assert "".join(root.itertext()) == "a{}c"
