"""Pairs of a model's ways: read as they were drawn, the better one known, and learned from."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from runs import keeps_the_last_of_rising, saved, small, stopped_and_resumed

from sketchgen.completion.completer import load
from sketchgen.completion.partial_sketch import PartialSketch
from sketchgen.data.prepare import prepare
from sketchgen.errors import FormatError, SettingError
from sketchgen.evaluation.finishing import completion_values
from sketchgen.evaluation.likelihood import step_log_prob
from sketchgen.models.checkpoint import read_checkpoint
from sketchgen.models.stroke_model import StrokeModel, load_network
from sketchgen.sketch.sketch import Sketch
from sketchgen.sketch.strokes import Pen
from sketchgen.training import candidate_files as rehearsed
from sketchgen.training import candidates as rehearsal
from sketchgen.training import preference as preferring_module
from sketchgen.training import preference_batches as preferred
from sketchgen.training.candidate_files import Rehearsal, note, noted, strokes_of
from sketchgen.training.candidates import drawn_chunk, rehearse
from sketchgen.training.config import TrainConfig
from sketchgen.training.preference import Preferred, Preferring, pair_loss, stop_loss
from sketchgen.training.preference_batches import (
    Group,
    Preferences,
    Start,
    Way,
    pair_batch,
    read_row,
    stop_batch,
    way_of,
)
from sketchgen.training.trainer import fit
from tests.support import rehearsing, untrained

NAMES = ("cat", "fish", "house", "sun")
HOUSE = [np.array([[0.0, 100], [100, 0], [200, 100]]), np.array([[20.0, 100], [20, 255], [180, 255]])]
WALL = [np.array([[180.0, 255], [180, 100]])]


@pytest.fixture(scope="module")
def folder(sample_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Rehearsals of a scribbling model, whose ways are made to differ in worth."""
    place = tmp_path_factory.mktemp("preferred")
    prepare([sample_dir / f"{name}.ndjson" for name in NAMES], place / "store")
    model = untrained.small_checkpoint(place / "model", NAMES)
    told = Rehearsal(str(place / "store"), "train", model, 40, 6, 5)
    with pytest.MonkeyPatch.context() as patch:
        rehearsing.small(patch, 20)
        rehearse(told, place / "ways", 1)
        rehearsal._sources.cache_clear()
    return place


@pytest.fixture(autouse=True)
def chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rehearsed, "CHUNK", 20)
    monkeypatch.setattr(preferred, "MARGIN", 0.05)


@pytest.fixture(scope="module")
def network(folder: Path) -> StrokeModel:
    return load_network(folder / "model")[0]


def read(folder: Path, **more: int) -> Preferences:
    return Preferences(folder / "ways", NAMES, **({"pairs": 4, "seed": 1} | more))


def test_the_nearer_to_how_the_person_went_on_the_more_it_is_worth():
    beside = [WALL[0] + [18.0, 0.0]]
    third = [np.array([[180.0, 255], [180, 215]])]
    roof = [HOUSE[0] + 1.0]
    found = completion_values(HOUSE, WALL, [WALL, beside, third, roof, []])
    assert found == sorted(found, reverse=True)
    assert found[0] > 1.8
    assert found[1] > 1.0 > found[2]
    assert found[4] == -1.0


@pytest.mark.parametrize("going_on", [False, True])
def test_a_way_is_read_as_the_steps_that_drew_it(going_on: bool):
    beginning = PartialSketch.of(Sketch.from_strokes([stroke * 3.0 + 7.0 for stroke in HOUSE]))
    offset = np.array([[4.0, 3.0], [-20.0, 9.0], [50.5, 2.25], [3.0, -8.0]])
    pen = np.array([Pen.DRAW, Pen.LIFT, Pen.DRAW, Pen.LIFT], dtype=np.int64)
    drawn = beginning.added(offset, pen, None, going_on=going_on).strokes
    found = way_of(beginning, drawn, 0.5)
    assert (found.going_on, found.worth) == (going_on, 0.5)
    assert np.array_equal(found.pen, pen)
    assert np.allclose(found.offset, offset, atol=0.02)


