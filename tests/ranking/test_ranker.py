from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from sketchgen.models.reward_model import RewardModel
from sketchgen.ranking.consensus import consensus
from sketchgen.ranking.geometry_prior import geometry_prior
from sketchgen.ranking.ranker import AGREED, SURE, SYMMETRIC, Ranker, best_of
from sketchgen.sketch.sketch import Completion, Sketch
from tests.support.critics import finished, reward_model
from tests.support.recognisers import recogniser, scribbles

WHO, JUDGE = recogniser(), reward_model()
NAME = WHO.categories[1]
BOTH = Ranker(WHO, JUDGE)


def test_both_have_a_say_and_what_they_agree_on():
    found = finished(9, 20, 31, 40)
    agreed = AGREED * consensus(found)
    assert agreed.std() > 0.1
    sure = WHO.read([each.whole for each in found]).log_prob[:, 1]
    good = JUDGE.scores(found, NAME)
    assert sure.argmax() != good.argmax()
    neat = geometry_prior(found)
    assert neat.std() > 0.1
    np.testing.assert_allclose(BOTH.worths(found, NAME), SURE * sure + good + agreed + neat)
    np.testing.assert_allclose(Ranker(WHO).worths(found, NAME), SURE * sure)


@pytest.mark.parametrize("category", [None, "unicorn"])
def test_what_the_recogniser_does_not_know_the_critic_chooses(category: str | None):
    found = finished(9, 20, 31, 40)
    wanted = JUDGE.scores(found, None) + AGREED * consensus(found) + geometry_prior(found)
    np.testing.assert_allclose(BOTH.worths(found, category), wanted)
    assert Ranker(WHO).worths(found, category).tolist() == [0.0] * 4
    assert Ranker(WHO).best_completions(found, category, 2) == [found[0], found[2]]


def test_of_drawings_from_nothing_the_critic_says_nothing():
    found = [Completion(Sketch(), each, True, 0.0) for each in scribbles(9, 20, 31)]
    sure = WHO.read([each.whole for each in found]).log_prob[:, 1]
    np.testing.assert_allclose(BOTH.worths(found, NAME), SURE * sure)


def test_an_empty_drawing_is_worth_nothing():
    blank = Completion(Sketch(), Sketch(), True, 0.0)
    found = [blank, *(Completion(Sketch(), each, True, 0.0) for each in scribbles(9))]
    assert BOTH.worths(found, NAME)[0] == -np.inf
    assert np.isfinite(BOTH.worths(found, NAME)[1])
    assert BOTH.worths([blank], NAME).tolist() == [-np.inf]
    assert BOTH.best_rows([], NAME, 4) == []


def test_each_completion_is_the_best_of_its_own_candidates():
    found = finished(9, 20, 31, 40, 12, 17)
    worth = BOTH.worths(found, NAME, 3).reshape(2, 3)
    for row, group in zip(worth, (found[:3], found[3:]), strict=True):
        # Networks that read more drawings at once round otherwise.
        np.testing.assert_allclose(row, BOTH.worths(group, NAME), atol=1e-4)
    wanted = [found[int(row.argmax()) + 3 * number] for number, row in enumerate(worth)]
    assert BOTH.best_completions(found, NAME, 3) == wanted
    assert wanted != [found[0], found[3]]
    assert BOTH.best_completions(found, NAME, 1) == found


def test_a_candidate_that_added_nothing_or_did_not_end_is_not_taken():
    given, added = scribbles(30, 9)
    good = Completion(given, added, True, 0.0)
    for bad in (Completion(given, Sketch(), True, 0.0), replace(good, ended=False)):
        for pair in ([bad, good], [good, bad]):
            assert BOTH.best_completions(pair, NAME, 2) == [good]


class Says(RewardModel):
    """A critic of fixed opinions, which stand in its summary."""

    def scores(self, completions: Sequence[Completion], category: str | None) -> np.ndarray:
        return np.array(self.summary["said"][: len(completions)], dtype=float)


def lines(*places: float) -> list[Completion]:
    """A vertical line each, beside a frame that is given."""
    given = Sketch.from_strokes([[(0, 0), (255, 0), (255, 255), (0, 255), (0, 0)]])
    return [Completion(given, Sketch.from_strokes([[(x, 20), (x, 235)]]), True, 0.0) for x in places]


