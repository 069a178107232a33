from __future__ import annotations

import numpy as np
import pytest

from sketchgen.drawing.sketch import Completion, Sketch
from sketchgen.errors import CategoryError
from sketchgen.recognition.choosing import best_completions, best_rows, worth
from tests.support.recognisers import recogniser, scribbles

WHO = recogniser()
NAME = WHO.categories[1]


def test_what_the_recogniser_is_surest_of_is_worth_most():
    wholes = scribbles(9, 20, 31, 40)
    found = worth(WHO, wholes, NAME, [True] * 4)
    sure = np.exp(WHO.read(wholes).log_prob[:, 1])
    assert len(set(np.round(sure, 6))) == 4
    assert (np.argsort(found) == np.argsort(sure)).all()
    np.testing.assert_allclose(np.diff(found), np.diff(sure), atol=1e-12)


def test_what_was_not_ended_or_is_empty_comes_last():
    wholes = [Sketch(), *scribbles(9, 20), Sketch()]
    found = worth(WHO, wholes, NAME, [True, False, True, False])
    assert found.argmax() == 2
    assert found.argmin() == 3
    assert worth(WHO, [Sketch()], NAME, [True]).tolist() == [4.0]


def test_the_first_of_equals_is_the_best_of_its_row():
    worths = np.array([0.0, 1.0, 1.0, 5.0, 5.0, 2.0])
    assert best_rows(worths, 3).tolist() == [1, 3]
    assert best_rows(worths, 1).tolist() == [0, 1, 2, 3, 4, 5]
    assert best_rows(np.zeros(0), 4).tolist() == []


def test_each_completion_is_the_best_of_its_own_candidates():
    given, *added = scribbles(5, 9, 20, 31, 40, 12, 17)
    found = [Completion(given, each, True, 0.0) for each in added]
    sure = WHO.read([each.whole for each in found]).log_prob[:, 1].reshape(2, 3)
    wanted = [found[int(row.argmax()) + 3 * number] for number, row in enumerate(sure)]
    assert best_completions(WHO, found, NAME, 3) == wanted


def test_a_candidate_that_added_nothing_is_not_taken():
    given, added = scribbles(30, 9)
    found = [Completion(given, Sketch(), True, 0.0), Completion(given, added, True, 0.0)]
    for pair in (found, found[::-1]):
        (best,) = best_completions(WHO, pair, NAME, 2)
        assert best.added is added


def test_an_unknown_category_is_not_guessed():
    with pytest.raises(CategoryError, match="unicorn"):
        worth(WHO, scribbles(9), "unicorn", [True])
