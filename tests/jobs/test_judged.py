"""Drawings of a job are ranked, recognised, and compared with training drawings."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scribbles import open_scribbles, scribble

from sketchgen.data.prepare import prepare
from sketchgen.data.store import Store
from sketchgen.errors import SettingError
from sketchgen.evaluation.retrieval import nearest_drawings
from sketchgen.jobs import training_copies as originals
from sketchgen.jobs import worker as maker
from sketchgen.jobs.executor import InProcess
from sketchgen.jobs.identity import critic_identity, recogniser_identity
from sketchgen.jobs.opening import open_target
from sketchgen.jobs.request import Sampling
from sketchgen.jobs.run import Run
from sketchgen.jobs.spec import Avoid, Job
from sketchgen.jobs.training_copies import Originals, usual_distance
from sketchgen.models.recogniser import Reading, Recogniser
from sketchgen.ranking.ranker import Candidate, Ranker
from sketchgen.sketch.sketch import Completion, Sketch
from tests.support import critics, recognisers

JOB = Job(Sampling(), "batch", ("cat", "owl"), 12, 3, ("cat", "owl"), best_of=4)


class Reads(Recogniser):
    """Takes a drawing for a cat the surer, the wider it is; of owls it has never heard."""

    @property
    def categories(self) -> tuple[str, ...]:
        return ("cat", "dog")

    def read(self, sketches: Sequence[Sketch]) -> Reading:
        cat = np.array([0.1 + 0.8 * sketch.points[:, 0].mean() / 255 for sketch in sketches])
        return Reading(np.log(np.stack([cat, 1 - cat], 1)), np.zeros((len(cat), 1), dtype=np.float32))


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> Reads:
    reads = Reads(recognisers.recogniser().network, "reads", {})
    monkeypatch.setattr("sketchgen.models.recogniser.load_recogniser", lambda: reads)
    monkeypatch.setattr(maker, "load_ranker", lambda rank: Ranker(None if rank == "likelihood" else reads))
    return reads


@pytest.fixture(scope="module")
def store(sample_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("store") / "store"
    prepare([sample_dir], out)
    return out


def rows(job: Job, out: Path, pool: InProcess | None = None) -> list[dict[str, Any]]:
    Run(job, None, open_target(out, job), "weights").go(pool or InProcess(open_scribbles))
    return [json.loads(line) for line in (out / "manifest.jsonl").read_text().splitlines()[1:]]


def test_the_best_is_what_the_recogniser_is_surest_of(reads: Reads, tmp_path: Path) -> None:
    job = replace(JOB, rank="recogniser")
    for row, task in zip(rows(job, tmp_path / "out"), job.tasks(None), strict=True):
        drawn = [scribble(wish) for wish in job.wishes(task)]
        sure = [float(np.exp(reads.read([one.item]).log_prob[0, 0])) for one in drawn]  # pyright: ignore
        # Nobody can tell which is the best owl: the first that has ended is as good as any.
        worth = sure if row["category"] == "cat" else [0.0] * len(drawn)
        best = max(range(4), key=lambda k: (drawn[k].ended, worth[k], -k))
        assert row["index"] == drawn[best].wish.index
        assert row["label"] == ("cat" if sure[best] >= 0.5 else "dog")
        assert row["probability"] == pytest.approx(max(sure[best], 1 - sure[best]), abs=1e-6)


def test_the_whole_formula_chooses_what_continues_a_drawing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    who, likes = recognisers.recogniser(), critics.reward_model()
    ranker = Ranker(who, likes)
    monkeypatch.setattr(maker, "load_ranker", lambda rank: ranker)
    given = Sketch.from_strokes([[(0, 0), (90, 90)]])

    class GoesOn:
        """Goes on with what is given, if anything is, by a scribble."""

        def draw(self, wishes: Any) -> Any:
            for wish in wishes:
                drawn = scribble(wish)
                item = Completion(given, drawn.item, drawn.ended)  # pyright: ignore[reportArgumentType]
                yield replace(drawn, item=item)

    job = replace(JOB, rank="reward", count=6)
    chosen = set()
    found_rows = rows(job, tmp_path / "out", InProcess(lambda job: GoesOn()))
    for row, task in zip(found_rows, job.tasks(None), strict=True):
        drawn = [scribble(wish) for wish in job.wishes(task)]
        found = [Completion(given, one.item) for one in drawn]  # pyright: ignore[reportArgumentType]
        worth = ranker.scores([Candidate(each) for each in found], row["category"])
        best = max(range(4), key=lambda k: (drawn[k].ended, worth[k], -k))
        assert row["index"] == drawn[best].wish.index
        chosen.add(best)
    assert len(chosen) > 2
    header = json.loads((tmp_path / "out" / "manifest.jsonl").read_text().splitlines()[0])
    assert header["critic"] == critic_identity()
    rows(replace(job, best_of=1), tmp_path / "one")
    header = json.loads((tmp_path / "one" / "manifest.jsonl").read_text().splitlines()[0])
    assert "critic" not in header


@pytest.mark.usefixtures("reads")
def test_labels_choose_nothing(tmp_path: Path) -> None:
    named, bare = rows(replace(JOB, label=True), tmp_path / "a"), rows(JOB, tmp_path / "b")
    assert {row.pop("label") for row in named} <= {"cat", "dog"}
    header = json.loads((tmp_path / "a" / "manifest.jsonl").read_text().splitlines()[0])
    assert header["recogniser"] == recogniser_identity()
    assert [row | {"probability": 0} for row in bare] == [row | {"probability": 0} for row in named]


def test_distances_are_those_of_an_evaluation(store: Path) -> None:
    found = Originals.open(str(store))
    sketches = [scribble(wish).item for task in JOB.tasks(None) for wish in JOB.wishes(task)][:6]
    distance, _ = nearest_drawings(sketches, found.drawings)  # pyright: ignore[reportArgumentType]
    assert [found.distance(sketch) for sketch in sketches] == pytest.approx(distance.tolist(), rel=0.05)
    assert found.distance(found.drawings.sketch(5)) == pytest.approx(0.0, abs=0.01)
    assert found.distance(Sketch()) is None


def test_near_copies_are_dropped(store: Path, tmp_path: Path) -> None:
    training = Store.open(store).split("train").drawings()

    class Copies:
        """Draws every third time what it has learned from, larger and shifted, give or take a px."""

        def draw(self, wishes: Any) -> Any:
            for wish in wishes:
                drawn = scribble(wish)
                if wish.number % 3 == 0:
                    learned = training.sketch(wish.number)
                    drawn = replace(
                        drawn, item=Sketch.from_strokes([line * 2.0 + 30.0 for line in learned.strokes])
                    )
                yield drawn

    job = replace(JOB, best_of=1, avoid=Avoid(str(store), 2.0))
    found = rows(job, tmp_path / "out", InProcess(lambda job: Copies()))
    assert [row["number"] for row in found if "dropped" in row] == list(range(0, 24, 3))
    assert all(row["dropped"] == maker.COPY and row["file"] is None for row in found[::3])
    assert all((row["copied"] < 2.0) == ("dropped" in row) for row in found)
    assert len(list((tmp_path / "out").glob("*.svg"))) == 16


def test_how_near_real_drawings_lie(store: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    opened = Store.open(store)
    held_out = opened.split("valid").drawings(originals.HELD_OUT)
    sketches = [held_out.sketch(index) for index in range(len(held_out))]
    distance, _ = nearest_drawings(sketches, opened.split("train").drawings())
    assert usual_distance(str(store)) == round(float(np.quantile(distance, 0.01)), 3)
    monkeypatch.setattr(originals, "MAX_ORIGINALS", 10)
    with pytest.raises(SettingError, match="1 to 10"):
        usual_distance(str(store))
    with pytest.raises(SettingError, match="fewer by --max-per-category"):
        Originals.open(str(store))