def test_what_was_rehearsed_is_read_back(folder: Path):
    rows = list(rehearsed.read_rows(folder / "ways", noted(folder / "ways")))
    assert len(rows) > 30
    for row in rows:
        start, groups = read_row(row, 2)
        given = Sketch.from_strokes(strokes_of(row["given"]))
        shown = PartialSketch.of(given)
        assert start.category == 2
        assert np.allclose(np.cumsum(start.offset, axis=0), shown.points)
        found = [way for group in groups for way in group.ways]
        worth = [worth for way, worth in zip(row["ways"], row["worths"], strict=True) if way]
        assert sorted(way.worth for way in found) == sorted(worth)
        assert all(way.pen[-1] == Pen.LIFT for way in found)
        assert all(group.start is start for group in groups)
        assert all(len({way.going_on for way in group.ways}) == 1 for group in groups)
        assert np.allclose(
            row["worths"],
            completion_values(given.strokes, strokes_of(row["rest"]), map_strokes(row["ways"])),
            atol=1e-5,
        )
    assert {read_row(row, 0)[0].whole for row in rows} == {False, True}


def map_strokes(ways: list[list[list[float]]]) -> list[list[np.ndarray]]:
    return [strokes_of(way) for way in ways]


def test_a_pair_is_of_one_beginning_and_the_first_is_the_better(folder: Path):
    found = read(folder)
    assert found.groups
    for number in range(20):
        pairs = found[number]
        assert len(pairs) == 4
        for start, better, worse in pairs:
            (group,) = (one for one in found.groups if any(way is worse for way in one.ways))
            assert group.start is start
            assert any(way is better for way in group.best())
            assert better.going_on == worse.going_on
            assert better.worth >= worse.worth + 0.05


def some_ways(*worths: float) -> list[Way]:
    return [Way(np.ones((2, 2)), np.array([0, 1]), False, worth) for worth in worths]


