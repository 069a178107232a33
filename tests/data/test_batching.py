from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from sketchgen.data.batching import (
    CENTRE,
    GIVEN_SIDE,
    Batch,
    Prefixes,
    cut_points,
    evaluation_batch,
    make_batch,
    padded,
)
from sketchgen.data.prepare import read_drawings
from sketchgen.data.splitting import held_back
from sketchgen.data.store import Drawings
from sketchgen.sketch.strokes import Pen, pens

ANY = 99
PLAIN = Prefixes(unknown=0.0, warp=0.0, drop_category=0.0, held_back=0.0, opened=0.0)


def only(kind: str | None) -> Prefixes:
    """All drawings cut in one way; None is within the last tenth."""
    names = ("nothing", "first_stroke", "stroke_end", "anywhere")
    shares = {name: float(name == kind) for name in names}
    return replace(PLAIN, **shares)


def random(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def same(one: Batch, two: Batch) -> bool:
    return all(torch.equal(value, vars(two)[name]) for name, value in vars(one).items())


@pytest.fixture(scope="module")
def drawings(sample_dir: Path) -> Drawings:
    everything, _ = read_drawings(sample_dir)
    return everything.take(np.arange(0, len(everything), 8))


def test_known_batches_are_the_drawings(drawings: Drawings):
    part = drawings.take(np.arange(30))
    batch = make_batch(part, random(), ANY, PLAIN)
    position = batch.offset.double().cumsum(1).numpy() + CENTRE
    assert (batch.known == 1).all()
    assert batch.category.tolist() == part.category.tolist()
    for row in range(len(part)):
        sketch, count = part.sketch(row), int(part.lengths[row])
        assert int(batch.length[row]) == count
        np.testing.assert_allclose(position[row, :count], sketch.points, atol=1e-9)
        assert batch.pen[row, :count].tolist() == pens(sketch).tolist()
        assert (batch.pen[row, count:] == Pen.END).all()
        assert batch.scored[row].tolist() == [step <= count for step in range(batch.pen.shape[1])]


def test_targets_are_dequantised_and_the_network_reads_whole_px(drawings: Drawings):
    batch = make_batch(drawings, random(), ANY, PLAIN)
    noise = (batch.target[:, :-1] - batch.offset).numpy()
    assert np.abs(noise).max() <= 0.5
    assert noise.std() == pytest.approx(1 / np.sqrt(12), rel=0.02)
    steps = batch.offset[:, 1:]
    assert torch.equal(steps, steps.round())


def test_unknown_frames_show_the_given_part_at_its_own_size(drawings: Drawings):
    prefixes = replace(only("anywhere"), unknown=1.0, scale_jitter=0.0)
    batch = make_batch(drawings, random(), ANY, prefixes)
    unknown = batch.known == 0
    assert unknown.float().mean() > 0.5
    assert ((batch.cut > 1) | ~unknown).all()
    position = batch.offset.double().cumsum(1).numpy()
    points, _, _ = padded(drawings)
    for row in np.flatnonzero(unknown.numpy()):
        cut = int(batch.cut[row])
        side = np.ptp(points[row, :cut], axis=0).max()
        scale = GIVEN_SIDE / side
        shown = position[row, :cut]
        # The noise of a px adds half a px on either side, drawn at the frame's scale.
        assert np.ptp(shown, axis=0).max() == pytest.approx(GIVEN_SIDE, abs=scale + 1e-3)
        middle = (shown.min(0) + shown.max(0)) / 2
        assert np.abs(middle).max() <= 0.5 * scale + 1e-3
        assert scale < 4.0
        # Nothing may be learned before the cut, where that frame cannot be known yet.
        assert not batch.scored[row, :cut].any()
        assert batch.scored[row, cut : int(batch.length[row]) + 1].all()


def test_warped_drawings_stay_in_the_box(drawings: Drawings):
    batch = make_batch(drawings, random(), ANY, replace(PLAIN, warp=1.0))
    position = batch.offset.double().cumsum(1).numpy() + CENTRE
    assert position.min() == pytest.approx(0.0, abs=1e-3)
    assert position.max() == pytest.approx(255.0, abs=1e-3)
    np.testing.assert_allclose(position, np.rint(position), atol=1e-3)


def test_categories_are_dropped_at_their_share(drawings: Drawings):
    batch = make_batch(drawings, random(), ANY, replace(PLAIN, drop_category=1.0))
    assert (batch.category == ANY).all()


def test_each_kind_of_cut_cuts_where_it_says(drawings: Drawings):
    _, lift, _ = padded(drawings)
    length, rows = drawings.lengths, range(len(drawings))
    assert (cut_points(length, lift, only("nothing"), random()) == 0).all()
    first = cut_points(length, lift, only("first_stroke"), random())
    several = lift.sum(1) > 1
    assert several.any()
    assert (~several).any()
    stroke = np.array([len(drawings.sketch(k).strokes[0]) for k in rows])
    assert (first == stroke)[several].all()
    ends = cut_points(length, lift, only("stroke_end"), random())
    assert lift[rows, ends - 1][several].all()
    anywhere = cut_points(length, lift, only("anywhere"), random())
    # None of them gives the whole drawing: who asks for a completion has not finished.
    for cut in (first, ends, anywhere):
        assert ((cut >= 1) & (cut < length)).all()
    near = cut_points(length, lift, only(None), random())
    assert ((near > 0.9 * length - 1) & (near <= length)).all()


def test_cuts_come_at_their_shares(drawings: Drawings):
    many = drawings.take(np.tile(np.arange(len(drawings)), 40))
    _, lift, _ = padded(many)
    cut = cut_points(many.lengths, lift, Prefixes(), random())
    assert np.mean(cut == 0) == pytest.approx(0.25, abs=0.03)
    assert np.mean(cut == lift.argmax(1) + 1) >= 0.15 - 0.03


@pytest.mark.parametrize("fraction", [0.0, 0.25, 0.5, 0.75, 1.0])
def test_evaluation_gives_the_fraction_and_scores_the_rest(drawings: Drawings, fraction: float):
    batch = evaluation_batch(drawings, random(), fraction)
    steps = np.arange(batch.pen.shape[1])
    for row, count in enumerate(drawings.lengths.tolist()):
        cut = round(fraction * count)
        assert int(batch.cut[row]) == cut
        assert batch.scored[row].tolist() == ((steps >= cut) & (steps <= count)).tolist()
    assert (batch.known == 1).all()
    assert same(batch, evaluation_batch(drawings, random(), fraction))
    assert torch.equal(batch.offset, evaluation_batch(drawings, random(1), fraction).offset)


def test_a_batch_says_which_drawings_it_holds(drawings: Drawings):
    part = drawings.take([3, 1, 2])
    for batch in (make_batch(part, random(), ANY, Prefixes()), evaluation_batch(part, random(), 0.5)):
        assert batch.key.numpy().view(np.uint64).tolist() == part.key.tolist()


def held(drawings: Drawings, share: float = 1.0) -> tuple[np.ndarray, np.ndarray]:
    _, lift, _ = padded(drawings)
    return held_back(drawings.lengths, lift, share, random())


def test_held_back_strokes_come_last_whole_and_in_their_order(drawings: Drawings):
    points, lift, _ = padded(drawings)
    order, given = held(drawings)
    late = np.flatnonzero(given >= 0)
    strokes = lift.sum(1)
    assert len(late) > 0.5 * len(drawings)
    assert not (given[strokes == 1] >= 0).any()
    for row in range(len(drawings)):
        count = int(drawings.lengths[row])
        assert sorted(order[row, :count]) == list(range(count))
        assert order[row, count:].tolist() == list(range(count, points.shape[1]))
    numbers = [0, 0, 0]
    for row in late:
        count, cut = int(drawings.lengths[row]), int(given[row])
        stroke = (np.cumsum(lift[row]) - lift[row])[order[row, :count]]
        first, then = stroke[:cut], stroke[cut:]
        # Each part has whole strokes in the order of the drawing, and points keep theirs within a stroke.
        assert 0 < cut < count
        assert not set(first) & set(then)
        for part in (order[row, :cut], order[row, cut:count]):
            assert (np.diff(part) > 0).all()
        # What stands at the drawing's end already is not held back: any cut there does it.
        assert min(then) < max(first)
        several = np.unique(then)
        numbers[0 if len(several) == 1 else 1 if (np.diff(several) == 1).all() else 2] += 1
    # One stroke, a part of several, and some that have nothing to do with each other.
    assert min(numbers) > 0.05 * len(late)


def test_as_many_are_held_back_as_is_said(drawings: Drawings):
    _, given = held(drawings, 0.0)
    assert (given == -1).all()
    able = (held(drawings)[1] >= 0).mean()
    assert (held(drawings, 0.5)[1] >= 0).mean() == pytest.approx(able / 2, abs=0.06)


def test_a_batch_with_strokes_held_back_scores_them_alone(drawings: Drawings):
    batch = make_batch(drawings, random(), ANY, replace(only("nothing"), held_back=1.0))
    late = (batch.cut > 0).numpy()
    assert 0.5 < late.mean() < 1.0
    position = (batch.offset.double().cumsum(1) + CENTRE).numpy().round()
    for row in range(len(drawings)):
        count, cut = int(batch.length[row]), int(batch.cut[row])
        sketch = drawings.sketch(row)
        own = position[row, :count].tolist()
        assert sorted(own) == sorted(sketch.points.tolist())
        assert (own == sketch.points.tolist()) is not bool(late[row])
        assert batch.scored[row].tolist() == [cut <= step <= count for step in range(batch.pen.shape[1])]
        ends = [stroke[-1].tolist() for stroke in sketch.strokes]
        lifted = (batch.pen[row, :count] == Pen.LIFT).numpy()
        assert sorted(position[row, :count][lifted].tolist()) == sorted(ends)
        assert lifted[cut - 1] or not late[row]
