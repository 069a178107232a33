from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sketchgen.errors import OutputError, SettingError
from sketchgen.formats.sketchrnn_reader import PARTS, read_npz
from sketchgen.formats.sketchrnn_writer import write_npz
from sketchgen.sketch.sketch import Sketch

whole = st.integers(-300, 300).map(float)
sketches = st.lists(
    st.lists(st.lists(st.tuples(whole, whole), min_size=1, max_size=5), min_size=1, max_size=4), max_size=5
)


def cornered(strokes: list) -> list:
    """What comes back of a drawing."""
    corner = np.concatenate([np.array(stroke) for stroke in strokes]).min(axis=0)
    found = [(np.array(stroke) - corner).tolist() for stroke in strokes]
    return [found[0] * 2, *found[1:]] if len(found[0]) == 1 else found


@given(sketches, sketches)
def test_what_is_written_is_read(tmp_path_factory: pytest.TempPathFactory, train: list, test: list) -> None:
    path = tmp_path_factory.mktemp("npz") / "a.npz"
    write_npz(path, [Sketch.from_strokes(item) for item in train], test=map(Sketch.from_strokes, test))
    found = [[stroke.tolist() for stroke in sketch.strokes] for sketch in read_npz(path)]
    assert found == [cornered(item) for item in [*train, *test]]


def test_the_form_is_magenta_s(tmp_path: Path) -> None:
    square = Sketch.from_strokes([[(5, 5), (15, 5), (15, 25)], [(0, 0), (1, 2)]])
    write_npz(tmp_path / "a.npz", [square, square], [square])
    # Loaded as numpy would, which we may here, for we have written it.
    with np.load(tmp_path / "a.npz", allow_pickle=True) as file:
        assert sorted(file.files) == sorted(PARTS)
        assert [len(file[part]) for part in PARTS] == [2, 1, 0]
        steps = file["train"][1]
    assert steps.dtype == np.int16
    assert steps.tolist() == [[10, 0, 0], [0, 20, 1], [-15, -25, 0], [1, 2, 1]]


def test_same_drawings_same_bytes(tmp_path: Path) -> None:
    item = Sketch.from_strokes([[(0, 0), (9, 9)]])
    for name in ("a.npz", "b.npz"):
        write_npz(tmp_path / name, [item])
    assert (tmp_path / "a.npz").read_bytes() == (tmp_path / "b.npz").read_bytes()


def test_rounding_does_not_add_up(tmp_path: Path) -> None:
    points = np.cumsum(np.full((200, 2), 0.3), axis=0)
    write_npz(tmp_path / "a.npz", [Sketch.from_strokes([points])])
    (found,) = read_npz(tmp_path / "a.npz")
    assert np.abs(found.points - (points - points[0])).max() <= 0.5


def test_a_box(tmp_path: Path) -> None:
    small = Sketch.from_strokes([[(0, 0), (0.5, 0), (1, 0.25)]])
    write_npz(tmp_path / "a.npz", [small, Sketch(), Sketch.from_strokes([[(7, 7)]])], box=255)
    first, second = read_npz(tmp_path / "a.npz")
    assert first.points.tolist() == [[0, 0], [128, 0], [255, 64]]
    assert second.points.tolist() == [[0, 0], [0, 0]]


def test_what_cannot_be_written(tmp_path: Path) -> None:
    wide = Sketch.from_strokes([[(0, 0), (40_000, 0)]])
    with pytest.raises(SettingError, match="drawing valid 1 is 40000 wide, above 32767; scale it down"):
        write_npz(tmp_path / "a.npz", [], [Sketch.from_strokes([[(0, 0)]]), wide])
    with pytest.raises(SettingError, match="box is 0; it must be from 1"):
        write_npz(tmp_path / "a.npz", [], box=0)
    assert list(tmp_path.iterdir()) == []
    write_npz(tmp_path / "a.npz", [wide], box=100)
    with pytest.raises(OutputError, match="--force"):
        write_npz(tmp_path / "a.npz", [])
    write_npz(tmp_path / "a.npz", [], force=True)