def test_the_better_way_is_one_of_the_best(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(preferred, "MARGIN", 0.4)
    start = Start(0, np.ones((3, 2)), np.array([0, 0, 1]), whole=True)
    ways = some_ways(-1.0, -0.9, 0.0, 0.1, 0.2, 0.3, 1.2, 1.5)
    random = np.random.default_rng(4)
    made = [Group(start, ways).pair(random) for _ in range(300)]
    assert all(one is start for one, _, _ in made)
    assert {better.worth for _, better, _ in made} == {1.2, 1.5}
    assert {worse.worth for _, _, worse in made} == {way.worth for way in ways[:6]}
    # Ways that are alike in worth are not told apart.
    assert not Group(start, some_ways(0.0, 0.3)).best()
    assert [way.worth for way in Group(start, some_ways(-0.9, 0.0, 0.3)).best()] == [0.3]


def test_batches_are_the_same_whenever_they_are_asked_for(folder: Path):
    one, two = read(folder), read(folder)
    ahead = [[pair[1].worth for pair in one[number]] for number in range(40)]
    for number in (33, 3, 39, 16):
        assert [pair[1].worth for pair in two[number]] == ahead[number]
        assert [id(start) for start in one.some_starts(number)] == [
            id(start) for start in one.some_starts(number)
        ]
    assert [pair[1].worth for pair in read(folder, lane=1)[3]] != ahead[3]
    assert [pair[1].worth for pair in read(folder, seed=2)[3]] != ahead[3]


def test_only_what_was_added_is_scored(folder: Path):
    pairs = read(folder)[0]
    batch = pair_batch(pairs)
    both = [(start, way) for start, way, _ in pairs] + [(start, way) for start, _, way in pairs]
    for row, (start, way) in enumerate(both):
        count, more = len(start.pen), len(way.pen)
        assert batch.scored[row].nonzero().ravel().tolist() == list(range(count, count + more + 1))
        assert np.allclose(batch.offset[row, count : count + more], way.offset, atol=1e-4)
        assert int(batch.pen[row, count - 1]) == (Pen.DRAW if way.going_on else Pen.LIFT)
        assert int(batch.pen[row, count + more]) == Pen.END


def test_the_last_given_point_is_lifted_unless_the_way_goes_on():
    start = Start(0, np.ones((3, 2)), np.array([0, 0, int(Pen.LIFT)]), whole=True)
    going, lifted = (Way(np.ones((2, 2)), np.array([0, 1]), on, 0.0) for on in (True, False))
    batch = pair_batch([(start, going, lifted)])
    assert batch.pen[:, 2].tolist() == [int(Pen.DRAW), int(Pen.LIFT)]
    assert start.pen[-1] == Pen.LIFT


def test_it_computes_without_dropout(folder: Path, network: StrokeModel, monkeypatch: pytest.MonkeyPatch):
    heard: list[bool] = []

    def noted(network: StrokeModel, *rest: object) -> Preferred:
        heard.append(network.stack.dropout.training)
        return Preferred(torch.tensor(0.0), torch.tensor(1.0), torch.tensor(0.0))

    monkeypatch.setattr(preferring_module, "pair_loss", noted)
    network.train()
    Preferring(read(folder), network).learned(network, 0)
    assert (heard, network.training, network.stack.dropout.training) == ([False], True, True)
    network.eval()


def test_a_pair_costs_what_the_paper_says(folder: Path, network: StrokeModel):
    batch = pair_batch(read(folder)[0])
    with torch.no_grad():
        assert float(pair_loss(network, network, batch, 0.1).loss) == pytest.approx(math.log(2.0))
        other = load_network(folder / "model")[0]
        other.head.bias.add_(0.1 * torch.randn(other.head.bias.shape, generator=torch.manual_seed(3)))
        told = (step_log_prob(other, batch) - step_log_prob(network, batch)).sum(1).double().numpy()
        expected = np.mean([math.log1p(math.exp(-0.3 * (told[k] - told[k + 4]))) for k in range(4)])
        found = pair_loss(other, network, batch, 0.3)
        assert float(found.loss) == pytest.approx(expected, rel=1e-4)
        assert float(found.told) == pytest.approx(np.mean(told[:4] > told[4:]))
        assert float(found.gained) == pytest.approx(told[:4].mean(), rel=1e-3)


def test_what_is_learned_of_stops_is_what_completions_ask(folder: Path, network: StrokeModel):
    model = load(folder / "model")
    for row in list(rehearsed.read_rows(folder / "ways", noted(folder / "ways")))[:12]:
        category = NAMES.index(row["category"])
        start, _ = read_row(row, category)
        done = PartialSketch.of(Sketch.from_strokes(strokes_of(row["given"]))).done(model.decoder, category)
        with torch.no_grad():
            loss = float(stop_loss(network, stop_batch([start])))
        assert math.exp(-loss) == pytest.approx(done if start.whole else 1.0 - done, rel=1e-3)


def test_it_learns_which_ways_to_prefer(folder: Path):
    network, reference = load_network(folder / "model")[0], load_network(folder / "model")[0]
    preferring = Preferring(read(folder), reference)
    optimiser = torch.optim.Adam(network.parameters(), 1e-2)
    network.train()
    before = float(preferring.learned(network, 0).loss.detach())
    for _ in range(60):
        optimiser.zero_grad()
        preferring.learned(network, 0).loss.backward()
        optimiser.step()
    assert network.training
    network.eval()
    batch = pair_batch(preferring.preferences[0])
    with torch.no_grad():
        gained = (step_log_prob(network, batch) - step_log_prob(reference, batch)).sum(1)
        better, worse = gained.chunk(2)
        assert bool((better > worse).all())
        starts = stop_batch(preferring.preferences.some_starts(0))
        assert float(stop_loss(network, starts)) < float(stop_loss(reference, starts)) - 0.1
        assert float(preferring.learned(network, 0).loss) < before / 2
        # Without a weight each part is nothing.
        none = Preferring(preferring.preferences, reference, weight=0.0, stops=0.0)
        assert float(none.learned(network, 0).loss) == 0.0


def config(folder: Path, out: Path) -> TrainConfig:
    told = small(folder / "store", out)
    return replace(told, start=str(folder / "model"), rehearsals=folder / "ways", pairs=4, steps=6)


def test_a_run_goes_on_exactly_and_its_last_network_is_its_best(folder: Path, tmp_path: Path):
    whole = fit(config(folder, tmp_path / "whole"))
    fit(replace(config(folder, tmp_path / "part"), steps=3))
    part = fit(config(folder, tmp_path / "part"), resume=True)
    without = fit(replace(config(folder, tmp_path / "without"), rehearsals=None))
    one, two, three = (read_checkpoint(path) for path in (whole, part, without))
    last = read_checkpoint(tmp_path / "whole" / "last")
    assert saved(tmp_path / "part")["position"]["step"] == 6
    assert set(one.weights) == set(two.weights)
    same = [np.array_equal(value, last.weights[name]) for name, value in one.weights.items()]
    assert all(same)
    assert any(not np.array_equal(value, three.weights[name]) for name, value in one.weights.items())
    assert one.summary["settings"]["rehearsals"] == "ways"
    with (tmp_path / "whole" / "log.csv").open() as stream:
        assert "told,gained" in stream.readline()


@pytest.mark.parametrize("prefers", [True, False])
def test_what_costs_likelihood_is_kept_where_it_was_preferred(folder: Path, tmp_path: Path, prefers: bool):
    told = config(folder, tmp_path)
    assert prefers == keeps_the_last_of_rising(told if prefers else replace(told, rehearsals=None))


def test_an_interrupted_run_takes_the_same_steps(folder: Path, tmp_path: Path):
    # The rate falls along a cosine to the end that is planned: so both are planned alike, and one is stopped.
    whole = fit(config(folder, tmp_path / "whole"))
    part = stopped_and_resumed(config(folder, tmp_path / "part"), 3)
    one, two = read_checkpoint(whole).weights, read_checkpoint(part).weights
    assert all(np.array_equal(value, two[name]) for name, value in one.items())


def test_what_cannot_be_preferred_is_refused(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    with pytest.raises(SettingError, match="--from"):
        replace(config(folder, tmp_path), start=None)
    with pytest.raises(FormatError, match="sketchgen rehearse"):
        Preferences(tmp_path, NAMES, 4, 1)
    with pytest.raises(SettingError, match="'sun', which the network does not know"):
        Preferences(folder / "ways", NAMES[:3], 4, 1)
    monkeypatch.setattr(preferred, "MARGIN", 3.0)
    with pytest.raises(SettingError, match="no ways of which one is clearly better"):
        read(folder)
    part = tmp_path / "part"
    note(part, noted(folder / "ways"))
    with pytest.raises(FormatError, match="0 of 2 files"):
        read_preferences_of(part)


def read_preferences_of(part: Path) -> Preferences:
    return Preferences(part, NAMES, 4, 1)


def test_ways_that_the_model_was_stopped_in_teach_nothing(folder: Path, monkeypatch: pytest.MonkeyPatch):
    row = next(iter(rehearsed.read_rows(folder / "ways", noted(folder / "ways"))))
    lengths = [len(way.pen) for group in read_row(row, 0)[1] for way in group.ways]
    monkeypatch.setattr(preferred, "LIMIT", max(lengths))
    found = [len(way.pen) for group in read_row(row, 0)[1] for way in group.ways]
    assert sorted(found) == sorted(length for length in lengths if length < max(lengths))


def test_what_is_very_long_is_left_out(folder: Path, monkeypatch: pytest.MonkeyPatch):
    all_of_them = read(folder)
    lengths = [len(start.pen) for start in all_of_them.starts]
    monkeypatch.setattr(preferred, "LONGEST", int(np.median(lengths)))
    found = read(folder)
    assert sorted(len(start.pen) for start in found.starts) == sorted(
        length for length in lengths if length <= np.median(lengths)
    )
    assert 0 < len(found.groups) < len(all_of_them.groups)
    for number in range(8):
        assert pair_batch(found[number]).offset.shape[1] <= np.median(lengths)


def test_a_start_is_said_to_be_whole_by_its_pen():
    start = Start(0, np.ones((3, 2)), np.array([0, 0, int(Pen.LIFT)]), whole=False)
    batch = stop_batch([start, replace(start, whole=True)])
    assert batch.cut.tolist() == [2, 2]
    assert batch.scored.nonzero().tolist() == [[0, 2], [1, 2]]
    assert batch.pen[:, 2].tolist() == [int(Pen.DRAW), int(Pen.LIFT)]


def test_worths_stand_beside_the_ways(folder: Path, monkeypatch: pytest.MonkeyPatch):
    rehearsing.small(monkeypatch, 20)
    rows = drawn_chunk(noted(folder / "ways"), 0)
    assert all(len(row["ways"]) == len(row["worths"]) == 6 for row in rows)
    assert all(-1.0 <= worth < 2.0 for row in rows for worth in row["worths"])
