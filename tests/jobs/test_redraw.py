"""A single drawing of a job, made again alone: the same, or refused."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from scribbles import open_scribbles, scribble

from sketchgen.errors import CheckpointError, FormatError, SettingError, SketchgenError
from sketchgen.formats.read_write import read
from sketchgen.formats.registry import encode
from sketchgen.formats.render_options import RenderOptions
from sketchgen.jobs import redraw as again
from sketchgen.jobs.engine import DrawingResult
from sketchgen.jobs.executor import InProcess
from sketchgen.jobs.inputs import Source, open_source
from sketchgen.jobs.output import open_output
from sketchgen.jobs.run import Run
from sketchgen.jobs.spec import DrawingRequest, Job, Sampling
from sketchgen.jobs.worker import fingerprint, from_line, to_line
from sketchgen.models.checkpoint import find_checkpoint
from sketchgen.sketch.sketch import Box, Completion, Layer, Sheet, Sketch

LINE = '{"word": "cat", "drawing": [[[0, %d], [0, 100]]]}\n'
EXECUTOR = InProcess(open_scribbles)
JOB = Job(
    Sampling("tiny"),
    "batch",
    ("cat", "dog"),
    7,
    5,
    ("cat", "dog"),
    best_of=3,
    render_options=RenderOptions("json"),
)


def drawn(job: Job, out: Path, source: Source | None = None) -> Path:
    Run(job, source, open_output(out, job), find_checkpoint("tiny").fingerprint()).go(EXECUTOR)
    return out / "manifest.jsonl"


@pytest.mark.parametrize("which", ["0", "10", "dog-7.json"])
def test_a_drawing_alone_is_what_it_was(which: str, tmp_path: Path) -> None:
    earlier = again.find_drawing(drawn(JOB, tmp_path / "out"), which)
    item = again.redraw(earlier, None, EXECUTOR)
    assert encode(item, earlier.job.render_options) == (tmp_path / "out" / earlier.line["file"]).read_bytes()


def test_a_completion_alone_is_what_it_was(tmp_path: Path) -> None:
    path = tmp_path / "begun.ndjson"
    path.write_text("".join(LINE % number for number in range(1, 13)))
    source = open_source([(str(path), path)], 100, "")
    job = replace(JOB, categories=(None,), names=("begun",), given=12)
    manifest = drawn(job, tmp_path / "out", source)
    earlier = again.find_drawing(manifest, "begun-09-2.json")
    assert earlier.line["number"] == 8 * 7 + 1
    item = again.redraw(earlier, source, EXECUTOR)
    assert encode(item, earlier.job.render_options) == (tmp_path / "out" / "begun-09-2.json").read_bytes()
    path.write_text("".join(LINE % number for number in range(2, 14)))
    with pytest.raises(FormatError, match="its content has changed"):
        again.redraw(earlier, open_source([(str(path), path)], 100, ""), EXECUTOR)


def test_an_engine_that_draws_nothing_is_told_and_not_asked_for_ever(tmp_path: Path) -> None:
    class Idle:
        def draw(self, requests: Iterable[DrawingRequest]) -> Iterator[DrawingResult]:
            assert list(requests)
            return iter(())

    earlier = again.find_drawing(drawn(JOB, tmp_path / "out"), "0")
    with pytest.raises(SketchgenError, match="came out otherwise"):
        again.redraw(earlier, None, InProcess(lambda job: Idle()))


def test_by_another_model(tmp_path: Path) -> None:
    manifest = drawn(JOB, tmp_path / "out")
    earlier = again.find_drawing(manifest, "0")
    other = {**earlier.header, "sampling": {**earlier.header["sampling"], "checkpoint": "quickdraw345"}}
    with pytest.raises(CheckpointError, match="not the model that drew this"):
        again.redraw(replace(earlier, header=other), None, EXECUTOR)


def test_what_comes_out_otherwise_is_told(tmp_path: Path) -> None:
    manifest = drawn(JOB, tmp_path / "out")
    earlier = again.find_drawing(manifest, "4")
    with pytest.raises(SketchgenError, match="came out otherwise"):
        again.redraw(
            replace(earlier, line={**earlier.line, "index": earlier.line["index"] + 1}), None, EXECUTOR
        )


def test_no_such_drawing(tmp_path: Path) -> None:
    manifest = drawn(JOB, tmp_path / "out")
    with pytest.raises(SettingError, match="its numbers are 0 to 13"):
        again.find_drawing(manifest, "14")


def test_a_manifest_of_another_version(tmp_path: Path) -> None:
    manifest = drawn(JOB, tmp_path / "out")
    header, *rows = manifest.read_text().splitlines()
    manifest.write_text("\n".join([json.dumps({**json.loads(header), "version": 1}), *rows, ""]))
    with pytest.raises(FormatError, match="version 1, this program reads 2"):
        again.find_drawing(manifest, "0")
    manifest.write_text(f'{{"format": "sketchgen-manifest", "version": 2}}\n{rows[0]}\n')
    with pytest.raises(FormatError, match="header is damaged"):
        again.redraw(again.find_drawing(manifest, "0"), None, EXECUTOR)
    with pytest.raises(FormatError, match="no manifest"):
        again.find_drawing(tmp_path / "out" / "cat-1.json", "0")


def test_small_jobs_are_made_again_by_the_same_hands(checkpoint: Path, tmp_path: Path) -> None:
    """The completer draws all alternatives together: the matrix products are rounded as they were."""
    name = str(checkpoint)
    job = Job(Sampling(name), "completer", ("cat",), 3, 5, ("cat",), best_of=2)
    Run(job, None, open_output(tmp_path / "out", job), find_checkpoint(name).fingerprint()).go(InProcess())
    earlier = again.find_drawing(tmp_path / "out" / "manifest.jsonl", "1")
    item = again.redraw(earlier, None)
    assert isinstance(item, Sketch)
    found = read(tmp_path / "out" / "cat-2.svg")
    assert [line.tolist() for line in item.strokes] == [line.tolist() for line in found.strokes]


def test_what_is_set_aside_comes_back_bit_for_bit() -> None:
    given = Sketch.from_strokes([[(0.1, 1 / 3)], [(2, 3), (1e-9, -7.25)]], page=Box(0, 0, 640, 480))
    sheet = Sheet(("10cm", "75mm"), (Layer("1", ("#000000",)), Layer(None, (None,))), 0.5)
    drawn = scribble(DrawingRequest(0, "cat", 1, 2, replace(given, sheet=sheet))).item
    assert isinstance(drawn, Completion)
    assert drawn.given.sheet == sheet
    for item in (given, drawn, Sketch()):
        back = from_line(to_line(item), "a file")
        assert type(back) is type(item)
        assert fingerprint(back) == fingerprint(item)
        assert back.to_svg() == item.to_svg()
    with pytest.raises(FormatError, match="a file is damaged"):
        from_line(b"{}", "a file")


ODD: list[Any] = [None, [], {}, "", "a\nb", -1, 1.5, True, [[[1]]], 10**30, {"a": {}}]


@pytest.mark.parametrize(
    "key", ["sampling", "engine", "categories", "count", "seed", "names", "look", "files"]
)
def test_odd_values_in_a_header_never_do_more_than_fail_in_a_line(key: str, tmp_path: Path) -> None:
    manifest = drawn(replace(JOB, count=1), tmp_path / "out")
    header, *lines = manifest.read_text().splitlines()
    plain = json.loads(header)
    for odd in ODD:
        changes = [{key: odd}]
        if isinstance(plain[key], dict):
            changes += [{key: plain[key] | {name: odd}} for name in plain[key]]
        for change in changes:
            manifest.write_text("\n".join([json.dumps(plain | change), *lines]) + "\n")
            with contextlib.suppress(SketchgenError):
                again.redraw(again.find_drawing(manifest, "0"), None, EXECUTOR)


@pytest.mark.parametrize("key", ["number", "file", "index", "ended", "bytes", "hash", "signature", "dropped"])
def test_odd_values_in_a_line_never_do_more_than_fail_in_a_line(key: str, tmp_path: Path) -> None:
    manifest = drawn(replace(JOB, count=1), tmp_path / "out")
    header, line, *lines = manifest.read_text().splitlines()
    for odd in ODD:
        manifest.write_text("\n".join([header, json.dumps(json.loads(line) | {key: odd}), *lines]) + "\n")
        with contextlib.suppress(SketchgenError):
            again.redraw(again.find_drawing(manifest, "0"), None, EXECUTOR)


def test_a_line_s_file_is_in_the_folder(tmp_path: Path) -> None:
    manifest = drawn(replace(JOB, count=1), tmp_path / "out")
    manifest.write_text(manifest.read_text().replace('"cat-1.json"', '"../cat-1.json"'))
    with pytest.raises(FormatError, match="line 2 is damaged"):
        again.find_drawing(manifest, "0")
