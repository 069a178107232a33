"""The whole protocol on the sample drawings, a small network and a simple judge."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import recognisers
import seeing

from sketchgen.completion.completer import Completer
from sketchgen.data.prepare import prepare, read_drawings
from sketchgen.data.store import Drawings, Store
from sketchgen.errors import CategoryError, CheckpointError, FormatError, OutputError, SettingError
from sketchgen.evaluation import completion_metrics as completions
from sketchgen.evaluation.comparison import compare, paired, paired_ratio
from sketchgen.evaluation.completion_metrics import nearness
from sketchgen.evaluation.differences import difference_grids
from sketchgen.evaluation.held_out import begin
from sketchgen.evaluation.recognition import judged
from sketchgen.evaluation.report import evaluate
from sketchgen.evaluation.report_files import as_html, as_markdown, check_report
from sketchgen.evaluation.retrieval import Retrieval
from sketchgen.evaluation.task import Task, about_judge, make_task
from sketchgen.models.config import ModelConfig
from sketchgen.sketch import distance as chamfer
from sketchgen.sketch.sketch import Sketch
from tests.support import untrained
from tests.support.judges import NearestMean

SETTINGS: dict[str, Any] = {"limit": 30, "samples": 10, "temperatures": (0.2, 0.6)}


@pytest.fixture(scope="module", autouse=True)
def _few_ways() -> Iterator[None]:
    """An untrained network scribbles a lot, which takes long to compare."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(completions, "MAX_WAYS", 2)
        patched.setattr(chamfer, "MAX_POINTS", 300)
        yield


@pytest.fixture(scope="module")
def drawings(sample_dir: Path) -> Drawings:
    return read_drawings(sample_dir)[0]


@pytest.fixture(scope="module")
def judge(drawings: Drawings) -> NearestMean:
    return NearestMean(drawings)


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
    page = tmp_path_factory.mktemp("page") / "report.html"
    found = evaluate(small(), store, judge=judge, against=[small(2)], report=page, **SETTINGS)
    return found | {"page": page.read_text(encoding="utf-8")}


def task(drawings: Drawings, judge: Any, **settings: Any) -> Task:
    chosen = {"samples": 20, "temperatures": (0.3,), "seed": 0, "report": lambda *_: None} | settings
    return make_task(drawings, None, judge, None, **chosen)


def test_everything_is_measured(figures: dict[str, Any]) -> None:
    found = {key: value for key, value in figures.items() if key != "page"}
    assert json.loads(json.dumps(found)) == found
    assert found["temperature"] in (0.2, 0.6)
    recognition = found["recognition"]
    assert recognition["drawings"] == {"all": 10, "deep": 0, "rare": 10}
    for scale in ("scale known", "scale unknown"):
        assert recognition["best_temperature"][scale] in (0.2, 0.6)
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
    assert found["baselines"]["distances"]["real"]["kid"]["drawings"] == 10
    assert found["copying"]["drawings"] == 10
    assert found["copying"]["training"] == found["searched"] > 100
    (other,) = found["against"]
    assert other["checkpoint"] == "small-2"
    assert set(other) < set(found)


def test_the_same_seed_gives_the_same_figures(
    figures: dict[str, Any], store: Path, judge: NearestMean
) -> None:
    settings: dict[str, Any] = SETTINGS | {"judge": judge}
    again = evaluate(small(), store, **settings)
    skipped = ("against", "page")
    assert again == {key: value for key, value in figures.items() if key not in skipped}
    other = evaluate(small(), store, seed=5, **settings)
    assert other["ten_ways"] != again["ten_ways"]


def test_the_page_holds_all_tables_and_the_pictures(figures: dict[str, Any]) -> None:
    page = figures["page"]
    titles = re.findall(r"<h2>(.*?)</h2>", page)
    assert "Recognition" in titles
    assert "Copying" in titles
    assert len(titles) >= 9
    assert page.count("<table>") >= 9
    assert "data:image/png;base64,iVBOR" in page
    assert "http" not in page
    assert f"{figures['nats_per_sketch']:.1f}" in page
    assert page.count("small-2") > 5


