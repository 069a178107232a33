"""The shipped drawings are what their procedure makes, and what the README says of them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

import numpy as np
import pytest

from sketchgen import resources
from sketchgen.evaluation.pages import beginnings
from sketchgen.evaluation.unfinished import KINDS, unfinished
from sketchgen.resources import bundled, categories
from sketchgen.sketch.distance import Ink, nearest
from sketchgen.sketch.geometry import BOX

ROOT = Path(__file__).resolve().parents[1]


def test_the_procedure_makes_the_shipped_bytes(sample_dir: Path, tmp_path: Path) -> None:
    env = {**os.environ, "PYTHONPATH": str(Path(resources.__file__).parents[1]), "PYTHONHASHSEED": "7"}
    command = [sys.executable, str(ROOT / "datasets" / "make_sample.py"), str(tmp_path)]
    subprocess.run(command, env=env, check=True)
    made = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    assert made == {path.name: path.read_bytes() for path in sample_dir.iterdir()}


def test_the_sample_is_small_varied_and_says_what_it_is(sample_dir: Path) -> None:
    files = sorted(sample_dir.glob("*.ndjson"))
    assert len(files) >= 10
    assert sum(path.stat().st_size for path in files) < 600_000
    for path in files:
        lines = path.read_text(encoding="utf-8").splitlines()
        assert len(lines) == len(set(lines)) == 60
        for line in lines:
            fields = json.loads(line)
            assert set(fields) == {"word", "recognized", "drawing", "source"}
            assert fields["word"] == path.stem
            assert fields["word"] in categories()
            assert fields["source"] == "sketchgen procedure"


def test_a_sample_drawing_is_simplified_as_quickdraw_does_it(sample_dir: Path) -> None:
    for path in sorted(sample_dir.glob("*.ndjson")):
        for line in path.read_text(encoding="utf-8").splitlines():
            points = np.concatenate([np.array(stroke).T for stroke in json.loads(line)["drawing"]])
            assert points.dtype.kind == "i"
            assert 3 <= len(points) <= 100
            # Thinning may take an outermost point off, by up to its tolerance of 2 px.
            assert (points.min(axis=0) <= 3).all()
            assert points.min() >= 0
            assert BOX - 3 <= points.max() <= BOX


@pytest.mark.parametrize("name", ["half-a-cat", "pineapple", "face", "mona-lisa", "car"])
def test_a_beginning_is_a_few_strokes_on_its_page(name: str) -> None:
    root = ET.parse(bundled("datasets", "partial", f"{name}.svg")).getroot()
    assert root.get("viewBox") == "0 0 640 480"
    lines = [element.get("points", "") for element in root.iter("{http://www.w3.org/2000/svg}polyline")]
    strokes = [np.array([pair.split(",") for pair in line.split()], dtype=float) for line in lines]
    assert 1 <= len(strokes) <= 4
    for stroke in strokes:
        assert 3 <= len(stroke) <= 40
        assert ((stroke >= 0) & (stroke <= (640, 480))).all()


def test_the_procedure_makes_the_unfinished_drawings(tmp_path: Path) -> None:
    env = {**os.environ, "PYTHONPATH": str(Path(resources.__file__).parents[1]), "PYTHONHASHSEED": "7"}
    command = [sys.executable, str(ROOT / "datasets" / "make_unfinished.py"), str(tmp_path)]
    subprocess.run(command, env=env, check=True)
    made = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    folder = bundled("datasets", "unfinished")
    assert made == {path.name: path.read_bytes() for path in folder.iterdir()}


def test_the_unfinished_drawings_are_many_small_and_varied() -> None:
    path = bundled("datasets", "unfinished", "drawings.ndjson")
    assert path.stat().st_size < 200_000
    items = unfinished(path)
    assert len(items) >= 60
    assert len({item.name for item in items}) == len(items)
    assert len({item.category for item in items}) >= 24
    assert {item.category for item in items} <= set(categories())
    for kind in KINDS:
        assert sum(item.kind == kind for item in items) >= 15
    shares = [
        box.longer / min(page.width, page.height)
        for item in items
        if (page := item.given.page)
        for box in [item.whole.bounds]
        if box
    ]
    assert min(shares) < 0.3 < 0.8 < max(shares)


def test_an_unfinished_drawing_is_a_few_points_on_its_page() -> None:
    for item in unfinished():
        page, name = item.given.page, item.name
        assert page is not None, name
        assert ((item.whole.points >= 0) & (item.whole.points <= (page.width, page.height))).all(), name
        assert 2 <= item.given.point_count <= 200, name
        assert all(len(stroke) >= 2 for stroke in item.whole.strokes), name
        if item.kind == "close":
            unit = item.frame.scale
            given = Ink(item.given.strokes).points
            for stroke in item.missing.strokes:
                assert np.hypot(*(stroke[0] - stroke[-1])) > 24 * unit, f"{name}: two dabs close the gap"
                # Thinning takes given ink off by up to 2 px, and the page's whole px by one of its own.
                assert (nearest(stroke[[0, -1]], given) < 2 * unit + 1.5).all(), name


def test_the_procedure_makes_the_beginnings(tmp_path: Path) -> None:
    env = {**os.environ, "PYTHONPATH": str(Path(resources.__file__).parents[1]), "PYTHONHASHSEED": "7"}
    command = [sys.executable, str(ROOT / "datasets" / "make_pages.py"), str(tmp_path)]
    subprocess.run(command, env=env, check=True)
    made = (tmp_path / "beginnings.ndjson").read_bytes()
    assert made == bundled("datasets", "pages", "beginnings.ndjson").read_bytes()


def test_the_beginnings_are_many_smooth_and_varied() -> None:
    items = beginnings()
    assert len(items) >= 150
    assert len({item.name for item in items}) == len(items)
    assert len({item.category for item in items}) >= 60
    assert {item.category for item in items} <= set(categories())
    lengths = [len(stroke) for item in items for stroke in item.given.strokes]
    assert max(lengths) <= 200
    assert np.mean(np.array(lengths) >= 25) > 0.95
    for item in items:
        page = item.given.page
        assert page is not None
        assert ((item.given.points >= 0) & (item.given.points <= (page.width, page.height))).all()


def test_often_drawn_names_categories_each_of_them_once() -> None:
    names = json.loads(bundled("datasets", "often_drawn.json").read_text(encoding="utf-8"))
    both = [*names["often"], *names["seldom"]]
    assert set(both) <= set(categories())
    assert len(both) == len(set(both))
