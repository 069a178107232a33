"""Laws of the ranker on networks with random weights, and on reward models of fixed opinions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from sketchgen.models.reward_model import RewardModel
from sketchgen.ranking.consensus import consensus
from sketchgen.ranking.geometry_prior import geometry_prior, measures
from sketchgen.ranking.ranker import CONSENSUS, RECOGNISER, SYMMETRY, Candidate, Ranker, load_ranker
from sketchgen.sketch.sketch import Completion, Sketch
from tests.support.critics import finished, reward_model
from tests.support.recognisers import recogniser, scribbles

WHO, JUDGE = recogniser(), reward_model()
NAME = WHO.categories[1]
BOTH, ALONE = Ranker(WHO, JUDGE), Ranker(WHO)


def some(completions: Sequence[Completion]) -> list[Candidate]:
    return [Candidate(each) for each in completions]


def lines(*places: float) -> list[Candidate]:
    """A vertical line each, beside a frame that is given."""
    given = Sketch.from_strokes([[(0, 0), (255, 0), (255, 255), (0, 255), (0, 0)]])
    return some([Completion(given, Sketch.from_strokes([[(x, 20), (x, 235)]])) for x in places])


def changed(candidate: Candidate, **changes: object) -> Candidate:
    return replace(candidate, completion=replace(candidate.completion, **changes))  # pyright: ignore


class Says(RewardModel):
    """A reward model of fixed scores, which stand in its summary."""

    def scores(self, completions: Sequence[Completion], category: object) -> np.ndarray:
        return np.array(self.summary["said"][: len(completions)], dtype=float)


def saying(*scores: float) -> Ranker:
    return Ranker(WHO, Says(JUDGE.network, JUDGE.name, {"said": scores}))


def test_the_score_is_the_sum_of_its_parts():
    found = finished(9, 20, 31, 40)
    agreed, prior = CONSENSUS * consensus(found), geometry_prior(measures(found, [NAME] * 4))
    sure = RECOGNISER * WHO.read([each.whole for each in found]).log_prob[:, 1]
    good = JUDGE.scores(found, NAME)
    assert agreed.std() > 0.1
    assert prior.std() > 0.1
    assert sure.argmax() != good.argmax()
    np.testing.assert_allclose(BOTH.scores(some(found), NAME), sure + good + agreed + prior)
    np.testing.assert_allclose(ALONE.scores(some(found), NAME), sure)
    image = [*some(found[:3]), Candidate(found[3], 0.8)]
    more = BOTH.scores(image, NAME) - BOTH.scores(some(found), NAME)
    np.testing.assert_allclose(more, [0.0, 0.0, 0.0, 0.8 * SYMMETRY], atol=1e-9)


def test_a_belief_stands_for_the_category():
    found = finished(9, 20, 31, 40)
    for belief in (np.array([0.0, 1.0, 0.0, 0.0]), np.array([0.5, 0.3, 0.2, 0.0])):
        guessed = [Candidate(replace(each, category=NAME), belief=belief) for each in found]
        seen = np.exp(WHO.read([each.whole for each in found]).log_prob) @ belief
        told = (
            BOTH.scores(some(found), NAME)
            - RECOGNISER * WHO.read([each.whole for each in found]).log_prob[:, 1]
        )
        np.testing.assert_allclose(BOTH.scores(guessed, None), told + RECOGNISER * np.log(seen), atol=1e-5)
    # The reward model and the geometry prior are told what each was drawn as.
    names = ["cat", "dog", None, "sun"]
    mixed = [
        Candidate(replace(each, category=name), belief=belief)
        for each, name in zip(found, names, strict=True)
    ]
    alone = [JUDGE.scores([each], name)[0] for each, name in zip(found, names, strict=True)]
    told = [JUDGE.scores([each], NAME)[0] for each in found]
    shift = BOTH.scores(mixed, None) - BOTH.scores(guessed, None)
    usual = geometry_prior(measures(found, names)) - geometry_prior(measures(found, [NAME] * 4))
    np.testing.assert_allclose(shift, np.subtract(alone, told) + usual, atol=1e-4)


def test_from_nothing_each_is_to_be_what_it_was_drawn_as():
    belief = np.full(4, 0.25)
    found = [Completion(Sketch(), sketch, category=NAME) for sketch in scribbles(9, 20, 31)]
    mixed = [replace(each, category=name) for each, name in zip(found, ("cat", "dog", "tree"), strict=True)]
    log_prob = WHO.read([each.added for each in found]).log_prob
    scores = BOTH.scores([Candidate(each, belief=belief) for each in mixed], None)
    np.testing.assert_allclose(scores, RECOGNISER * log_prob[[0, 1, 2], [0, 1, 3]])


@pytest.mark.parametrize("category", [None, "unicorn"])
def test_a_category_that_the_recogniser_does_not_know_does_not_count(category: str | None):
    found = finished(9, 20, 31, 40)
    wanted = JUDGE.scores(found, None) + CONSENSUS * consensus(found)
    wanted = wanted + geometry_prior(measures(found))
    np.testing.assert_allclose(BOTH.scores(some(found), category), wanted)
    assert ALONE.rank(some(found), category) == [0, 1, 2, 3]
    assert not ALONE.can_rank(found[0].given, category)
    assert BOTH.can_rank(found[0].given, category)
    assert not BOTH.can_rank(Sketch(), category)
    assert BOTH.can_rank(Sketch(), NAME)


def test_from_nothing_only_the_recogniser_counts():
    found = [Completion(Sketch(), each) for each in [Sketch(), *scribbles(9, 20, 31)]]
    sure = WHO.read([each.whole for each in found[1:]]).log_prob[:, 1]
    np.testing.assert_allclose(BOTH.scores(some(found), NAME), [-np.inf, *(RECOGNISER * sure)])
    order = [*(1 + np.argsort(-sure)).tolist(), 0]
    assert BOTH.rank(some(found), NAME) == order
    assert BOTH.select(some(found), NAME, 2) == order[:2]
    assert BOTH.select(some(found[:1] * 3), NAME, 2) == [0, 1]


def test_without_networks_the_likelihood_a_point_decides():
    given, *added = scribbles(11, 10, 20, 40)
    nats = (-30.0, -50.0, -140.0)
    found = [Completion(given, each, True, log) for each, log in zip(added, nats, strict=True)]
    assert load_ranker("likelihood").rank(some(found), None) == [1, 0, 2]
    assert load_ranker("likelihood").can_rank(Sketch(), None)


def test_something_comes_before_nothing_and_ended_before_stopped():
    assert saying(0, 5, 5).rank(lines(40, 40, 40), None) == [1, 2, 0]
    found = lines(40, 120, 200)
    found = [changed(found[0], ended=False), changed(found[1], added=Sketch()), found[2]]
    for choose in (Ranker.rank, lambda ranker, *rest: ranker.select(*rest, 3)):
        assert choose(saying(9, 9, 0), found, None) == [2, 0, 1]
    # Even where it adds most to those before.
    found = [*lines(40, 200), *(changed(each, ended=False) for each in lines(120, 121))]
    assert saying(9, -9, 0, 0).select(found, None, 3)[:2] == [0, 1]


def test_the_geometry_prior_decides_between_equals():
    given = Sketch.from_strokes([[(0, 0), (255, 0), (255, 255), (0, 255), (0, 0)]])
    scribble = Sketch.from_strokes([[(40, 40), (40, 200), (90, 10), (280, 90), (280, 120), (90, 200)]])
    circle = Sketch.from_strokes([[(90, 90), (160, 90), (160, 160), (90, 160), (90, 90)]])
    found = some([Completion(given, scribble), Completion(given, circle)])
    assert saying(0, 0).rank(found, None) == saying(0, 0).select(found, None, 2) == [1, 0]
    assert saying(40, 0).rank(found, None) == [0, 1]
    assert ALONE.rank(found, None) == [0, 1]


def test_a_set_begins_with_the_best_and_has_each_once():
    found = some(finished(9, 20, 31, 40, 12, 17))
    rows = BOTH.select(found, NAME, 4)
    assert rows[0] == BOTH.rank(found, NAME)[0] == BOTH.scores(found, NAME).argmax()
    assert len(set(rows)) == 4
    assert sorted(BOTH.select(found, NAME, 9)) == list(range(6))
    assert BOTH.select(found, NAME, 1) == rows[:1]
    assert BOTH.select([], NAME, 3) == BOTH.rank([], NAME) == []
    # Of equals the one that another agrees with.
    assert saying(0, 0, 0).select(lines(200, 100, 104), None, 1) == [1]


def test_a_thin_image_in_a_mirror_is_not_first_where_a_fuller_candidate_without_a_flaw_is():
    ear, other = [(40, 60), (60, 0), (90, 30)], [(215, 60), (195, 0), (165, 30)]
    turn = np.linspace(0.0, 2.0 * np.pi, 24)
    given = Sketch.from_strokes([np.stack([127 + 100 * np.cos(turn), 130 + 100 * np.sin(turn)], 1), ear])

    def ring(x: float, y: float, radius: float) -> np.ndarray:
        return np.stack([x + radius * np.cos(turn), y + radius * np.sin(turn)], 1)

    whiskers = [
        [(x, 150), (x + 60 * side, 140 + 12 * n)] for side, x in ((-1, 90), (1, 165)) for n in range(3)
    ]
    face = [other, ring(90, 105, 12), ring(165, 105, 12), ring(127, 145, 8), *whiskers]
    thin, full = (Completion(given, Sketch.from_strokes(strokes)) for strokes in ([other], face))
    candidates = [Candidate(thin, symmetry=1.0), Candidate(full), Candidate(full)]
    assert saying(30.0, 0.0, 0.0).rank(candidates, "cat")[0] == 1
    assert saying(30.0, 0.0, 0.0).select(candidates, "cat", 2)[0] == 1
    # Where all are thin, the score decides.
    assert saying(30.0, 0.0).rank([Candidate(thin), Candidate(thin)], "cat") == [0, 1]


def test_a_candidate_without_a_flaw_comes_before_one_that_draws_the_given_part_again():
    candidates = lines(3, 60, 252, 120)
    equal = saying(9.0, 0.0, 9.0, 0.0)
    assert set(equal.rank(candidates, None)[:2]) == {1, 3}
    assert set(equal.select(candidates, None, 2)) == {1, 3}
    assert sorted(equal.select(candidates, None, 4)) == [0, 1, 2, 3]