def test_page_and_figures_say_which_judge_named(figures: dict[str, Any], drawings: Drawings) -> None:
    assert figures["judge"]["name"] == "nearest mean"
    assert "nearest mean names them" in figures["page"]
    assert "categories, 10 drawings, named by nearest mean" in figures["page"]
    seen = about_judge(seeing.recogniser(), drawings)
    assert (seen["name"], seen["sees"], seen["categories"]) == ("tiny", "pictures", 4)
    assert "tree" not in seen["unknown_to_it"]
    assert about_judge(recognisers.recogniser(), drawings)["sees"] == "strokes"
    assert "tiny names them by their pictures" in as_html(figures | {"judge": seen}, b"png")
    older = {key: value for key, value in figures.items() if key != "judge"}
    assert "named by" not in as_html(older, b"png")


def test_markdown_and_html_show_the_same_cells(figures: dict[str, Any]) -> None:
    name = '<b>|"odd'
    found = figures | {"checkpoint": name}
    page, text = as_html(found, b"png"), as_markdown(found, "a-pictures/completions.png")
    assert name not in page
    assert "&lt;b&gt;|" in page
    assert '<b>\\|"odd' in text
    cells = re.findall(r"<td>(.*?)</td>", page)
    assert len(cells) > 100
    assert all(cell in text for cell in cells if "&" not in cell)
    widths = {line.count("|") - line.count("\\|") for line in text.splitlines() if line.startswith("|")}
    assert min(widths) > 2


def test_a_page_goes_where_it_may(tmp_path: Path) -> None:
    for name in ("a.pdf", "a", "html"):
        with pytest.raises(SettingError, match=r"\.html or \.md"):
            check_report(tmp_path / name, force=True)
    (tmp_path / "a.html").write_text("mine")
    with pytest.raises(OutputError, match="--force"):
        check_report(tmp_path / "a.html", force=False)
    assert check_report(tmp_path / "a.html", force=True) == tmp_path / "a.html"
    with pytest.raises(OutputError, match="no folder"):
        check_report(tmp_path / "none" / "a.md", force=False)


def test_a_page_of_likelihood_alone_as_markdown(sample_dir: Path, tmp_path: Path) -> None:
    page = tmp_path / "likely.md"
    settings: dict[str, Any] = {"limit": 12, "samples": 0, "protocol": "likelihood"}
    evaluate(small(), sample_dir, report=page, **settings)
    text = page.read_text(encoding="utf-8")
    assert "![Completions](likely-pictures/completions.png)" in text
    assert (tmp_path / "likely-pictures" / "completions.png").read_bytes().startswith(b"\x89PNG")
    assert not list(tmp_path.glob(".*"))
    with pytest.raises(OutputError, match="--force"):
        evaluate(small(), sample_dir, report=page, **settings)


def test_bad_input_is_refused_before_anything_is_measured(
    sample_dir: Path, judge: NearestMean, tmp_path: Path
) -> None:
    def fails(error: type[Exception], match: str, **settings: Any) -> None:
        def never(what: str, done: int, of: int) -> None:
            raise AssertionError(what)

        with pytest.raises(error, match=match):
            evaluate(small(), sample_dir, **({"judge": judge, "progress": never} | settings))

    fails(SettingError, "samples", samples=-1)
    fails(SettingError, "limit", limit=0)
    fails(SettingError, "protocol", protocol="some")
    fails(SettingError, "temperatures", temperatures=())
    fails(SettingError, "temperatures", temperatures=(0.5, 2.5))
    fails(SettingError, "report", report=tmp_path / "page.doc")
    fails(CheckpointError, "no checkpoint", against=[str(tmp_path / "none")])


def test_a_judge_that_knows_some_or_none_of_the_categories(drawings: Drawings, judge: NearestMean) -> None:
    cats = drawings.take(np.flatnonzero(drawings.category == drawings.categories.index("cat")))
    some = NearestMean(replace(cats, category=np.zeros(len(cats), dtype=np.int64), categories=("cat",)))
    assert set(task(drawings, some).names) == {"cat"}
    none = replace(drawings, categories=tuple(f"a {name}" for name in drawings.categories))
    with pytest.raises(CategoryError, match="knows none of the"):
        task(none, judge)
    with pytest.raises(CategoryError, match="does not know the category 'owl'"):
        judged(some, [drawings.sketch(0)], ["owl"])
    dots = Drawings(
        np.zeros(1, dtype=np.int64),
        np.zeros(1, dtype=np.uint64),
        np.array([0, 2]),
        np.array([[0, 0], [9, 9]], dtype=np.uint8),
        np.array([False, True]),
        ("cat",),
    )
    with pytest.raises(FormatError, match="3 points"):
        task(dots, judge)


