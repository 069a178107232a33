"""vpype's commands, as they run within vpype."""

from __future__ import annotations

import importlib.metadata
import subprocess
import sys
from pathlib import Path

import click
import numpy as np
import pytest
import vpype
import vpype_cli
from click.testing import CliRunner

from sketchgen import example
from sketchgen.formats.read_write import read
from sketchgen.formats.svg_writer import Style, to_svg

MM = 25.4 / 96
COMMANDS = {"sketchgen", "sketchgen-complete"}
TINY = ["--checkpoint", "tiny"]


def registered() -> set[str]:
    """The commands that the installed sketchgen tells vpype of."""
    found = importlib.metadata.entry_points(group="vpype.plugins")
    return {entry.name for entry in found if entry.value.startswith("sketchgen.")}


@pytest.fixture
def vpype_runs(monkeypatch: pytest.MonkeyPatch):
    """Runs vpype with the commands in it, however old the installed metadata are."""
    from sketchgen import plotter_plugin

    group = vpype_cli.cli
    assert isinstance(group, click.Group)
    for command in (plotter_plugin.draw, plotter_plugin.complete):
        monkeypatch.setitem(group.commands, command.name or "", command)

    def run(*arguments: str):
        return CliRunner().invoke(group, list(arguments))

    return run


def document(path: Path) -> vpype.Document:
    return vpype.read_multilayer_svg(str(path), 0.1)


def test_a_grid_of_drawings(vpype_runs, tmp_path: Path) -> None:
    out = tmp_path / "cats.svg"
    how = ["--count", "3", "--size", "30mm", "--gap", "5mm", "--columns", "2", "--seed", "4", *TINY]
    done = vpype_runs("sketchgen", "cat", *how, "layout", "a4", "write", str(out))
    assert done.exit_code == 0, done.output
    found = document(out)
    assert np.array(found.page_size) * MM == pytest.approx((210, 297), rel=1e-4)
    x0, y0, x1, y1 = found.bounds() or (0, 0, 0, 0)
    assert (x1 - x0) * MM <= 65.01
    assert 35 < (y1 - y0) * MM <= 65.01
    # The same first drawing, whatever comes after it.
    again = tmp_path / "again.svg"
    vpype_runs("sketchgen", "cat", *how, "--count", "1", "layout", "a4", "write", str(again))
    for one, other in zip(document(again).layers[1], found.layers[1], strict=False):
        assert one - one[0] == pytest.approx(other - other[0], abs=1e-2)


def test_layers_and_a_category_that_is_a_command(vpype_runs, tmp_path: Path) -> None:
    out = tmp_path / "two.svg"
    done = vpype_runs(
        *("sketchgen", "cat", *TINY, "-l", "3", "sketchgen", *TINY, "--category", "circle", "-l", "new"),
        *("sketchgen", *TINY, "-l", "7", "write", str(out)),
    )
    assert done.exit_code == 0, done.output
    assert set(document(out).layers) == {1, 3, 7}


def test_a_drawing_is_finished(vpype_runs, tmp_path: Path) -> None:
    half, out = tmp_path / "half.svg", tmp_path / "done.svg"
    given = read(example("half-a-cat"))
    half.write_text(to_svg(given, Style(background=None)), encoding="utf-8")
    done = vpype_runs("read", str(half), "sketchgen-complete", "cat", *TINY, "write", str(out))
    assert done.exit_code == 0, done.output
    before, after = document(half), document(out)
    assert list(after.layers) == [1, 2]
    assert len(after.layers[1]) == len(before.layers[1]) == len(given.strokes)
    for one, other in zip(before.layers[1], after.layers[1], strict=True):
        assert one == pytest.approx(other, abs=1e-3)
    assert after.layers[2].metadata["vp_name"] == "2 added"
    assert len(after.layers[2]) > 0


def test_the_added_layer_is_the_last(vpype_runs, tmp_path: Path) -> None:
    half, out = tmp_path / "half.svg", tmp_path / "done.svg"
    layers = "".join(
        f'<g xmlns:k="http://www.inkscape.org/namespaces/inkscape" k:groupmode="layer" k:label="{name}" '
        f'stroke="{name[2:]}"><path d="M9 9h{name[0]}0"/></g>'
        for name in ("2 red", "5 blue")
    )
    half.write_text(f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 99 99">{layers}</svg>', "utf-8")
    done = vpype_runs("read", str(half), "sketchgen-complete", "cat", *TINY, "write", str(out))
    assert done.exit_code == 0, done.output
    found = document(out).layers
    assert list(found) == [2, 5, 6]
    assert [layer.metadata["vp_color"].as_hex() for layer in found.values()] == [
        "#ff0000",
        "#0000ff",
        "#2563eb",
    ]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["sketchgen", "kat"], "no category 'kat'; did you mean"),
        (["sketchgen", "--count", "0"], "count must be a number from 1 to 10000, not 0"),
        (["sketchgen", "--columns", "0"], "columns must be 1 or more, not 0"),
        (["sketchgen", "--size", "0"], "size is 0; it must be above 0"),
        (["sketchgen", "--gap", "-1mm"], "gap must be 0 or more"),
        (["sketchgen", "--temperature", "9"], "temperature must be"),
        (["sketchgen", "--checkpoint", "nowhere"], "nowhere"),
        (["sketchgen-complete", "--category", "kat"], "no category 'kat'"),
    ],
)
def test_mistakes_are_one_line(vpype_runs, arguments: list[str], words: str) -> None:
    done = vpype_runs(*arguments)
    assert done.exit_code != 0
    assert "Traceback" not in done.output
    (line,) = [line for line in done.output.splitlines() if line.startswith("Error:")]
    assert words in line


def test_help_loads_no_model() -> None:
    names = ("sketchgen.completion", "sketchgen.sketch", "torch")
    code = f"import sys, sketchgen.plotter_plugin; print(any(name in sys.modules for name in {names}))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


def test_vpype_finds_the_commands_as_they_are_installed(tmp_path: Path) -> None:
    if registered() != COMMANDS:
        pytest.skip(
            "the installed sketchgen is older than its vpype commands; install it anew: pip install -e ."
        )
    out = tmp_path / "cats.svg"
    command = [sys.executable, "-m", "vpype_cli", "sketchgen", "cat", "--count", "4", *TINY]
    done = subprocess.run(
        [*command, "layout", "a4", "write", str(out)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert len(document(out).layers[1]) > 4
