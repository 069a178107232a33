"""The network as it draws is the network that learned, and it may be asked for several drawings at once."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from sketchgen.models.layers import PenState as LearnedTrace
from sketchgen.models.numpy_head import Found, as_mixture
from sketchgen.models.numpy_pen_state import PenState
from sketchgen.models.numpy_stroke_model import Decoder, Prefix
from sketchgen.models.stroke_model import Steps, StrokeModel
from sketchgen.sketch.strokes import Pen
from tests.support import untrained

COUNT = 9
CATEGORIES = np.array([1, 0, 2, 0, 1])
each_network = pytest.mark.parametrize("shape", untrained.SHAPES, ids=str)


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


def learned(model: StrokeModel, whole: Prefix, cut: int) -> dict[str, np.ndarray]:
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


def check_equal(told: Found, wanted: dict[str, np.ndarray], step: int) -> None:
    found = as_mixture(told)
    assert found.points is not None
    assert (found.points == step).all()
    for name, value in vars(found).items():
        if name == "points":
            continue
        # The network that learned lays out pointers to all points, also to those that are yet to be drawn.
        there = wanted[name][:, step] if name == "end" else wanted[name][:, step, : value.shape[1]]
        np.testing.assert_allclose(value, there, rtol=1e-5, atol=1e-5, err_msg=name)
    assert (wanted["log_weight"][:, step, found.log_weight.shape[1] :] < -1e8).all()


@each_network
@pytest.mark.parametrize("cut", [0, 1, 4, COUNT])
@pytest.mark.parametrize("known", [True, False])
def test_priming_and_advancing_say_what_was_learned(shape: dict[str, Any], cut: int, known: bool):
    model, whole = network(shape), drawing(known=known)
    wanted, decoder = learned(model, whole, cut), untrained.decoder(model)
    found, state = decoder.prime(first(whole, cut))
    check_equal(found, wanted, cut)
    for step in range(cut, COUNT):
        found, state = decoder.advance(rows(whole.offset[step]), rows(whole.pen[step]), state)
        check_equal(found, wanted, step + 1)


@each_network
def test_a_drawing_alone_is_drawn_as_among_others(shape: dict[str, Any]):
    decoder, whole = untrained.decoder(network(shape)), drawing()
    together, many = decoder.prime(first(whole, 4))
    for row in range(len(CATEGORIES)):
        alone, one = decoder.prime(replace(first(whole, 4), category=CATEGORIES[row : row + 1]))
        for name, value in vars(as_mixture(alone)).items():
            wanted = vars(as_mixture(together))[name][row]
            np.testing.assert_allclose(value[0], wanted, rtol=1e-5, atol=1e-5)
        after, _ = decoder.advance(whole.offset[4:5], whole.pen[4:5], one)
        all_after, _ = decoder.advance(rows(whole.offset[4]), rows(whole.pen[4]), many)
        for name, value in vars(as_mixture(after)).items():
            wanted = vars(as_mixture(all_after))[name][row]
            np.testing.assert_allclose(value[0], wanted, rtol=1e-5, atol=1e-5)


@each_network
def test_some_may_go_on_with_the_last_stroke_and_others_not(shape: dict[str, Any]):
    decoder, whole = untrained.decoder(network(shape)), first(drawing(), 5)
    # An order that is not its own inverse.
    going_on = np.array([False, True, False, False, True])
    found, state = decoder.prime(replace(whole, going_on=going_on))
    after, _ = decoder.advance(rows(whole.offset[0]), rows(whole.pen[0]), state)
    for row, on in enumerate(going_on):
        pen = whole.pen.copy()
        pen[-1] = Pen.DRAW if on else whole.pen[-1]
        alone, one = decoder.prime(replace(whole, pen=pen, category=CATEGORIES[row : row + 1]))
        later, _ = decoder.advance(whole.offset[:1], whole.pen[:1], one)
        for single, among in ((as_mixture(alone), as_mixture(found)), (as_mixture(later), as_mixture(after))):
            for name, values in vars(among).items():
                value, wanted = values[row], vars(single)[name][0]
                np.testing.assert_allclose(value, wanted, rtol=1e-5, atol=1e-5, err_msg=name)


def test_a_state_may_be_gone_on_from_twice():
    decoder, whole = untrained.decoder(network()), drawing()
    _, state = decoder.prime(first(whole, 4))
    once, _ = decoder.advance(rows(whole.offset[4]), rows(whole.pen[4]), state)
    decoder.advance(rows(whole.offset[5]), rows(whole.pen[5]), state)
    again, _ = decoder.advance(rows(whole.offset[4]), rows(whole.pen[4]), state)
    assert all(np.array_equal(value, vars(again)[name]) for name, value in vars(once).items())


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
    assert np.array_equal(as_mixture(before).mean, as_mixture(after).mean)


@settings(max_examples=40)
@given(st.lists(st.integers(0, 1), min_size=1, max_size=8))
def test_traces_and_features_are_those_of_training(pens: list[int]):
    offset = np.arange(len(pens) * 2.0).reshape(-1, 2) - 3
    wanted = LearnedTrace.of_steps(
        torch.tensor(offset[None], dtype=torch.float32), torch.tensor(np.array([pens]))
    )
    features = wanted.features(torch.ones(1), 33.0)
    trace = PenState.begin(1)
    assert trace.pen[0] == Pen.END
    for step, pen in enumerate(pens):
        trace = trace.advanced(offset[step : step + 1], np.array([pen]))
        assert trace.points[0] == step + 1
        for name, value in vars(trace).items():
            if name == "points":
                continue
            assert np.array_equal(value, vars(wanted)[name][:, step]), name
        np.testing.assert_allclose(trace.features(True, 33.0), features[:, step], rtol=1e-6, atol=1e-7)
