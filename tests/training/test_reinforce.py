"""Practising: what ways are worth, whose gains are learned from, and that it is learned."""

from __future__ import annotations

import csv
import itertools
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import recognisers
import torch

from sketchgen.data.prepare import prepare
from sketchgen.data.store import Store
from sketchgen.errors import SettingError
from sketchgen.evaluation.finishing import completion_values
from sketchgen.evaluation.likelihood import step_log_prob
from sketchgen.models import numpy_classifier as numbers
from sketchgen.models.checkpoint import read_checkpoint, save_checkpoint
from sketchgen.models.stroke_model import StrokeModel, load_network
from sketchgen.sketch.sketch import Points, Sketch
from sketchgen.sketch.strokes import Pen
from sketchgen.training import recognition_reward as naming
from sketchgen.training import reinforce as practising
from sketchgen.training import reinforce_batches as practice
from sketchgen.training import rewards
from sketchgen.training.config import ReinforceConfig, TrainConfig
from sketchgen.training.recognition_reward import Namer, load_namer
from sketchgen.training.reinforce import Practising, advantages, way_log_prob
from sketchgen.training.reinforce_batches import Lines, Opening, Openings, Practice, opened, together
from sketchgen.training.rewards import Missing, ink, worth
from sketchgen.training.rollout import Samples
from sketchgen.training.stroke_task import StrokeTask
from sketchgen.training.trainer import fit
from tests.support import untrained
from tests.support.runs import StopAfter, check_same, small

