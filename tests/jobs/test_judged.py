"""Drawings of a job are ranked and recognised."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scribbles import open_scribbles, scribble

from sketchgen.jobs import worker as maker
from sketchgen.jobs.executor import InProcess
from sketchgen.jobs.output import open_output
from sketchgen.jobs.run import Run
from sketchgen.jobs.spec import Job, Sampling
from sketchgen.models.checkpoint import CLASSIFIER, REWARD_MODEL, find_checkpoint
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
    monkeypatch.setattr("sketchgen.models.recogniser.default_recogniser", lambda: reads)
    monkeypatch.setattr(maker, "load_ranker", lambda rank: Ranker(None if rank == "likelihood" else reads))
    return reads


def rows(job: Job, out: Path, executor: InProcess | None = None) -> list[dict[str, Any]]:
    Run(job, None, open_output(out, job), "weights").go(executor or InProcess(open_scribbles))
    return [json.loads(line) for line in (out / "manifest.jsonl").read_text().splitlines()[1:]]


def test_the_best_is_what_the_recogniser_is_surest_of(reads: Reads, tmp_path: Path) -> None:
    job = replace(JOB, rank="recogniser")
    for row, drawing in zip(rows(job, tmp_path / "out"), job.drawings(None), strict=True):
        drawn = [scribble(request) for request in job.candidates(drawing)]
        sure = [float(np.exp(reads.read([one.completion.added]).log_prob[0, 0])) for one in drawn]
        # Nobody can tell which is the best owl: the first that has ended is as good as any.
        worth = sure if row["category"] == "cat" else [0.0] * len(drawn)
        best = max(range(4), key=lambda k: (drawn[k].completion.ended, worth[k], -k))
        assert row["index"] == drawn[best].request.index
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

        def draw(self, requests: Any) -> Any:
            for request in requests:
                drawn = scribble(request)
                yield replace(drawn, completion=replace(drawn.completion, given=given))

    job = replace(JOB, rank="reward", count=6)
    chosen = set()
    found_rows = rows(job, tmp_path / "out", InProcess(lambda job: GoesOn()))
    for row, drawing in zip(found_rows, job.drawings(None), strict=True):
        drawn = [scribble(request) for request in job.candidates(drawing)]
        found = [Completion(given, one.completion.added) for one in drawn]
        worth = ranker.scores([Candidate(each) for each in found], row["category"])
        best = max(range(4), key=lambda k: (drawn[k].completion.ended, worth[k], -k))
        assert row["index"] == drawn[best].request.index
        chosen.add(best)
    assert len(chosen) > 2
    header = json.loads((tmp_path / "out" / "manifest.jsonl").read_text().splitlines()[0])
    assert header["critic"] == find_checkpoint(None, REWARD_MODEL).fingerprint()
    rows(replace(job, best_of=1), tmp_path / "one")
    header = json.loads((tmp_path / "one" / "manifest.jsonl").read_text().splitlines()[0])
    assert "critic" not in header


@pytest.mark.usefixtures("reads")
def test_labels_choose_nothing(tmp_path: Path) -> None:
    named, bare = rows(replace(JOB, label=True), tmp_path / "a"), rows(JOB, tmp_path / "b")
    assert {row.pop("label") for row in named} <= {"cat", "dog"}
    header = json.loads((tmp_path / "a" / "manifest.jsonl").read_text().splitlines()[0])
    assert header["recogniser"] == find_checkpoint(None, CLASSIFIER).fingerprint()
    assert [row | {"probability": 0} for row in bare] == [row | {"probability": 0} for row in named]
