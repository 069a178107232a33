"""evaluate, compare and info: what is asked for reaches the measurement, and figures are printed."""

from __future__ import annotations

import importlib
import json
from pathlib import Path
from typing import Any

import pytest
from commandline import failure, run

import sketchgen
from sketchgen.cli.tables import as_json

FIGURES: dict[str, Any] = {
    "nats_per_point": 7.5,
    "nats_per_point_se": 0.01,
    "nats_per_sketch": 300.25,
    "nats_per_sketch_se": 2.0,
    "suffix": {"0": {"nats_per_point": 7.5}, "0.5": {"nats_per_point": float("nan")}},
    "by_depth": {},
    "by_category": {"cat": {"nats_per_point": 7.25, "drawings": 40}},
    "ended": {"0": {"share": 0.5}, "1": {"share": 1.0}},
    "drawings": 40,
    "points": 1600,
    "split": "valid",
    "checkpoint": "run/best",
}
DIFFERENCE = {
    "a": {"value": 7.5, "standard_error": 0.1},
    "b": {"value": 7.25, "standard_error": 0.1},
    "difference": {"value": -0.25, "standard_error": 0.0125},
}
DIFFERENCES: dict[str, Any] = {
    "a": "old",
    "b": "new",
    "drawings": 40,
    "split": "valid",
    "nats": {"0.5": {"all": DIFFERENCE}},
    "nats_per_sketch": {},
}
WORDS = ["--protocol", "all", "--classifier", "j", "-t", 0.2, "-t", 0.3, "--guidance", 1, "--samples", 7]
SETTINGS = {"protocol": "all", "judge": "j", "temperatures": (0.2, 0.3), "guidance": 1.0, "samples": 7}


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Measurements that are asked for, in the place of real ones."""
    found: list[Any] = []

    def measured(*names: Any, progress: object = None, **settings: Any) -> dict[str, Any]:
        found.append((*names, {name: value for name, value in settings.items() if value is not None}))
        return FIGURES if len(names) == 2 else DIFFERENCES

    monkeypatch.setattr("sketchgen.evaluation.report.evaluate", measured)
    monkeypatch.setattr("sketchgen.evaluation.comparison.compare", measured)
    return found


def test_evaluate_as_json(asked: list[Any], capsys: pytest.CaptureFixture[str]) -> None:
    run("evaluate", "run/best", "store", "--json", "-n", 5)
    suffix = FIGURES["suffix"] | {"0.5": {"nats_per_point": None}}
    assert json.loads(capsys.readouterr().out) == {**FIGURES, "suffix": suffix}
    assert asked == [("run/best", Path("store"), {"split": "valid", "seed": 0, "limit": 5})]


def test_evaluate_for_people(asked: list[Any], capsys: pytest.CaptureFixture[str]) -> None:
    run("evaluate", "run/best", "store")
    out = capsys.readouterr().out
    assert all(
        text in out
        for text in ("run/best", "7.500 ± 0.010", "300.2", "cat", "7.250", "temperature 1", "50.0 %")
    )


def test_options_reach_the_measurement(asked: list[Any], capsys: pytest.CaptureFixture[str]) -> None:
    more = ["--against", "a", "--against", "b", "--training", "t", "--report", "r.md", "--force"]
    run("evaluate", "run/best", "store", "--split", "test", *WORDS, *more)
    assert "report: r.md" in capsys.readouterr().err
    run("compare", "old", "new", "store", "-s", 3, *WORDS)
    figures = {"against": ("a", "b"), "training": Path("t"), "report": Path("r.md"), "force": True}
    assert asked == [
        ("run/best", Path("store"), {"split": "test", "seed": 0} | SETTINGS | figures),
        ("old", "new", Path("store"), {"split": "valid", "seed": 3} | SETTINGS),
    ]


def test_compare(asked: list[Any], capsys: pytest.CaptureFixture[str]) -> None:
    run("compare", "old", "new", "store", "--json")
    assert json.loads(capsys.readouterr().out) == DIFFERENCES
    run("compare", "old", "new", "store")
    out = capsys.readouterr().out
    assert all(text in out for text in ("new against old", "50% given, all", "-0.2500 ± 0.0125"))


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (["--limit", 0], "limit must be 1 or more, not 0"),
        (["--samples", 0], "samples must be 1 or more, not 0"),
        (["--seed", -1], "seed must be a number from 0"),
        (["--guidance", 11], "guidance must be a number from 0 to 10, not 11"),
    ],
)
def test_refused(words: list[object], line: str, capsys: pytest.CaptureFixture[str]) -> None:
    for command in (["evaluate", "a", "store"], ["compare", "a", "b", "store"]):
        assert line in failure(capsys, *command, *words)


def test_both_are_functions_of_the_package_too(asked: list[Any]) -> None:
    importlib.import_module("sketchgen.evaluation")
    assert sketchgen.evaluate("run/best", Path("store"), split="test") == FIGURES
    assert sketchgen.compare("old", "new", Path("store")) == DIFFERENCES


def test_info(checkpoint: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run("info", checkpoint, "--json")
    found = json.loads(capsys.readouterr().out)
    assert (found["name"], found["categories"]) == (str(checkpoint), ["cat", "sun"])
    assert (found["config"]["cell"], found["config"]["width"]) == ("lstm", 16)
    assert "categories" not in found["config"]
    assert found["training"]["steps"] == 0
    run("info", checkpoint)
    assert "cat, sun" in capsys.readouterr().out
    assert "bundled (" in failure(capsys, "info", "missing")


def test_json_has_no_numbers_that_are_none() -> None:
    assert as_json({1: (float("inf"), 2.5, None), "a": Path("b")}) == '{"1": [null, 2.5, null], "a": "b"}'


def test_beginnings_are_measured_without_a_source(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    asked: list[Any] = []
    figure = {"mean": 0.25, "standard_error": 0.05}
    rates = dict.fromkeys(("redrawn", "detached", "nothing", "off_page"), figure)
    part = {"beginnings": 3, "first": figure, "any": figure, "rates": rates}

    def measured(
        completer: Any, items: list[Any], tellings: tuple[str, ...], **settings: Any
    ) -> dict[str, Any]:
        asked.append((completer.name, len(items), tellings, settings["seed"]))
        return {name: part | {"by_category": {"cat": part}} for name in tellings}

    monkeypatch.setattr("sketchgen.evaluation.pages.pages", measured)
    run("evaluate", "tiny", "--protocol", "pages", "-n", 9, "-s", 3, "--category", "auto", "--by-category")
    out = capsys.readouterr().out
    assert all(text in out for text in ("25.0 ± 5.0", "first shown right", "cat", "auto"))
    run("evaluate", "tiny", "--protocol", "pages", "--json")
    assert json.loads(capsys.readouterr().out)["open"]["first"] == figure
    (name, few, *rest), (_, _, tellings, _) = asked
    assert (name, rest) == ("tiny", [("auto",), 3])
    assert 5 <= few <= 9
    assert tellings == ("told", "open")


@pytest.mark.parametrize("words", [["store", "--by-category"], ["store", "--category", "told"], []])
def test_beginnings_and_sources_are_not_mixed(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert "--protocol pages" in failure(capsys, "evaluate", "tiny", *words)
