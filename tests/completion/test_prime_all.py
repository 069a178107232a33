"""Several given parts that are read together: of each is said what is said of it alone."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from sketchgen.completion import sampler
from sketchgen.completion.guidance import Guided
from sketchgen.completion.sampler import ReadsMany, Stepper, prime_all
from sketchgen.models.numpy_stroke_model import Decoder, Prefix
from sketchgen.models.trees import taken
from sketchgen.sketch.strokes import Pen
from tests.support import untrained

each_network = pytest.mark.parametrize("shape", untrained.SHAPES, ids=str)
LENGTHS = (7, 0, 1, 12, 3, 0, 7)


def parts(*, known: bool) -> list[Prefix]:
    random = np.random.default_rng(1)
    found = []
    for number, count in enumerate(LENGTHS):
        offset, pen = np.rint(random.normal(size=(count, 2)) * 30), random.integers(0, 2, count)
        going_on = np.array([number % 2 == 0]) if number < 4 else None
        found.append(Prefix(offset, pen, np.array([number % 3]), known, going_on))
    return found


def steps(random: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    return random.normal(size=(len(LENGTHS), 2)) * 20, random.integers(0, 2, len(LENGTHS))


def check(model: Stepper, given: list[Prefix]) -> None:
    """The next steps are as likely as where each is read alone."""
    random = np.random.default_rng(2)
    found, state = prime_all(model, given)
    alone = [model.prime(each) for each in given]
    for _ in range(4):
        offset, pen = steps(random)
        ends = np.full(len(given), int(Pen.END))
        for wanted in (pen, ends):
            told = found.log_prob(offset, wanted)
            one = [
                each.log_prob(offset[row : row + 1], wanted[row : row + 1])[0]
                for row, (each, _) in enumerate(alone)
            ]
            np.testing.assert_allclose(told, one, rtol=1e-4, atol=1e-4)
        found, state = model.advance(offset, pen, state)
        alone = [
            model.advance(offset[row : row + 1], pen[row : row + 1], each)
            for row, (_, each) in enumerate(alone)
        ]


@each_network
@pytest.mark.parametrize("known", [True, False])
def test_each_is_read_as_it_is_alone(shape: dict[str, Any], known: bool):
    decoder = untrained.decoder(untrained.network(untrained.shaped(shape)))
    assert isinstance(decoder, ReadsMany)
    check(decoder, parts(known=known))


@each_network
def test_under_guidance_both_halves_are(shape: dict[str, Any]):
    network = untrained.network(untrained.shaped(shape))
    guided = Guided(untrained.decoder(network), network.config.any_category, 2.0)
    check(guided, parts(known=False))
    one, _ = guided.prime(parts(known=False)[3])
    both, _ = prime_all(guided, parts(known=False))
    for told, alone in ((both.told, one.told), (both.free, one.free)):
        np.testing.assert_allclose(taken(told, np.array([3])).end, alone.end, rtol=1e-4, atol=1e-4)


def test_many_are_read_in_portions(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(sampler, "AT_ONCE", 2)
    read: list[list[int]] = []
    real = Decoder.prime_all

    def seen(self: Decoder, given: list[Prefix]) -> Any:
        read.append([len(each.pen) for each in given])
        return real(self, given)

    monkeypatch.setattr(Decoder, "prime_all", seen)
    check(untrained.decoder(untrained.network(untrained.shaped({}))), parts(known=True))
    # Those of like length together, and none that is empty.
    assert read == [[1, 3], [7, 7], [12]]


def test_what_cannot_read_many_reads_one_after_the_other():
    class One:
        """A network that reads no more than one."""

        ways = 1

        def __init__(self, network: Decoder) -> None:
            self.prime, self.advance = network.prime, network.advance

    decoder = untrained.decoder(untrained.network(untrained.shaped({})))
    assert isinstance(decoder, Decoder)
    one = One(decoder)
    assert not isinstance(one, ReadsMany)
    check(one, parts(known=True))