NAMES = ("cat", "fish", "house", "sun")
CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def folder(sample_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store and a model that scribbles."""
    place = tmp_path_factory.mktemp("practised")
    prepare([sample_dir / f"{name}.ndjson" for name in NAMES], place / "store")
    untrained.small_checkpoint(place / "model", NAMES)
    return place


@pytest.fixture
def network(folder: Path) -> StrokeModel:
    return load_network(folder / "model")[0]


def judge(folder: Path, categories: tuple[str, ...]) -> Path:
    save_checkpoint(folder, recognisers.network(recognisers.small(categories=categories)), {})
    return folder


def openings(folder: Path, count: int = 6, seed: int = 1) -> Practice:
    return Practice(Store.open(folder / "store").split("train"), NAMES, count, seed)


def drawn(random: np.random.Generator, near: list[Points] | None = None) -> list[Points]:
    """Some strokes; near others where there are such."""
    if near is not None and random.random() < 0.7:
        return [stroke + random.normal(size=2) * random.choice([3.0, 12.0, 40.0]) for stroke in near]
    sizes = random.integers(1, 9, size=random.integers(1, 5))
    return [
        random.uniform(20, 235, 2) + np.cumsum(random.normal(size=(size, 2)) * 15.0, axis=0) for size in sizes
    ]


def lines(drawings: list[list[Points]]) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    found = Lines.of(drawings)
    return found.points, found.begins, found.there


def test_ways_are_worth_what_they_are_worth_one_by_one():
    random = np.random.default_rng(3)
    given, rest = ([], [])
    for _ in range(150):
        one, two = drawn(random), drawn(random)
        # In the box of the whole, as the drawings of a store are.
        size = 255.0 / np.ptp(np.concatenate([*one, *two]), axis=0).max()
        given.append([stroke * size for stroke in one])
        rest.append([stroke * size for stroke in two])
    added = [drawn(random, near) for near in rest]
    expected = np.array(
        [completion_values(*each)[0] for each in zip(given, rest, [[way] for way in added], strict=True)]
    )
    boxed = together(
        [
            Opening(np.zeros((1, 2)), np.array([1]), False, 1.0, np.zeros(2), one, two)
            for one, two in zip(given, rest, strict=True)
        ],
        [0] * 150,
    )
    found = worth(boxed.missing(), ink(*lines(added)), torch.ones(150, dtype=torch.bool)).numpy()
    assert np.corrcoef(found, expected)[0, 1] > 0.95
    assert np.abs(found - expected).mean() < 0.12
    assert 0.2 < np.mean(expected > 1.0) < 0.8
    less = worth(boxed.missing(), ink(*lines(added)), torch.zeros(150, dtype=torch.bool)).numpy()
    assert np.allclose(less, found - 1.0, atol=1e-5)


def test_ink_is_as_long_as_the_lines_and_lies_on_them():
    line, dot = np.array([[0.0, 0], [30, 0], [30, 40]]), np.array([[100.0, 100]])
    found = ink(*lines([[line], [line, dot], [dot], [line * 100.0]]))
    assert found.amount.tolist() == pytest.approx([70.0, 71.0, 1.0, 7000.0])
    assert found.there.sum(1).tolist() == [24, 24, 1, rewards.PIECES]
    middle, way = found.middle[0][found.there[0]], found.way[0][found.there[0]]
    flat = middle[:, 0] < 29.9
    assert torch.allclose(middle[flat][:, 1], torch.zeros(1))
    assert torch.allclose(middle[~flat][:, 0], torch.tensor(30.0))
    assert torch.allclose(way[flat], torch.tensor([1.0, 0.0]))
    assert torch.allclose(way[~flat], torch.tensor([0.0, 1.0]))
    assert torch.allclose(middle[:10, 0].diff(), torch.tensor(70.0 / 24), atol=1e-4)
    assert found.middle[2][0].tolist() == [100.0, 100.0]
    assert found.way[2][0].tolist() == [0.0, 0.0]


def test_a_way_is_finished_only_if_nothing_is_lacking():
    given = [np.array([[20.0, 20], [235, 20], [235, 235]])]
    rest = [np.array([[235.0, 235], [20, 235], [20, 20]])]
    half, twice = [rest[0][:2]], [*rest, rest[0] + 8.0, rest[0] - 8.0]
    # All of what is missing, and as much again far from it.
    beside = [*rest, np.array([[130.0, 60], [130, 180], [190, 60], [190, 180], [150, 60], [150, 180]])]
    ways = [rest, [half[0][:, ::-1] * 0.4 + 60.0], twice, beside, [*rest, *given]]
    box = together([Opening(np.zeros((1, 2)), np.array([1]), False, 1.0, np.zeros(2), given, rest)], [0])
    rows = torch.zeros(len(ways), dtype=torch.int64)
    found = worth(box.missing()[rows], ink(*lines(ways)), torch.ones(len(ways), dtype=torch.bool)).tolist()
    expected = completion_values(given, rest, ways)
    assert found == pytest.approx(expected, abs=0.12)
    assert [value > 1.3 for value in found] == [True, False, False, False, False]


def test_the_end_counts_only_where_the_model_came_to_it(folder: Path):
    found = openings(folder)[0]
    steps = practising.told_apart(load_network(folder / "model")[0], found, torch.ones(6), 1)
    more = torch.full((6, 4), int(Pen.DRAW))
    pen = torch.cat([steps.pen, more], 1)
    ways = Samples(
        torch.cat([steps.offset, torch.zeros(6, 4, 2)], 1),
        pen,
        found.cut,
        torch.full((6,), pen.shape[1]),
        torch.tensor([True, False] * 3),
    )
    scored = practising.ways_batch(steps, ways).scored.sum(1)
    added = pen.shape[1] - found.cut
    assert torch.equal(scored, added + torch.tensor([1, 0] * 3))


def best_of_gains(values: np.ndarray, best_of: int) -> list[float]:
    """By all choices, one after the other."""
    gains = []
    for one in range(len(values)):
        others = [other for other in range(len(values)) if other != one]
        with_it = [max(values[[one, *some]]) for some in itertools.combinations(others, best_of - 1)]
        without = [max(values[list(some)]) for some in itertools.combinations(others, best_of)]
        gains.append(float(np.mean(with_it) - np.mean(without)))
    return gains


@pytest.mark.parametrize("best_of", [1, 2, 3, 6])
def test_a_way_gains_what_the_best_of_some_gains_by_it(best_of: int):
    values = np.random.default_rng(2).normal(size=(4, 7))
    values[1, 3] = values[1, 5]
    found = advantages(torch.from_numpy(values), best_of).numpy()
    assert np.allclose(found, [best_of_gains(row, best_of) for row in values], atol=1e-6)
    if best_of == 1:
        assert np.allclose(found.sum(1), 0.0, atol=1e-6)


def test_of_as_many_as_there_are_none_is_the_best_without_the_others():
    with pytest.raises(ValueError, match="best of 7"):
        advantages(torch.zeros(1, 7), 7)


def test_beginnings_are_the_same_for_the_same_number(folder: Path):
    one, again, other = openings(folder)[3], openings(folder)[3], openings(folder)[4]
    assert torch.equal(one.offset, again.offset)
    assert torch.equal(one.rest.points, again.rest.points)
    assert one.offset.shape != other.offset.shape or not torch.equal(one.offset, other.offset)


def test_what_is_given_and_what_is_missing_is_the_drawing(folder: Path):
    drawings = Store.open(folder / "store").split("train").drawings()
    random = np.random.default_rng(0)
    known = [opened(drawings.sketch(row), random) for row in range(80)]
    found = [one for one in known if one is not None]
    assert len(found) > 60
    assert {one.known for one in found} == {True, False}
    for one in found:
        assert len(one.given) > 0
        assert len(one.rest) > 0
        if one.known:
            # In the box of the whole, of which what is given is the first part.
            points = np.concatenate(one.given)
            assert np.allclose(one.points + 127.5, points)
            assert np.allclose(one.origin, points[-1])
        else:
            assert np.ptp(one.points, axis=0).max() == pytest.approx(160.0, abs=1.5)
        assert np.allclose(one.points[-1] * one.scale - one.points[0] * one.scale, _way(one), atol=3.0)


def _way(one: Opening) -> Points:
    """From the first given point to the last, px of the 255 box."""
    return one.given[-1][-1] - one.given[0][0]


def test_rare_categories_are_begun_more_often_than_by_their_numbers(tmp_path: Path, sample_dir: Path):
    small_part = tmp_path / "sun.ndjson"
    small_part.write_text("".join((sample_dir / "sun.ndjson").read_text().splitlines(keepends=True)[:12]))
    prepare([small_part, sample_dir / "cat.ndjson"], tmp_path / "store")
    split = Store.open(tmp_path / "store").split("train")
    names = split.drawings().categories
    share = np.mean(split.drawings().category == names.index("sun"))
    found = Practice(split, names, 300, 0)[0].category.numpy()
    told = found[found < len(names)]
    assert len(told) / len(found) == pytest.approx(0.9, abs=0.06)
    suns = np.mean(told == names.index("sun"))
    expected = share**0.5 / (share**0.5 + (1 - share) ** 0.5)
    assert suns == pytest.approx(expected, abs=0.08)
    assert suns > share + 0.05


def test_long_beginnings_are_left_out(folder: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(practice, "LONGEST", 9)
    assert int(openings(folder, 20)[0].cut.max()) <= 9


def test_of_many_missing_strokes_the_last_ones_share_a_box():
    rest = [np.array([[float(number), 0.0], [number + 1.0, 2.0]]) for number in range(15)]
    opening = Opening(np.zeros((1, 2)), np.array([1]), False, 1.0, np.zeros(2), rest[:1], rest)
    found = together([opening], [0])
    assert found.boxed.sum() == practice.BOXES
    assert found.low[0, -1].tolist() == [practice.BOXES - 1, 0.0]
    assert found.high[0, -1].tolist() == [15.0, 2.0]


@pytest.mark.parametrize("going_on", [True, False])
def test_added_lines_stand_on_the_page_where_completions_put_them(folder: Path, going_on: bool):
    beginning = Sketch.from_strokes([[(10.0, 20), (60, 20)], [(60.0, 90), (20, 70), (30, 40)]])
    from sketchgen.completion.partial_sketch import PartialSketch

    shown = PartialSketch.of(beginning)
    offset, pen = np.array([[4.0, 3.0], [-20.0, 9.0], [50.5, 2.25]]), np.array([0, 1, 1])
    pen = np.where(pen == 1, int(Pen.LIFT), int(Pen.DRAW))
    opening = Opening(
        shown.points,
        shown.pen,
        False,
        shown.frame.scale,
        shown.origin,
        beginning.strokes,
        beginning.strokes,
    )
    openings = together([opening], [0])
    given = openings.pen.clone()
    given[0, -1] = int(Pen.DRAW if going_on else Pen.LIFT)
    ways = Samples(
        torch.cat([openings.offset, torch.from_numpy(offset).float()[None]], 1),
        torch.cat([given, torch.from_numpy(pen)[None]], 1),
        openings.cut,
        openings.cut + 3,
        torch.tensor([True]),
    )
    points, begins, there = practising._added(openings, ways, torch.tensor([0]))
    found = points[0][there[0]].numpy()
    expected = shown.added(offset, pen, None, going_on=going_on).strokes
    assert np.allclose(found, np.concatenate(expected), atol=0.01)
    firsts = np.cumsum([0, *[len(stroke) for stroke in expected[:-1]]])
    assert np.flatnonzero(begins[0][there[0]].numpy()).tolist() == firsts.tolist()


def practised(folder: Path, judge: Namer | None = None, **more: Any) -> Practising:
    return Practising(openings(folder), ReinforceConfig(**{"rollouts": 4, "weight": 1.0, **more}), judge)


def ready(network: StrokeModel) -> torch.optim.Optimizer:
    return torch.optim.Adam(network.parameters(), 1e-2)


def test_better_ways_become_likelier_and_worse_ones_less(
    folder: Path, network: StrokeModel, monkeypatch: pytest.MonkeyPatch
):
    handed = []
    hand_over = Practising._hand_over

    def noted(self: Practising, *args: object) -> None:
        handed.append(args)
        hand_over(self, *args)  # type: ignore[arg-type]

    monkeypatch.setattr(Practising, "_hand_over", noted)
    optimiser = ready(network)
    torch.manual_seed(0)
    practised(folder).learned(network, openings(folder, 24)[0], lambda loss: loss.backward())
    _, steps, ways, gains, temperature, guessed, _ = handed[0]
    batch = practising.ways_batch(steps, ways)
    with torch.no_grad():
        before = way_log_prob(network, batch, temperature, guessed)
        optimiser.step()
        after = way_log_prob(network, batch, temperature, guessed)
    # Where all ways are as bad none has a gain, but for rounding.
    kept = (gains.abs() >= gains.abs().topk(2, 1).values[:, -1:]) & (gains.abs() > 1e-6)
    change = ((after - before) * gains.flatten())[kept.flatten()]
    assert len(change) > 24
    assert float(change.sum()) > 0.0
    assert float((change > 0).float().mean()) > 0.6


def test_it_gets_better_by_practice(folder: Path, network: StrokeModel):
    some = practised(folder, rollouts=8)
    optimiser, beginnings = ready(network), openings(folder, 12)[0]
    torch.manual_seed(1)
    worth = []
    for _ in range(80):
        optimiser.zero_grad()
        worth.append(some.learned(network, beginnings, lambda loss: loss.backward()).worth)
        optimiser.step()
    assert np.mean(worth[-5:]) > np.mean(worth[:5]) + 0.1


def test_deviations_are_left_alone(folder: Path, network: StrokeModel):
    practised(folder).learned(network, openings(folder)[0], lambda loss: loss.backward())
    gradient = network.head.bias.grad
    assert gradient is not None
    components = network.config.components
    parts = gradient[1:].unflatten(0, (7, components))
    assert bool((parts[3:6] == 0.0).all())
    assert all(bool(parts[row].any()) for row in (0, 1, 2, 6))


def test_dropout_is_off_while_it_practises_and_on_again_behind(folder: Path, network: StrokeModel):
    heard: list[bool] = []
    network.stack.dropout.register_forward_hook(lambda module, *_: heard.append(module.training))
    network.train()
    practised(folder).learned(network, openings(folder)[0], lambda loss: loss.backward())
    assert not any(heard)
    assert network.training
    assert network.stack.dropout.training


def test_whether_a_stroke_goes_on_is_guessed_but_where_it_is_known(folder: Path, network: StrokeModel):
    found: Openings = openings(folder, 40)[0]
    torch.manual_seed(0)
    steps = practising.told_apart(network, found, torch.full((40 * 20,), 0.5), 20)
    last = steps.pen[torch.arange(800), found.cut.repeat_interleave(20) - 1].unflatten(0, (40, 20))
    given = found.pen[torch.arange(40), found.cut - 1].unsqueeze(1)
    assert bool((last == given)[found.settled].all())
    lifted = (last[~found.settled] == Pen.LIFT).float().mean(1)
    assert float(lifted.std()) > 0.0
    # By the odds of lifting there, against ten times as many who stop where a stroke ends.
    with torch.no_grad():
        at = network(found.steps(), found.cut).at(found.cut - 1)
        rows = torch.arange(40)
        odds = at.lift_logit(found.offset[rows, found.cut - 1]) + np.log(10.0)
    expected = torch.sigmoid(odds / 0.5)[~found.settled]
    assert float((lifted - expected).abs().mean()) < 0.12


def test_the_judge_reads_what_recognisers_read():
    random = np.random.default_rng(0)
    points, length = random.normal(size=(9, 30, 2)) * 50.0, random.integers(2, 30, 9)
    lift = random.random((9, 30)) < 0.2
    found = naming.features(torch.from_numpy(points), torch.from_numpy(lift), torch.from_numpy(length))
    assert np.allclose(found.numpy(), numbers.point_features(points, lift, length), atol=1e-5)


def test_the_judge_is_as_sure_as_the_recogniser_and_says_nothing_of_what_was_not_told(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(naming, "ROWS", 2)
    monkeypatch.setattr(naming, "UNSURE", 1.5)
    names = tuple(NAMES)
    path = judge(tmp_path / "judge", names)
    namer = load_namer(str(path), names, CPU)
    ways = Samples(
        torch.randn(5, 8, 2) * 30.0,
        torch.full((5, 8), int(Pen.DRAW)),
        torch.ones(5, dtype=torch.int64),
        torch.tensor([8, 7, 8, 5, 8]),
        torch.ones(5, dtype=torch.bool),
    )
    found = namer.sure(ways, torch.tensor([0, 1, 2, 3, 4]))
    with torch.no_grad():
        points = ways.offset.cumsum(1).double().numpy()
        rows = numbers.point_features(points, (ways.pen == Pen.LIFT).numpy(), ways.length.numpy())
        log_prob = torch.log_softmax(namer.network(torch.from_numpy(rows), ways.length), -1)
    expected = [max(float(log_prob[row, row]), -naming.UNSURE) for row in range(4)]
    assert found.tolist() == pytest.approx([*expected, 0.0], abs=1e-4)
    assert -1.5 in expected
    assert any(value > -1.5 for value in expected)


def test_what_the_judge_says_counts(folder: Path, network: StrokeModel):
    class Judge(Namer):
        def sure(self, ways: Samples, category: torch.Tensor) -> torch.Tensor:
            return -ways.length.float()

    some = practised(folder, judge=Judge(recognisers.network()), classifier_weight=0.5)
    found = openings(folder)[0]
    torch.manual_seed(0)
    steps = practising.told_apart(network, found, torch.full((24,), 0.5), 4)
    ways = some._roll(network, 24).draw(steps, found.cut.repeat_interleave(4), torch.full((24,), 0.5))
    values, named = some._values(found, steps, ways)
    alone, _ = practised(folder)._values(found, steps, ways)
    assert torch.equal(named, -ways.length.float())
    assert torch.allclose(values, alone + 0.5 * named)


def config(folder: Path, out: Path, **more: Any) -> TrainConfig:
    reinforce = ReinforceConfig(sketches=4, rollouts=3)
    return small(
        folder / "store", out, **{"start": str(folder / "model"), "steps": 6, "reinforce": reinforce, **more}
    )


def test_a_run_resumes_exactly_and_its_last_network_is_its_best(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    steps = iter(range(100))
    monkeypatch.setattr(StrokeTask, "validate", lambda *_: {"valid": float(next(steps)), "valid_half": 0.0})
    whole = config(folder, tmp_path / "whole", steps=20, validate_every=0.0)
    best = read_checkpoint(fit(whole))
    last = read_checkpoint(whole.out / "last")
    assert all(np.array_equal(value, last.weights[name]) for name, value in best.weights.items())
    part = replace(whole, out=tmp_path / "part")
    fit(part, callbacks=[StopAfter(3)])
    fit(part, resume=True)
    check_same(whole.out, part.out)
    assert best.summary["settings"]["reinforce"]["rollouts"] == 3
    with (whole.out / "log.csv").open() as stream:
        line = next(row for row in csv.DictReader(stream) if row["loss"])
    assert 0.0 <= float(line["ended"]) <= 1.0
    assert float(line["best"]) >= float(line["worth"])


def test_a_judge_of_other_categories_is_refused(folder: Path, tmp_path: Path):
    path = judge(tmp_path / "judge", ("cat", "dog"))
    with pytest.raises(SettingError, match="other categories"):
        load_namer(str(path), NAMES, CPU)


def test_several_processes_are_refused(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("WORLD_SIZE", "2")
    with pytest.raises(SettingError, match="policy-gradient training takes one process"):
        StrokeTask(config(folder, tmp_path), CPU)


def test_missing_parts_can_be_taken_by_row():
    one = ink(*lines([[np.array([[0.0, 0], [9, 0]])], [np.array([[5.0, 5]])]]))
    box = torch.zeros(2, 1, 2)
    found = Missing(one, one, box, box, torch.ones(2, 1, dtype=torch.bool))[torch.tensor([1, 1, 0])]
    assert found.rest.amount.tolist() == [1.0, 1.0, 9.0]


def test_the_likelihood_of_a_way_is_that_of_its_steps(folder: Path, network: StrokeModel):
    found = openings(folder)[0]
    torch.manual_seed(0)
    steps = practising.told_apart(network, found, torch.ones(6), 1)
    ways = practised(folder)._roll(network, 6).draw(steps, found.cut, torch.ones(6))
    batch = practising.ways_batch(steps, ways)
    with torch.no_grad():
        alone = way_log_prob(network, batch, torch.ones(6), torch.zeros(6, dtype=torch.bool))
        assert torch.allclose(alone, step_log_prob(network, batch).sum(1), atol=1e-3)
        guessed = way_log_prob(network, batch, torch.full((6,), 0.5), torch.ones(6, dtype=torch.bool))
        colder = way_log_prob(network, batch, torch.full((6,), 0.5), torch.zeros(6, dtype=torch.bool))
        rows, last = torch.arange(6), found.cut - 1
        at = network(found.steps(), found.cut).at(last)
        odds = (at.lift_logit(found.offset[rows, last]) + np.log(10.0)) / 0.5
        chance = torch.where(ways.pen[rows, last] == Pen.LIFT, torch.sigmoid(odds), torch.sigmoid(-odds))
        assert torch.allclose((guessed - colder).exp(), chance, atol=1e-3)
        cut = practising._trimmed(batch, torch.tensor([2, 0]))
        assert torch.allclose(
            way_log_prob(network, cut, torch.ones(2), torch.zeros(2, dtype=torch.bool)),
            alone[[2, 0]],
            atol=1e-3,
        )
