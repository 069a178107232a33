"""Laws of guessing what a partial sketch is to become, on classifiers with random weights."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from itertools import islice

import numpy as np
import pytest

from sketchgen.completion.guessing import MAX_GUESSES, Guesses, shared_out
from sketchgen.models.config import ModelConfig
from sketchgen.models.recogniser import Guess, Recogniser
from sketchgen.ranking.ranker import Ranker
from sketchgen.sketch.sketch import Sketch
from tests.support import untrained
from tests.support.critics import reward_model
from tests.support.recognisers import CATEGORIES, recogniser, scribbles

SKETCH = scribbles(20)[0]
WHO = recogniser()
MODEL = replace(
    untrained.completer(ModelConfig((*CATEGORIES, "mud"), layers=1, width=16, components=3, encoder_width=8)),
    ranker=Ranker(WHO, reward_model()),
)


def guesses(*probabilities: float) -> list[Guess]:
    return [Guess(str(number), each) for number, each in enumerate(probabilities)]


@pytest.mark.parametrize(
    "probabilities", [(1.0,), (0.95, 0.05), (0.6, 0.2, 0.1), (0.3, 0.25, 0.2, 0.1), (0.02,) * 5]
)
def test_candidates_are_shared_out_in_proportion(probabilities: tuple[float, ...]) -> None:
    # The rare are given up; where all are rare, some candidates are drawn under no category.
    tried = [each for each in probabilities if each >= 0.1 * probabilities[0]]
    weight: dict[str | None, float] = {str(number): each for number, each in enumerate(tried)}
    weight |= {None: tried[0]} if sum(tried) < 0.5 else {}
    for count in (1, 2, 8, 32, 400):
        shares = Counter(islice(shared_out(guesses(*probabilities)), count))
        assert set(shares) <= set(weight)
        wanted = {name: count * each / sum(weight.values()) for name, each in weight.items()}
        assert all(abs(shares[name] - each) <= 1.5 for name, each in wanted.items())
    assert next(shared_out(guesses(*probabilities))) == "0"


def test_more_candidates_leave_the_first_ones_as_they_are() -> None:
    for sketch in (SKETCH, Sketch()):
        found = Guesses.of(WHO, CATEGORIES, sketch)
        assert found is not None
        many = list(islice(found.categories(3), 50))
        assert list(islice(found.categories(3), 7)) == many[:7]
        few, more = (MODEL.complete(sketch, count=count, seed=3, limit=9) for count in (2, 6))
        assert [each.category for each in more] == many[:6]
        assert [each.added for each in few] == [each.added for each in more[:2]]


def test_only_what_the_model_can_draw_is_guessed() -> None:
    found = Guesses.of(WHO, ("sun", "cat", "mud"), SKETCH)
    assert found is not None
    assert found.belief.sum() == pytest.approx(1.0)
    assert {guess.category for guess in found.top(9)} == {"sun", "cat"}
    belief = WHO.belief(SKETCH)
    assert found.top(1)[0].category == ("cat" if belief[0] > belief[2] else "sun")
    assert Guesses.of(WHO, ("mud",), SKETCH) is None
    assert [guess.category for guess in MODEL.guess(SKETCH, 2)] == [
        WHO.categories[row] for row in np.argsort(-belief)[:2]
    ]
    mud = replace(MODEL, decoder=untrained.completer(ModelConfig(("mud",), width=8, layers=1)).decoder)
    assert mud.guess(SKETCH) == []
    assert [each.category for each in mud.complete(SKETCH, count=2, best_of=2, limit=5)] == [None, None]


def test_from_nothing_each_is_of_a_category_at_random() -> None:
    assert MODEL.guess(Sketch()) == []
    found = [MODEL.complete(Sketch(), count=4, seed=seed, limit=5) for seed in range(6)]
    orders = [tuple(each.category for each in some) for some in found]
    assert all(set(order) == set(CATEGORIES) for order in orders)
    assert len(set(orders)) > 1
    best = MODEL.complete(Sketch(), count=2, seed=1, best_of=2, limit=5)
    assert {each.category for each in best} <= set(CATEGORIES)
    assert [each.category for each in MODEL.generate(count=4, seed=1, limit=5)] == list(orders[1])


def test_a_prior_is_taken_off_and_nothing_is_believed_of_nothing() -> None:
    plain = WHO.belief(SKETCH)
    np.testing.assert_allclose(plain, np.exp(WHO.read([SKETCH]).log_prob[0]))
    summary = {"calibration": {"log_prior": {"dog": 1.0, "unicorn": 3.0}}}
    wanted = plain * np.exp([0.0, -1.0, 0.0, 0.0])
    calibrated = Recogniser(WHO.network, "tiny", summary)
    np.testing.assert_allclose(calibrated.belief(SKETCH), wanted / wanted.sum())
    np.testing.assert_allclose(calibrated.belief(Sketch()), [0.25] * 4)


def test_a_stream_tells_the_guesses_at_once() -> None:
    first, *_, last = MODEL.stream(SKETCH, "Auto", 2, 0.7, 5, best_of=3, limit=9)
    assert list(first.guesses) == list(last.guesses) == MODEL.guess(SKETCH, MAX_GUESSES)
    completions = MODEL.complete(SKETCH, "auto", 2, 0.7, 5, best_of=3, limit=9)
    assert [each.added for each in last.completions or ()] == [each.added for each in completions]
    assert all(each.category == each.added.category for each in completions)
    told = next(MODEL.stream(SKETCH, "cat", 2, 0.7, 5, limit=9))
    assert told.guesses == ()


@pytest.mark.parametrize("count", [1, 400])
def test_a_dot_and_a_long_line_are_guessed_too(count: int) -> None:
    points = np.random.default_rng(0).uniform(0, 255, (count, 2)).cumsum(0)
    found = MODEL.complete(Sketch.from_strokes([points]), count=3, best_of=2, limit=9)
    assert len(found) == 3
    assert len({each.category for each in found} - {None}) >= 1
