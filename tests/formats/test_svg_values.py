from __future__ import annotations

import pytest

from sketchgen.formats.svg_values import INHERITED, is_valid, paint


@pytest.mark.parametrize(
    ("style", "alpha", "colour"),
    [
        ({"stroke": "none"}, 0, None),
        ({"stroke": "#F00"}, 1, "#ff0000"),
        ({"stroke": "#ff000080"}, 128 / 255, "#ff0000"),
        ({"stroke": "rgba(0, 0, 255, 0)"}, 0, "#0000ff"),
        ({"stroke": "hsl(120 100% 50% / 50%)", "stroke-opacity": "50%"}, 0.25, "#00ff00"),
        ({"stroke": "currentColor", "color": "lime"}, 1, "#00ff00"),
        ({"stroke": "lab(54.29 80.8 69.9)"}, 1, "#ff0000"),
        ({"stroke": "oklch(0.52 0.177 142.5 / 50%)"}, 0.5, "#008000"),
        ({"stroke": "color(srgb-linear 1 0 1)"}, 1, "#ff00ff"),
        ({"stroke": "color(display-p3 0 0 1)"}, 1, "#0000ff"),
        ({"stroke": "transparent"}, 0, "#000000"),
        ({"stroke": "url(#known)"}, 1, None),
        ({"stroke": "url('#other') red"}, 1, "#ff0000"),
        ({"stroke": "url(#other)"}, 0, None),
    ],
)
def test_paints(style, alpha, colour):
    found = paint({**INHERITED, **style}, "stroke", {"known"}.__contains__)
    assert found == (pytest.approx(alpha), colour)


def test_validity():
    assert is_valid("stroke-width", "1.5px")
    assert not is_valid("stroke-width", "-1")
    assert not is_valid("opacity", "half")
    assert is_valid("stroke", "inherit")
