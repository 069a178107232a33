"""The network in numpy equals the one in torch, for one drawing or several at once."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from sketchgen.errors import SettingError
from sketchgen.models.features import INPUTS
from sketchgen.models.layers import PenState as TorchPenState
from sketchgen.models.numpy_layers import PenState
from sketchgen.models.numpy_mixture import StepDistribution
from sketchgen.models.numpy_stroke_model import Decoder, Prefix, State
from sketchgen.models.stroke_model import Steps, StrokeModel
from sketchgen.sketch.strokes import Pen
from tests.support import untrained

COUNT = 9
CATEGORIES = np.array([1, 0, 2, 0, 1])
each_network = pytest.mark.parametrize("shape", untrained.NUMPY_SHAPES, ids=str)


def network(shape: dict[str, Any] | None = None) -> StrokeModel:
    return untrained.network(untrained.shaped(shape or {}))


def drawing(count: int = COUNT, *, known: bool = True, seed: int = 0) -> Prefix:
    random = np.random.default_rng(seed)
    offset = np.rint(random.normal(size=(count, 2)) * 30)
    return Prefix(offset, random.integers(0, 2, count), CATEGORIES, known)


def first(whole: Prefix, count: int) -> Prefix:
    return replace(whole, offset=whole.offset[:count], pen=whole.pen[:count])


def rows(value: np.ndarray) -> np.ndarray:
    """One step of a drawing, for all five."""
    return np.repeat(value[None], len(CATEGORIES), 0)


FIELDS = ("log_weight", "mean", "log_sigma", "rho", "lift")


def in_torch(model: StrokeModel, whole: Prefix, cut: int) -> dict[str, np.ndarray]:
    """What the network says of all steps at once, (5, n + 1, ...)."""
    batch = len(CATEGORIES)
    steps = Steps(
        torch.tensor(whole.offset, dtype=torch.float32).expand(batch, -1, -1),
        torch.tensor(whole.pen).expand(batch, -1),
        torch.tensor(whole.category),
        torch.full((batch,), float(whole.known)),
    )
    with torch.no_grad():
        found = model(steps, torch.full((batch,), cut))
    return {name: value.numpy() for name, value in vars(found).items()}


def check_step(found: StepDistribution, wanted: dict[str, np.ndarray], step: int) -> None:
    assert (found.points == step).all()
    np.testing.assert_allclose(found.end, wanted["end"][:, step], rtol=1e-5, atol=1e-5)
    for row in range(len(found.end)):
        # torch lays out all sides and points, also those that can't be taken.
        there, possible = found.log_weight[row] > -1e6, wanted["log_weight"][row, step] > -1e6
        for name in FIELDS:
            ours, torchs = getattr(found, name)[row, there], wanted[name][row, step][possible]
            np.testing.assert_allclose(ours, torchs, rtol=1e-5, atol=1e-5, err_msg=name)


def check_equal(found: StepDistribution, wanted: StepDistribution, rows: Any = slice(None)) -> None:
    there = wanted.log_weight > -1e6
    for name in FIELDS:
        ours, others = getattr(found, name)[rows], getattr(wanted, name)
        count = min(ours.shape[1], others.shape[1])
        kept = np.where(there[:, :count].reshape(there[:, :count].shape + (1,) * (ours.ndim - 2)), 1.0, 0.0)
        np.testing.assert_allclose(
            ours[:, :count] * kept, others[:, :count] * kept, rtol=1e-5, atol=1e-5, err_msg=name
        )
    np.testing.assert_allclose(found.end[rows], wanted.end, rtol=1e-5, atol=1e-5)


@each_network
@pytest.mark.parametrize(("cut", "known"), [(0, True), (1, False), (4, True), (COUNT, False)])
def test_priming_and_advancing_equal_torch(shape: dict[str, Any], cut: int, known: bool):
    model, whole = network(shape), drawing(known=known)
    wanted, decoder = in_torch(model, whole, cut), untrained.decoder(model)
    found, state = decoder.prime(first(whole, cut))
    check_step(found, wanted, cut)
    for step in range(cut, COUNT):
        found, state = decoder.advance(rows(whole.offset[step]), rows(whole.pen[step]), state)
        check_step(found, wanted, step + 1)


@each_network
def test_some_may_go_on_with_the_last_stroke_and_others_not(shape: dict[str, Any]):
    decoder, whole = untrained.decoder(network(shape)), first(drawing(), 5)
    going_on = np.array([False, True, False, False, True])
    found, state = decoder.prime(replace(whole, going_on=going_on))
    after, _ = decoder.advance(rows(whole.offset[0]), rows(whole.pen[0]), state)
    for row, on in enumerate(going_on):
        pen = whole.pen.copy()
        pen[-1] = Pen.DRAW if on else whole.pen[-1]
        alone, one = decoder.prime(replace(whole, pen=pen, category=CATEGORIES[row : row + 1]))
        later, _ = decoder.advance(whole.offset[:1], whole.pen[:1], one)
        check_equal(found, alone, slice(row, row + 1))
        check_equal(after, later, slice(row, row + 1))


@each_network
@pytest.mark.parametrize("cut", [1, 2, 5])
def test_a_part_is_read_once_for_its_last_point_and_for_what_follows(shape: dict[str, Any], cut: int):
    decoder, whole = untrained.decoder(network(shape)), drawing()
    given = first(whole, cut)
    reading = decoder.read(given)
    for category in np.unique(given.category).tolist():
        alone = replace(given, category=np.array([category]))
        before, _ = decoder.prime(replace(alone, offset=given.offset[:-1], pen=given.pen[:-1]))
        check_equal(decoder.last_point(reading, category), before)
        after, _ = decoder.prime(replace(alone, reading=reading))
        check_equal(after, decoder.prime(alone)[0])


def parts(*, known: bool) -> list[Prefix]:
    """Given parts of several lengths, two of nothing, some of whose last strokes go on."""
    random = np.random.default_rng(1)
    found = []
    for number, count in enumerate((7, 0, 1, 12, 3, 0, 7)):
        offset, pen = np.rint(random.normal(size=(count, 2)) * 30), random.integers(0, 2, count)
        going_on = np.array([number % 2 == 0]) if number < 4 else None
        found.append(Prefix(offset, pen, np.array([number % 3]), known, going_on))
    return found


@each_network
@pytest.mark.parametrize("known", [True, False])
def test_given_parts_read_together_are_read_as_alone(shape: dict[str, Any], known: bool):
    decoder, given, random = untrained.decoder(network(shape)), parts(known=known), np.random.default_rng(2)
    found, state = decoder.prime_all(given)
    alone = [decoder.prime(each) for each in given]
    order = np.arange(len(given))
    for step in range(6):
        offset, pen = random.normal(size=(len(given), 2)) * 20, random.integers(0, 2, len(given))
        for wanted in (pen, np.full(len(given), int(Pen.END))):
            nats = [one.log_prob(offset[[row]], wanted[[row]])[0] for row, (one, _) in enumerate(alone)]
            np.testing.assert_allclose(found.log_prob(offset, wanted), nats, rtol=1e-4, atol=1e-4)
        found, state = decoder.advance(offset, pen, state)
        alone = [decoder.advance(offset[[row]], pen[[row]], each) for row, (_, each) in enumerate(alone)]
        if step == 2:
            # Rows may be picked out, and states put together.
            order = np.array([5, 0, 3, 6, 2])
            found, given = found.take(order), [given[row] for row in order]
            alone = [alone[row] for row in order]
            state = State.join([state.take(order[:2]), *(each for _, each in alone[2:])])


def test_a_long_drawing_outgrows_the_first_cache():
    model = network({"self_attention": 16, "pointers": 8, "layers": 2})
    whole = drawing(150)
    wanted, decoder = in_torch(model, whole, 3), untrained.decoder(model)
    found, state = decoder.prime(first(whole, 3))
    for step in range(3, 150):
        found, state = decoder.advance(rows(whole.offset[step]), rows(whole.pen[step]), state)
    check_step(found, wanted, 150)


def test_states_of_known_and_unknown_frames_are_not_joined():
    decoder = untrained.decoder(network())
    states = [decoder.prime(drawing(known=known))[1] for known in (True, False)]
    with pytest.raises(ValueError, match="known"):
        State.join(states)


@pytest.mark.parametrize("cell", ["gru", "rnn"])
def test_cells_of_torch_alone_are_refused_on_one_line(cell: str):
    with pytest.raises(SettingError, match=f"networks of {cell} cells can only be trained") as caught:
        untrained.decoder(network({"cell": cell}))
    assert "\n" not in str(caught.value)


def test_weights_go_round():
    model = network()
    decoder = untrained.decoder(model)
    assert isinstance(decoder, Decoder)
    assert decoder.config == model.config
    state = model.state_dict()
    assert decoder.weights().keys() == state.keys()
    assert all(np.array_equal(value, state[name]) for name, value in decoder.weights().items())


def test_learning_on_does_not_change_a_decoder():
    model, whole = network(), drawing()
    decoder = untrained.decoder(model)
    before, _ = decoder.prime(whole)
    with torch.no_grad():
        for value in model.parameters():
            value.zero_()
    after, _ = decoder.prime(whole)
    assert np.array_equal(before.mean, after.mean)


@settings(max_examples=40)
@given(st.lists(st.integers(0, 1), min_size=1, max_size=8))
def test_pen_states_and_features_are_those_of_torch(pens: list[int]):
    offset = np.arange(len(pens) * 2.0).reshape(-1, 2) - 3
    wanted = TorchPenState.of_steps(
        torch.tensor(offset[None], dtype=torch.float32), torch.tensor(np.array([pens]))
    )
    features = wanted.features(torch.ones(1), 33.0).numpy()
    state = PenState.begin(1)
    assert state.pen[0] == Pen.END
    for step, pen in enumerate(pens):
        state = state.advanced(offset[step : step + 1], np.array([pen]))
        assert state.points[0] == step + 1
        for name, value in vars(wanted).items():
            assert np.array_equal(getattr(state, name), value[:, step]), name
        for inputs, columns in INPUTS.items():
            found = state.features(inputs, True, 33.0)
            right = features[:, step][:, columns]
            if inputs == "moves":
                np.testing.assert_array_equal(found, wanted.features(torch.ones(1), 33.0, inputs)[:, step])
                right = right * (step > 0)
            np.testing.assert_allclose(found, right, rtol=1e-6, atol=1e-7)
