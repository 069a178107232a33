"""Groups of ways to finish a drawing: the person's first, the model's, and one that was spoiled."""

from __future__ import annotations

import numpy as np
import pytest

from sketchgen.models.classifier import GROUP
from sketchgen.models.reward_model import resimplified
from sketchgen.training import reward_batches as critic_lessons
from sketchgen.training.reward_batches import TOLD, CriticLesson, CriticLessons, Group, critic_lesson
from tests.support.recognisers import scribbles


def group(number: int, ways: int = 3, points: int = 12) -> Group:
    given, rest, *others = (
        list(each.strokes) for each in scribbles(points, 9, *[9 + way for way in range(ways)], seed=number)
    )
    shown = [resimplified(given, each) for each in others]
    worths = [0.1 * way for way in range(ways)]
    return Group(number % 4, given, rest, resimplified(given, rest), shown, worths)


@pytest.fixture
def with_people(monkeypatch: pytest.MonkeyPatch) -> None:
    """No groups of the model's ways alone."""
    monkeypatch.setattr(critic_lessons, "ALONE", 0.0)


def same(one: CriticLesson, two: CriticLesson) -> bool:
    return all(np.array_equal(value, vars(two)[name]) for name, value in vars(one).items())


def test_batch_number_i_is_the_same_whenever_it_is_asked_for():
    groups = [group(number) for number in range(10)]
    one, two = CriticLessons(groups, 4, 3, 7), CriticLessons(groups, 4, 3, 7)
    found = [one[number] for number in range(9)]
    assert all(same(two[number], found[number]) for number in (8, 2, 5, 0))
    assert not same(found[0], found[4])
    assert not same(CriticLessons(groups, 4, 3, 8)[0], found[0])


def test_an_epoch_shows_every_group_once():
    groups = [group(number, points=5 + number) for number in range(10)]
    lessons = CriticLessons(groups, 4, 3, 7)
    plan = lessons._planned(2)
    assert sorted(np.concatenate(plan).tolist()) == list(range(10))
    assert sorted(map(len, plan)) == [1, 3, 3, 3]
    # Those of a batch are about as long.
    lengths = [[groups[row].longest for row in rows] for rows in plan]
    assert all(max(part) - min(part) <= 4 for part in lengths)


def test_the_persons_way_comes_first_and_all_are_changed_alike(with_people: None):
    one = group(1)
    lesson = critic_lesson([one, group(2)], 4, np.random.default_rng(0))
    assert lesson.steps.shape[0] == 2 * GROUP
    assert lesson.answer.tolist() == [[1.0, 0.0, 0.0, 0.0, 0.0]] * 2
    assert lesson.length[0] == len(one.real.lift)
    assert sorted(lesson.length[1 : GROUP - 1]) == sorted(len(each.lift) for each in one.others)
    assert lesson.inputs == (lesson.steps, lesson.length, lesson.told)
    # How far the other ink is, which no change touches, tells the ways apart.
    near = np.exp(-one.real.to_other_part / 6.0)
    np.testing.assert_allclose(lesson.steps[0, : lesson.length[0], 14], near, rtol=1e-5)
    assert not any(np.allclose(np.exp(-each.to_other_part[:20] / 6.0), near[:20]) for each in one.others)
    # Which points were added is told of each.
    assert lesson.steps[0, : lesson.length[0], 13].tolist() == one.real.added.astype(float).tolist()


def test_where_the_model_has_fewer_ways_some_come_twice(with_people: None):
    lesson = critic_lesson([group(1, ways=1)], 4, np.random.default_rng(0))
    assert len(set(lesson.length[1 : GROUP - 1].tolist())) == 1


def test_a_tenth_is_not_told_the_category():
    lesson = critic_lesson([group(3)] * 400, 4, np.random.default_rng(0))
    told = lesson.told.reshape(400, GROUP)
    assert (told == told[:, :1]).all()
    assert set(told[:, 0].tolist()) == {3, 4}
    assert abs((told[:, 0] == 3).mean() - TOLD) < 0.05


def test_what_was_spoiled_is_neither_the_persons_way_nor_without_it(with_people: None):
    one = group(1, points=30)
    shares = []
    for seed in range(40):
        lesson = critic_lesson([one], 4, np.random.default_rng(seed))
        last = lesson.steps[-1, : lesson.length[-1]]
        added = last[:, 13] == 1
        assert added.any()
        assert (~added).sum() == (~one.real.added).sum()
        shares.append(added.sum() / one.real.added.sum())
    # Some are moved or of another size, and have all of it; of some a part is missing.
    assert 0.2 < np.mean(np.isclose(shares, 1.0)) < 0.8


def test_most_groups_are_of_the_models_ways_and_say_what_they_are_worth():
    one = group(3, ways=8)
    lesson = critic_lesson([one] * 500, 4, np.random.default_rng(0))
    alone = lesson.answer[:, 0] < 1.0
    assert abs(alone.mean() - critic_lessons.ALONE) < 0.06
    np.testing.assert_allclose(lesson.answer.sum(1), 1.0, rtol=1e-6)
    length = lesson.length.reshape(-1, GROUP)
    near = lesson.steps[..., 14].reshape(500, GROUP, -1)
    for row in np.flatnonzero(alone)[:20]:
        # Which of the ways each one is shows in how far the other ink is, which no change touches.
        chosen = []
        for way in range(GROUP):
            far = [
                np.exp(-each.to_other_part / 6.0) if len(each.lift) == length[row, way] else np.zeros(0)
                for each in one.others
            ]
            (number,) = (
                index
                for index, each in enumerate(far)
                if len(each) and np.allclose(each, near[row, way, : len(each)], atol=1e-5)
            )
            chosen.append(number)
        assert len(set(chosen)) == GROUP
        # A way that is worth 0.25 less is e times less likely the best.
        worths = np.array([one.worths[number] for number in chosen])
        likely = np.log(lesson.answer[row])
        np.testing.assert_allclose(likely - likely[0], (worths - worths[0]) / 0.25, atol=1e-4)


def test_a_way_alone_is_compared_with_the_persons():
    lesson = critic_lesson([group(1, ways=1)] * 40, 4, np.random.default_rng(0))
    assert (lesson.answer[:, 0] == 1.0).all()
