"""`evaluate` and `compare` on sample drawings, a small network and a simple judge, and their pages."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import recognisers
import seeing

from sketchgen.completion.completer import Completer
from sketchgen.data.prepare import prepare, read_drawings
from sketchgen.data.store import Store
from sketchgen.errors import CheckpointError, FormatError, OutputError, SettingError
from sketchgen.evaluation import completion_metrics, held_out, report, retrieval
from sketchgen.evaluation.comparison import compare, paired, paired_ratio
from sketchgen.evaluation.report import as_markdown, check_page, evaluate
from sketchgen.evaluation.statistics import category_counts
from sketchgen.evaluation.tables import difference_grids
from sketchgen.evaluation.task import about_judge
from sketchgen.models.config import ModelConfig
from sketchgen.sketch import distance
from tests.support import untrained
from tests.support.judges import NearestMean

SETTINGS: dict[str, Any] = {"limit": 20, "samples": 8, "temperatures": (0.2, 0.6)}
LIKELIHOOD: dict[str, Any] = {"samples": 0, "protocol": "likelihood"}


@pytest.fixture(scope="module", autouse=True)
def _short_scribbles() -> Iterator[None]:
    """An untrained network scribbles a lot, which takes long to draw and to compare."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(completion_metrics, "MAX_DRAWINGS", 2)
        patched.setattr(completion_metrics, "CANDIDATES", 3)
        patched.setattr(retrieval, "SHORT_LIST", 2)
        patched.setattr(retrieval, "COPY_SHORT_LIST", 3)
        patched.setattr(distance, "MAX_POINTS", 60)
        patched.setattr(report, "END_LIMIT", 15)
        for module in (completion_metrics, report):
            patched.setattr(module, "finish", partial(held_out.finish, limit=12))
        yield


@pytest.fixture(scope="module")
def judge(sample_dir: Path) -> NearestMean:
    drawings = read_drawings(sample_dir)[0]
    return NearestMean(drawings.take(np.arange(0, len(drawings), 5)))


