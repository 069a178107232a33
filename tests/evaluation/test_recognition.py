"""Recognition is measured rightly for a judge whose answers are known."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from sketchgen.data.drawings import Drawings, from_lists
from sketchgen.errors import CheckpointError, SettingError
from sketchgen.evaluation import recognition as module
from sketchgen.evaluation.recognition import accuracy, judged, load_judge
from sketchgen.models.checkpoint import save_checkpoint
from sketchgen.models.recogniser import Reading, Recogniser
from sketchgen.sketch.sketch import Sketch
from tests.support import recognisers, seeing

NAMES = ("cat", "dog", "sun")
TABLE = np.log([[0.7, 0.2, 0.1], [0.3, 0.1, 0.6]])


class Fake:
    """Takes drawings of under 6 points for cats, the others for suns."""

    categories = NAMES

    def read(self, sketches: Sequence[Sketch]) -> Reading:
        counts = np.array([sketch.point_count for sketch in sketches], dtype=np.int64)
        return Reading(TABLE[(counts >= 6).astype(int)], counts[:, None].astype(np.float32))


class Constant(Fake):
    """Gives all categories the same probability."""

    def read(self, sketches: Sequence[Sketch]) -> Reading:
        reading = super().read(sketches)
        return Reading(np.zeros_like(reading.log_prob), reading.features)


def drawings(categories: tuple[str, ...] = NAMES) -> Drawings:
    """Return a cat, a dog and a sun of 3 points each, and the same of 8 points each in two strokes."""
    zigzag = np.column_stack([np.arange(8) * 30, np.arange(8) % 2 * 255]).astype(np.uint8)
    points = [zigzag[:count] for count in (3, 3, 3, 8, 8, 8)]
    strokes = [[3], [3], [3], [5, 3], [5, 3], [5, 3]]
    return from_lists([0, 1, 2, 0, 1, 2], range(6), strokes, points, categories)


def test_ranks_and_shares():
    found = accuracy(Fake(), drawings())
    assert found.rank.tolist() == [0, 1, 2, 1, 2, 0]
    np.testing.assert_allclose(np.exp(found.log_prob), [0.7, 0.2, 0.1, 0.3, 0.1, 0.6])
    assert found.top1.tolist() == [1, 0, 0, 0, 0, 1]
    assert found.top5.tolist() == [1] * 6


def test_a_fraction_shows_the_first_points():
    assert accuracy(Fake(), drawings(), 0.5).rank.tolist() == [0, 1, 2, 0, 1, 2]
    assert accuracy(Fake(), drawings(), 0.75).features.ravel().tolist() == [2, 2, 2, 6, 6, 6]
    assert accuracy(Fake(), drawings(), 0.01).features.ravel().tolist() == [1] * 6


def test_an_unknown_category_is_never_right():
    found = accuracy(Fake(), drawings(("cat", "kiwi", "sun")))
    assert found.rank.tolist() == [0, 3, 2, 1, 3, 0]
    assert np.isneginf(found.log_prob[[1, 4]]).all()


def test_verdicts_count_ties_against_the_judge_and_batches_do_not_matter(monkeypatch: pytest.MonkeyPatch):
    sketches = [drawings().sketch(index) for index in range(6)]
    parts: list[int] = []
    monkeypatch.setattr(module, "BATCH", 4)
    found = judged(Fake(), sketches, ["cat", "dog", "sun"] * 2, parts.append)
    assert found.rank.tolist() == [0, 1, 2, 1, 2, 0]
    assert found.features.ravel().tolist() == [3, 3, 3, 8, 8, 8]
    assert parts == [4, 2]
    assert judged(Constant(), sketches[:3], NAMES).top1.tolist() == [0, 0, 0]


def test_no_drawings():
    assert judged(Fake(), [], []).top1.shape == (0,)
    with pytest.raises(SettingError, match="no drawings"):
        accuracy(Fake(), drawings().between(0, 0))


@pytest.mark.parametrize("fraction", [0.0, -0.5, 1.1, float("nan")])
def test_fractions_outside_their_limits(fraction: float):
    with pytest.raises(SettingError, match="fraction"):
        accuracy(Fake(), drawings(), fraction)


def test_a_judge_is_a_recogniser_of_strokes_or_of_pictures(tmp_path: Path):
    for name, network in (("strokes", recognisers.network()), ("pictures", seeing.network())):
        save_checkpoint(tmp_path / name, network, {})
    judges = [load_judge(each) for each in (tmp_path / "strokes", tmp_path / "pictures", "pictures345")]
    assert [each.sees for each in judges if isinstance(each, Recogniser)] == [
        "strokes",
        "pictures",
        "pictures",
    ]
    with pytest.raises(CheckpointError, match="no classifier 'nowhere'"):
        load_judge("nowhere")
    (tmp_path / "pictures" / "model.safetensors").write_bytes(b"")
    with pytest.raises(CheckpointError, match="is damaged"):
        load_judge(tmp_path / "pictures")
