from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from sketchgen.drawing.sketch import Completion, Sketch
from sketchgen.recognition.agreement import agreements
from sketchgen.recognition.choosing import AGREED, SURE, Chooser, best_of
from tests.support.critics import critic, finished
from tests.support.recognisers import recogniser, scribbles

WHO, JUDGE = recogniser(), critic()
NAME = WHO.categories[1]
BOTH = Chooser(WHO, JUDGE)


def test_both_have_a_say_and_what_they_agree_on():
    found = finished(9, 20, 31, 40)
    agreed = AGREED * agreements(found)
    assert agreed.std() > 0.1
    sure = WHO.read([each.whole for each in found]).log_prob[:, 1]
    good = JUDGE.scores(found, NAME)
    assert sure.argmax() != good.argmax()
    np.testing.assert_allclose(BOTH.worths(found, NAME), SURE * sure + good + agreed)
    np.testing.assert_allclose(Chooser(WHO).worths(found, NAME), SURE * sure)


@pytest.mark.parametrize("category", [None, "unicorn"])
def test_what_the_recogniser_does_not_know_the_critic_chooses(category: str | None):
    found = finished(9, 20, 31, 40)
    wanted = JUDGE.scores(found, None) + AGREED * agreements(found)
    np.testing.assert_allclose(BOTH.worths(found, category), wanted)
    assert Chooser(WHO).worths(found, category).tolist() == [0.0] * 4
    assert Chooser(WHO).best_completions(found, category, 2) == [found[0], found[2]]


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


def test_the_order_of_candidates():
    assert best_of([True] * 3, [True] * 3, [1.0, 5.0, 2.0]) == 1
    assert best_of([True] * 3, [True] * 3, [1.0, 5.0, 5.0]) == 1
    assert best_of([True] * 3, [True, False, True], [1.0, 5.0, 2.0]) == 2
    assert best_of([False, True, True], [True, False, False], [9.0, 1.0, 2.0]) == 2
    assert best_of([False, False], [False, True], [9.0, 1.0]) == 1