def test_the_judge_is_asked_once_for_what_no_model_changes(drawings: Drawings, judge: NearestMean) -> None:
    given = task(drawings, judge)
    before = judge.asked
    first = given.real()
    assert judge.asked == before + 20
    assert given.real() is first
    assert given.prefix(0.5) is given.prefix(0.5)
    assert judge.asked == before + 40


def test_a_verdict_counts_ties_against_the_judge(drawings: Drawings) -> None:
    class Silent:
        categories = ("a", "b", "c", "d", "e", "f")

        def read(self, sketches: Sequence[Sketch]) -> Any:
            class Reading:
                log_prob = np.zeros((len(sketches), 6))
                features = np.zeros((len(sketches), 2))

            return Reading()

    verdict = judged(Silent(), [drawings.sketch(0)] * 2, ["a", "f"])
    assert verdict.top1.tolist() == [0.0, 0.0]
    assert verdict.top5.tolist() == [0.0, 0.0]


def test_truth_itself_is_near_and_real_drawings_are_named_as_often(
    drawings: Drawings, judge: NearestMean
) -> None:
    few = drawings.take(np.arange(0, len(drawings), 40))
    items = [begin(few.sketch(index), 0.5, 0, 0) for index in range(len(few)) if few.lengths[index] > 4]
    found = Retrieval(few).finish(items, 0.5, "scale known", 1)
    assert nearness(items, found).best == pytest.approx(np.zeros(len(items)), abs=0.05)
    wholes = [ways[0].whole for ways in found]
    names = [item.given.category or "" for item in items]
    kept = [few.sketch(index) for index in range(len(few)) if few.lengths[index] > 4]
    assert np.array_equal(judged(judge, wholes, names).top1, judged(judge, kept, names).top1)
    # The planted fault: the rests of others.
    wrong = nearness(items, [*found[1:], found[0]])
    assert wrong.best.mean() > 5.0


def test_a_model_against_itself_differs_in_nothing(store: Path, judge: NearestMean) -> None:
    found = compare(small(), small(), store, judge=judge, **SETTINGS)
    assert json.loads(json.dumps(found)) == found
    assert found["judge"]["name"] == "nearest mean"
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


def test_a_better_model_shows(sample_dir: Path) -> None:
    worse = small()
    weights = dict(worse.decoder.weights())
    weights["head.bias"] = weights["head.bias"] + 1.0
    better = Completer(type(worse.decoder)(worse.config, weights), "other", {})
    found = compare(worse, better, sample_dir, limit=40, protocol="likelihood")
    row = found["nats"]["0"]["all"]
    assert row["difference"]["value"] == pytest.approx(row["b"]["value"] - row["a"]["value"])
    assert row["difference"]["value"] != 0.0
    assert "recognition" not in found
    wrong: list[dict[str, Any]] = [{"limit": 0}, {"samples": -1}, {"protocol": "some"}]
    for settings in wrong:
        with pytest.raises(SettingError):
            compare(worse, better, sample_dir, **settings)


def test_pairs_see_what_the_two_errors_hide() -> None:
    random = np.random.default_rng(0)
    a = random.normal(300.0, 80.0, 200)
    b = a - random.normal(2.0, 1.0, 200)
    found = paired(a, b)
    assert found["difference"]["value"] == pytest.approx(-2.0, abs=0.3)
    assert found["difference"]["standard_error"] < 0.05 * found["a"]["standard_error"]
    counts = np.full(200, 4)
    per_point = paired_ratio(a, b, counts)
    assert per_point["difference"]["value"] == pytest.approx(found["difference"]["value"] / 4)


def test_the_store_s_counts_tell_the_depth(store: Path) -> None:
    from sketchgen.evaluation.figures import category_counts

    counts = category_counts(store, {})
    opened = Store.open(store)
    assert counts is not None
    assert sum(counts.values()) == pytest.approx(len(opened.split("train")), abs=len(counts))