@pytest.fixture(scope="module")
def store(sample_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("prepared") / "store"
    prepare([sample_dir], path)
    return path


def small(seed: int = 1) -> Completer:
    config = ModelConfig(("cat", "star"), layers=1, width=16, components=3, embedding=8, encoder_width=8)
    return replace(untrained.completer(config), name=f"small-{seed}")


@pytest.fixture(scope="module")
def figures(store: Path, judge: NearestMean, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    target = tmp_path_factory.mktemp("page") / "report.md"
    found = evaluate(small(), store, judge=judge, against=[small(2)], report=target, **SETTINGS)
    return found | {"page": target.read_text(encoding="utf-8")}


def test_everything_is_measured(figures: dict[str, Any]) -> None:
    found = {key: value for key, value in figures.items() if key != "page"}
    assert json.loads(json.dumps(found)) == found
    assert found["temperature"] in SETTINGS["temperatures"]
    assert found["nats_per_sketch"] * found["drawings"] == pytest.approx(
        found["nats_per_point"] * found["points"]
    )
    assert set(found["ended"]) == {"0", "0.25", "0.5", "1"}
    assert sum(entry["drawings"] for entry in found["by_category"].values()) == found["drawings"]
    recognition = found["recognition"]
    assert recognition["drawings"] == {"all": 8, "deep": 0, "rare": 8}
    for scale in ("scale known", "scale unknown"):
        for share in ("0.25", "0.5", "0.75"):
            row = recognition[scale][share]
            assert set(row) == {"prefix", "retrieval", "completions"}
            assert set(row["completions"]) == {"0.2", "0.6"}
            for entry in row["completions"].values():
                assert entry["all"] == entry["rare"]
                assert 0.0 <= entry["all"]["top1"]["value"] <= entry["all"]["top5"]["value"] <= 1.0
    for table in (found["ten_ways"], found["baselines"]["retrieval_ten_ways"]):
        assert set(table) == {"0.25", "0.5"}
        assert all(row["all"]["best"]["value"] > 0 for row in table.values())
    assert set(found["distances"]) == {"0.25", "0.5", "0.75"}
    assert found["baselines"]["distances"]["real"]["kid"]["drawings"] == 8
    assert found["copying"]["drawings"] == 8
    assert found["copying"]["training"] == found["searched"] > 100
    (other,) = found["against"]
    assert other["checkpoint"] == "small-2"
    assert set(other) < set(found)


def test_the_same_seed_gives_the_same_figures(
    figures: dict[str, Any], store: Path, judge: NearestMean
) -> None:
    again = evaluate(small(), store, judge=judge, **SETTINGS)
    assert again == {key: value for key, value in figures.items() if key not in ("against", "page")}
    once, other = (evaluate(small(), store, limit=8, seed=seed, **LIKELIHOOD) for seed in (1, 2))
    assert once["nats_per_point"] != other["nats_per_point"]


def test_the_page_holds_all_tables_the_pictures_and_the_judge(
    figures: dict[str, Any], judge: NearestMean
) -> None:
    text = figures["page"]
    titles = re.findall(r"^## (.*)$", text, re.MULTILINE)
    assert {"Likelihood", "Recognition", "Like real drawings", "Copying", "By category"} < set(titles)
    assert len(titles) == 9
    assert f"{figures['nats_per_sketch']:.1f}" in text
    assert text.count("small-2") > 5
    assert "nearest mean names them" in text
    assert "categories, 8 drawings, named by nearest mean" in text
    drawings = read_drawings_of(judge)
    seen = about_judge(seeing.recogniser(), drawings)
    assert (seen["name"], seen["sees"], seen["categories"]) == ("tiny", "pictures", 4)
    assert "tree" not in seen["unknown_to_it"]
    assert about_judge(recognisers.recogniser(), drawings)["sees"] == "strokes"
    odd = as_markdown(figures | {"judge": seen, "checkpoint": 'a|"odd'}, "a-pictures/completions.png")
    assert "tiny names them by their pictures" in odd
    assert 'a\\|"odd' in odd


def read_drawings_of(judge: NearestMean) -> Any:
    """Drawings of the judge's categories, of which only the names matter."""
    from sketchgen.data.drawings import from_lists

    count = len(judge.categories)
    points = [np.zeros((2, 2), dtype=np.uint8)] * count
    return from_lists(range(count), range(count), [[2]] * count, points, judge.categories)


def test_a_page_of_likelihood_alone_as_markdown(store: Path, tmp_path: Path) -> None:
    target = tmp_path / "likely.md"
    evaluate(small(), store, report=target, limit=6, **LIKELIHOOD)
    assert "![Completions](likely-pictures/completions.png)" in target.read_text(encoding="utf-8")
    assert (tmp_path / "likely-pictures" / "completions.png").read_bytes().startswith(b"\x89PNG")
    assert not list(tmp_path.glob(".*"))
    with pytest.raises(OutputError, match="--force"):
        evaluate(small(), store, report=target, **LIKELIHOOD)
    for name in ("a.html", "a", "md"):
        with pytest.raises(SettingError, match="a report is Markdown"):
            check_page(tmp_path / name, force=True)
    with pytest.raises(OutputError, match="no folder"):
        check_page(tmp_path / "none" / "a.md", force=False)
    assert check_page(target, force=True) == target


def test_bad_input_is_refused_before_anything_is_measured(
    store: Path, judge: NearestMean, tmp_path: Path
) -> None:
    def never(what: str, done: int, of: int) -> None:
        raise AssertionError(what)

    def fails(error: type[Exception], match: str, source: Path = store, **settings: Any) -> None:
        with pytest.raises(error, match=match):
            evaluate(small(), source, **({"judge": judge, "progress": never} | settings))

    fails(SettingError, "samples", samples=-1)
    fails(SettingError, "limit", limit=0)
    fails(SettingError, "protocol", protocol="some")
    fails(SettingError, "temperatures", temperatures=())
    fails(SettingError, "temperatures", temperatures=(0.5, 2.5))
    fails(SettingError, "report", report=tmp_path / "page.doc")
    fails(CheckpointError, "no stroke model", against=[str(tmp_path / "none")])
    fails(FormatError, "does not exist", tmp_path / "none")
    fails(FormatError, "holds no drawing", tmp_path)
    for settings in ({"limit": 0}, {"samples": -1}, {"protocol": "some"}):
        with pytest.raises(SettingError):
            compare(small(), small(), store, **settings)  # pyright: ignore[reportArgumentType]


def test_a_model_against_itself_differs_in_nothing(store: Path, judge: NearestMean) -> None:
    found = compare(small(), small(), store, judge=judge, **SETTINGS)
    assert json.loads(json.dumps(found)) == found
    assert any(grid.title.startswith("Named right by nearest mean,") for grid in difference_grids(found))
    differences = []

    def walk(item: Any) -> None:
        if isinstance(item, dict):
            differences.extend([item["difference"]] if "difference" in item else [])
            for part in item.values():
                walk(part)

    walk(found)
    assert len(differences) > 30
    assert all(item["value"] == 0.0 and item["standard_error"] in (0.0, None) for item in differences)
    assert found["nats"]["0"]["all"]["a"]["value"] == found["nats"]["0"]["rare"]["b"]["value"]


def test_another_model_differs(store: Path) -> None:
    one = small()
    weights = dict(one.decoder.weights())
    weights["head.bias"] = weights["head.bias"] + 1.0
    other = Completer(type(one.decoder)(one.config, weights), "other", {})
    found = compare(one, other, store, limit=20, protocol="likelihood")
    row = found["nats"]["0"]["all"]
    assert row["difference"]["value"] == pytest.approx(row["b"]["value"] - row["a"]["value"])
    assert row["difference"]["value"] != 0.0
    assert "recognition" not in found


def test_pairs_see_what_the_two_errors_hide() -> None:
    random = np.random.default_rng(0)
    a = random.normal(300.0, 80.0, 200)
    b = a - random.normal(2.0, 1.0, 200)
    found = paired(a, b)
    assert found["difference"]["value"] == pytest.approx(-2.0, abs=0.3)
    assert found["difference"]["standard_error"] < 0.05 * found["a"]["standard_error"]
    per_point = paired_ratio(a, b, np.full(200, 4))
    assert per_point["difference"]["value"] == pytest.approx(found["difference"]["value"] / 4)


def test_a_store_knows_the_depth_of_its_categories(store: Path) -> None:
    counts = category_counts(store, {})
    assert counts is not None
    assert sum(counts.values()) == pytest.approx(len(Store.open(store).split("train")), abs=len(counts))


def test_the_likelihood_alone_draws_nothing(store: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise AssertionError("something is drawn")

    monkeypatch.setattr(Completer, "sample_many", fail)
    found = evaluate(small(), store, protocol="likelihood", limit=4)
    assert found["ended"] == {}
    assert np.isfinite(found["nats_per_point"])
