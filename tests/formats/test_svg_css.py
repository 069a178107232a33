from __future__ import annotations

from contextlib import nullcontext

import pytest
from defusedxml import ElementTree

from sketchgen.errors import FormatError
from sketchgen.formats import svg_css
from sketchgen.formats.svg_css import Cascade
from sketchgen.formats.svg_values import INHERITED


def styles(css, body, **attributes):
    """Return the computed style of each element of a body, which is one group."""
    root = ElementTree.fromstring(f"<svg><style>{css}</style>{body}</svg>")
    cascade, found = Cascade(root), {}

    def walk(element, parent):
        style = found[element.get("id", element.tag)] = cascade.style(element, parent)
        for child in element:
            walk(child, style)

    walk(root, INHERITED)
    return found


@pytest.mark.parametrize(
    ("css", "attributes", "stroke"),
    [
        (".a{stroke:red}.b{stroke:blue}", 'class="b a"', "blue"),
        (".b{stroke:blue}.a{stroke:red}", 'class="b a"', "red"),
        ("#p{stroke:red}path.a.b{stroke:blue}", 'class="a b"', "red"),
        ("g.k path{stroke:red}path{stroke:blue}", "", "red"),
        ("svg > path{stroke:red}", "", "none"),
        (".a{stroke:red!important}#p{stroke:blue}", 'class="a" style="stroke:lime"', "red"),
        (".a{stroke:red}", 'class="a" style="stroke:lime"', "lime"),
        (".a{stroke:red}", 'class="a" style="stroke : url(\';\') ; stroke:lime"', "lime"),
        ("path{stroke:red}", 'stroke="blue"', "red"),
        ("path{stroke:rde}", 'stroke="blue"', "blue"),
        ("", 'stroke="blue" style="stroke:12"', "blue"),
        ("/*path{stroke:lime}*/ path{stroke:red}", "", "red"),
        ("path{stroke:red}path:hover,path::before{stroke:lime}", "", "red"),
        ("path{stroke:red} path,:unknown{stroke:lime}", "", "red"),
        ("@media print{path{stroke:red}}", "", "none"),
        ("@media screen{path{stroke:red}}", "", "red"),
        ("@media screen and (prefers-color-scheme: dark), print{path{stroke:red}}", "", "none"),
        ("@media not print{path{stroke:red}}", "", "red"),
        ("@supports (fill:red){@media all{path{stroke:red}}}", "", "red"),
        ("@supports (fill:red) and (not (stroke:12)){path{stroke:red}}", "", "red"),
        ("@supports (fill:12) or (-moz-fill:red){path{stroke:red}}", "", "none"),
        ("@media (min-width:10px) and (max-width:9999px){path{stroke:red}}", "", "red"),
        ("@media (10px &lt; width &lt;= 600px), (orientation:portrait){path{stroke:red}}", "", "none"),
        ("@layer a,b;@layer b{path{stroke:red}}@layer a{#p{stroke:lime}}", "", "red"),
        ("path{stroke:red}@layer{#p{stroke:lime}}", "", "red"),
        ("path{stroke:lime!important}@layer a{path{stroke:red!important}}", "", "red"),
        ("g{stroke:lime;&amp;.k path{stroke:red}} g{path{stroke:lime;@media all{stroke:blue}}}", "", "red"),
        ("g{> path{stroke:lime;@media all{stroke:red}}}", "", "red"),
        ("@namespace x url(http://x.org/);x|path{stroke:lime}|path{stroke:red}", "", "red"),
        ("path{stroke:lime;all:initial}", "", "none"),
        ("path{stroke:red;stroke:device-cmyk(0 0 0 1)}", "", "red"),
        ("path{stroke:oklch(0 0 0)}", 'stroke="color()"', "oklch(0 0 0)"),
        ("path{--a:var(--b);stroke:var(--a);--b:red}", "", "red"),
        ("svg{--a:red}path{stroke:var(--a)}", "", "red"),
        ("path{stroke:var(--a, var(--b, lime))}", "", "lime"),
        ("@font-face{src:url(data:x;base64,AA/*BB)}path{stroke:red}", "", "red"),
        ("g{stroke:red}path{stroke:unset}", 'stroke="blue"', "red"),
        ("g{stroke:red}path{stroke:initial}", 'stroke="blue"', "none"),
    ],
)
def test_the_cascade(css, attributes, stroke):
    found = styles(css, f'<g class="k"><path id="p" {attributes}/></g>')
    assert found["p"]["stroke"] == stroke


def test_what_is_inherited():
    found = styles("", '<g stroke="red" opacity="0.5" style="display:none"><path id="p"/></g>')["p"]
    assert (found["stroke"], found["opacity"], found["display"]) == ("red", "1", "inline")


@pytest.mark.parametrize(
    ("css", "body", "message"),
    [
        ("x g g g g g g g g path{fill:none}", "<g>" * 60 + "<path/>" * 50 + "</g>" * 60, "take too long"),
        ("x~g~g{fill:none}", "<g/>" * 2000, "take too long"),
        ("g:has(~ x){fill:none}", "<g/>" * 2000, "take too long"),
        ("*{fill:none}" * 600, "<g/>" * 2000, "take too long"),
        ("a{fill:none}" * (svg_css.MAX_SELECTORS + 1), "", "selectors"),
        ("g{" + "&amp; &amp; &amp;{" * 6 + "fill:none" + "}" * 7, "<g/>" * 900, None),
        ("@layer " + "a." * 20_000 + "b;", "<g/>", None),
        ("@media (" + " " * 40_000 + "width){g{fill:none}}", "<g/>", None),
        (" " * (svg_css.MAX_CSS + 1), "", "characters of CSS"),
    ],
)
def test_style_sheets_cannot_run_away(css, body, message):
    with pytest.raises(FormatError, match=message) if message else nullcontext():
        styles(css.replace(">", "&gt;"), body)


@pytest.mark.parametrize(
    "css", ["a{" * 5000, "(" * 5000, ":not(" * 3000 + "a{fill:none}", "a " * 500 + "{fill:red}"]
)
def test_style_sheets_that_are_nested_deep_are_passed_over(css):
    assert styles(css, "<g/>")["g"]["fill"] == "black"