def saying(*scores: float) -> Ranker:
    return Ranker(WHO, Says(JUDGE.network, JUDGE.name, {"said": scores}))


def test_the_best_of_all_comes_first_and_each_once():
    found = finished(9, 20, 31, 40, 12, 17)
    rows = BOTH.several_rows(found, NAME, 4)
    assert rows[0] == BOTH.worths(found, NAME).argmax()
    assert len(set(rows)) == 4
    assert sorted(BOTH.several_rows(found, NAME, 9)) == list(range(6))
    assert BOTH.several_rows(found, NAME, 1) == rows[:1]
    assert BOTH.several_rows([], NAME, 3) == []


def test_further_ones_are_what_those_before_lack():
    found = lines(40, 41, 42, 43, 120, 121, 200)
    assert saying(*[0.0] * 7).several_rows(found, None, 3)[1:] in ([4, 6], [5, 6])
    # What is worth much more comes before what is merely another thing: by odds, not by number.
    assert saying(0, 0, 0, 0, 0, 0, 20).several_rows(found, None, 2)[0] == 6
    assert saying(9, 9, 9, 9, -9, -9, 0).several_rows(found, None, 3)[1] == 6
    # All are alike: then what is worth more.
    assert saying(0, 3, 1).several_rows(lines(40, 40, 40), None, 3) == [1, 2, 0]


def test_what_was_not_drawn_or_not_ended_comes_last():
    found = lines(40, 120, 200)
    found[0] = replace(found[0], ended=False)
    found[1] = replace(found[1], added=Sketch())
    assert saying(9, 9, 0).several_rows(found, None, 3) == [2, 0, 1]
    # Even where it is what all before it lack most.
    found = [*lines(40, 200), *(replace(each, ended=False) for each in lines(120, 121))]
    assert saying(9, -9, 0, 0).several_rows(found, None, 3)[:2] == [0, 1]


@pytest.mark.parametrize("chooser", [BOTH, Ranker(WHO)])
def test_from_nothing_or_without_a_critic_each_is_the_best_of_its_own(chooser: Ranker):
    given = [replace(each, given=Sketch()) for each in finished(9, 20, 31, 40, 12, 17)]
    assert chooser.several_rows(given, NAME, 2) == chooser.best_rows(given, NAME, 3)
    found = finished(9, 20, 31, 40)
    assert Ranker(WHO).several_rows(found, NAME, 2) == Ranker(WHO).best_rows(found, NAME, 2)


def test_the_order_of_candidates():
    assert best_of([True] * 3, [True] * 3, [1.0, 5.0, 2.0]) == 1
    assert best_of([True] * 3, [True] * 3, [1.0, 5.0, 5.0]) == 1
    assert best_of([True] * 3, [True, False, True], [1.0, 5.0, 2.0]) == 2
    assert best_of([False, True, True], [True, False, False], [9.0, 1.0, 2.0]) == 2
    assert best_of([False, False], [False, True], [9.0, 1.0]) == 1


def test_of_ways_that_are_worth_the_same_the_neat_one_is_taken():
    given = Sketch.from_strokes([[(0, 0), (255, 0), (255, 255), (0, 255), (0, 0)]])
    scribble = Sketch.from_strokes([[(2, 40), (2, 200), (90, 10), (280, 90), (280, 120), (90, 200)]])
    circle = Sketch.from_strokes([[(90, 90), (160, 90), (160, 160), (90, 160), (90, 90)]])
    found = [Completion(given, scribble), Completion(given, circle)]
    chooser = saying(0, 0)
    assert chooser.best_rows(found, None, 2) == [1]
    assert chooser.several_rows(found, None, 2) == [1, 0]
    assert saying(40, 0).best_rows(found, None, 2) == [0]
    # Without a critic nobody looks at what was added.
    assert Ranker(WHO).best_rows(found, None, 2) == [0]


def test_symmetry_has_a_say():
    found = finished(9, 20, 31, 40)
    plain = BOTH.worths(found, NAME)
    image = [*found[:3], replace(found[3], symmetry=0.8)]
    np.testing.assert_allclose(BOTH.worths(image, NAME) - plain, [0.0, 0.0, 0.0, 0.8 * SYMMETRIC], atol=1e-9)
    np.testing.assert_allclose(Ranker(WHO).worths(image, NAME), Ranker(WHO).worths(found, NAME))
