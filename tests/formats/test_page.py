from __future__ import annotations

import pytest

from sketchgen.errors import SettingError
from sketchgen.formats.page import Grid, Page, length_mm, page_grid
from sketchgen.sketch.sketch import Box


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("10mm", 10),
        ("0.4 mm", 0.4),
        ("1cm", 10),
        ("8.5in", 215.9),
        ('8.5"', 215.9),
        ("72pt", 25.4),
        ("96px", 25.4),
        ("6pc", 25.4),
        (".5M", 500),
        ("7", 7),
        (7, 7),
        (0.25, 0.25),
        (" -1e1mm ", -10),
    ],
)
def test_lengths(text, value):
    assert length_mm(text) == pytest.approx(value)


@pytest.mark.parametrize(
    "text", ["", "mm", "10 furlongs", "ten", "1,5mm", "10mm 5", "nan", "inf", "1e", "--1"]
)
def test_no_lengths(text):
    with pytest.raises(SettingError, match=r"gap is .*(write one as|there are)"):
        length_mm(text, "gap")


@pytest.mark.parametrize(
    ("text", "width", "height"),
    [
        ("A4", 210, 297),
        (" a3 ", 297, 420),
        ("A4 landscape", 297, 210),
        ("landscape-a4", 297, 210),
        ("a5_portrait", 148, 210),
        ("letter", 215.9, 279.4),
        ("210x297mm", 210, 297),
        ("210mmx297mm", 210, 297),
        ("210 x 297", 210, 297),
        ("8.5in x 11in", 215.9, 279.4),
        ("8.5x11in", 215.9, 279.4),
        ("21cm×297mm", 210, 297),
        ("100x50mm portrait", 50, 100),
    ],
)
def test_pages(text, width, height):
    page = Page.parse(text, 0)
    assert (page.width, page.height) == pytest.approx((width, height))


@pytest.mark.parametrize(
    ("margin", "sides"),
    [
        ("1cm", (10, 10, 10, 10)),
        (5, (5, 5, 5, 5)),
        ("10mm 20mm", (10, 20, 10, 20)),
        ("1, 2, 3, 4", (1, 2, 3, 4)),
        ("1 mm 2 mm", (1, 2, 1, 2)),
    ],
)
def test_margins(margin, sides):
    page = Page.parse("a4", margin)
    assert page.margins == pytest.approx(sides)
    assert page.room_width == pytest.approx(210 - sides[1] - sides[3])
    assert page.room_height == pytest.approx(297 - sides[0] - sides[2])


@pytest.mark.parametrize(
    ("text", "margin", "words"),
    [
        ("a9", 0, "no page 'a9'.*A4.*letter"),
        ("", 0, "no page"),
        ("0x5mm", 0, "side must be a number from 1 to 20000 mm, not 0"),
        ("1x99999mm", 0, "to 20000 mm"),
        ("210x297ells", 0, "no unit 'ells'"),
        ("a4 landscape portrait", 0, "both landscape and portrait"),
        ("a6", "60mm", "leave no room on 105 x 148 mm"),
        ("a4", "-1mm", "margin must be 0 mm or more, not -1"),
        ("a4", "1 2 3", "one length, two"),
        ("a4", "wide", "margin is 'wide'"),
    ],
)
def test_bad_pages(text, margin, words):
    with pytest.raises(SettingError, match=words):
        Page.parse(text, margin)


# --- grids -----------------------------------------------------------------------------------------------


def inside(page: Page, grid: Grid) -> bool:
    top, right, bottom, left = page.margins
    last = grid.place(grid.room - 1)
    return (
        grid.left >= left - 1e-6
        and grid.top >= top - 1e-6
        and last.x + last.width <= page.width - right + 1e-6
        and last.y + last.height <= page.height - bottom + 1e-6
    )


@pytest.mark.parametrize("count", [0, 1, 2, 3, 9, 12, 50, 1000])
@pytest.mark.parametrize("how", [{}, {"columns": 3}, {"cell": 40.0}, {"columns": 2, "cell": 30, "gap": 0}])
def test_cells_stand_between_the_margins_and_not_on_each_other(count, how):
    page = Page.parse("a4", "10 20 30 5")
    grid = page_grid(page, count, **how)
    assert inside(page, grid)
    one, across, below = grid.place(0), grid.place(1), grid.place(grid.columns)
    assert across.x - one.x - one.width == pytest.approx(how.get("gap", 5)) or grid.columns == 1
    assert below.y - one.y - one.height == pytest.approx(how.get("gap", 5))


def test_one_drawing_has_the_page_and_many_are_as_large_as_may_be():
    assert page_grid(Page(), 1).place(0) == Box(10, 10, 190, 277)
    twelve = page_grid(Page(), 12)
    assert (twelve.columns, twelve.rows, twelve.width) == (3, 4, 60)
    assert twelve.room >= 12
    assert page_grid(Page(), 1000).width == 15
    assert -(-1000 // page_grid(Page(), 1000).room) == 8


@pytest.mark.parametrize(
    ("how", "words"),
    [
        ({"columns": 0}, "0 columns"),
        ({"columns": 500}, "500 columns do not fit into 190 mm"),
        ({"columns": 4, "cell": 60}, "4 columns do not fit into 190 mm"),
        ({"cell": 200}, "a cell's side must be a number from 1 to 190 mm, not 200"),
        ({"cell": 0.5}, "a cell's side must be a number from 1 to 190 mm, not 0.5"),
    ],
)
def test_bad_grids(how, words):
    with pytest.raises(SettingError, match=words):
        page_grid(Page(), 9, **how)
