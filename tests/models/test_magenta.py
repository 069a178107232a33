"""Magenta's published decoders: read as they were written, and drawing as they were meant to."""

from __future__ import annotations

import base64
import itertools
import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sketchgen.completion.sampler import noise_rows, sample_steps
from sketchgen.errors import CheckpointError
from sketchgen.formats.read_write import read_all
from sketchgen.models.magenta import MagentaDecoder, read_magenta
from sketchgen.models.numpy_stroke_model import Prefix
from sketchgen.sketch.strokes import pens

WIDTH, COMPONENTS, SCALE = 7, 4, 80.0
SHAPES = [
    [WIDTH, 3 + 6 * COMPONENTS],
    [3 + 6 * COMPONENTS],
    [5, 4 * WIDTH],
    [WIDTH, 4 * WIDTH],
    [4 * WIDTH],
]


def numbers(seed: int = 0) -> list[np.ndarray]:
    random = np.random.default_rng(seed)
    return [random.integers(-3000, 3000, shape).astype("<i2") for shape in SHAPES]


def content(tensors: list[np.ndarray]) -> list[Any]:
    info = {"name": "sheep", "scale_factor": SCALE, "version": 6, "mode": 2, "max_seq_len": 100}
    return [info, SHAPES, [base64.b64encode(part.tobytes()).decode() for part in tensors]]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    (tmp_path / "sheep.gen.json").write_text(json.dumps(content(numbers())))
    return tmp_path / "sheep.gen.json"


def sigmoid(value: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-value))


def steps_by_hand(offsets: np.ndarray, pen: np.ndarray) -> list[np.ndarray]:
    """The 3 + 6 k outputs before the first and after each step, as TensorFlow's basic LSTM has it."""
    head, bias, inputs, recurrent, gates = (part.astype(float) * 10 / 32767 for part in numbers())
    hidden, cell, found = np.zeros(WIDTH), np.zeros(WIDTH), []
    scale = SCALE * 255 / 1000
    for step in range(len(pen) + 1):
        read = np.zeros(5)
        if step:
            read[:2], read[2 + pen[step - 1]] = offsets[step - 1] / scale, 1.0
        enters, candidate, keeps, leaves = np.split(read @ inputs + hidden @ recurrent + gates, 4)
        cell = sigmoid(keeps + 1.0) * cell + sigmoid(enters) * np.tanh(candidate)
        hidden = sigmoid(leaves) * np.tanh(cell)
        found.append(hidden @ head + bias)
    return found


def test_it_computes_what_the_file_says(path: Path):
    decoder = read_magenta(path)
    assert decoder.name == "sheep"
    offsets, pen = np.random.default_rng(1).normal(size=(6, 2)) * 30, np.array([0, 0, 1, 0, 1, 0])
    nothing = Prefix(np.zeros((0, 2)), np.zeros(0, dtype=np.int64), np.zeros(2, dtype=np.int64), known=True)
    found, state = decoder.prime(nothing)
    for step, told in enumerate(steps_by_hand(offsets, pen)):
        mixture, rest = found, told[3:].reshape(6, COMPONENTS)
        scale = SCALE * 255 / 1000
        np.testing.assert_allclose(
            np.exp(mixture.log_weight[1]), np.exp(rest[0]) / np.exp(rest[0]).sum(), 1e-4
        )
        np.testing.assert_allclose(mixture.mean[1], rest[1:3].T * scale, rtol=1e-4, atol=1e-4)
        np.testing.assert_allclose(mixture.log_sigma[1], rest[3:5].T + np.log(scale), rtol=1e-4, atol=1e-4)
        np.testing.assert_allclose(mixture.rho[1], 0.995 * np.tanh(rest[5]), rtol=1e-4, atol=1e-4)
        chosen = np.exp(told[:3]) / np.exp(told[:3]).sum()
        assert sigmoid(mixture.lift[1, 0]) == pytest.approx(chosen[1] / chosen[:2].sum(), rel=1e-4)
        may_end = step > 0 and pen[step - 1] == 1
        assert sigmoid(mixture.end[1]) == pytest.approx(chosen[2] if may_end else 0.0, rel=1e-4)
        assert (mixture.points == step).all()
        if step < len(pen):
            found, state = decoder.advance(np.tile(offsets[step], (2, 1)), np.full(2, pen[step]), state)


def test_a_given_part_is_replayed_without_its_first_point(path: Path):
    decoder = read_magenta(path)
    offsets, pen = np.random.default_rng(2).normal(size=(5, 2)) * 30, np.array([0, 0, 1, 0, 1])
    going_on = np.array([False, True])
    found, _ = decoder.prime(Prefix(offsets, pen, np.zeros(2, dtype=np.int64), known=True, going_on=going_on))
    for row, last in enumerate((1, 0)):
        told = steps_by_hand(offsets[1:], np.array([0, 1, 0, last]))[-1]
        np.testing.assert_allclose(found.mean[row, :, 0], told[3 + COMPONENTS :][:COMPONENTS] * 20.4, 1e-3)


def test_it_draws(path: Path):
    decoder = read_magenta(path)
    given = Prefix(np.zeros((0, 2)), np.zeros(0, dtype=np.int64), np.zeros(3, dtype=np.int64), known=True)
    drawn = sample_steps(decoder, given, noise_rows(1, 3), 50, 0.5)
    assert (drawn.length >= 1).all()
    assert np.isfinite(drawn.log_prob).all()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda whole: {}, "is no decoder of Magenta's"),
        (lambda whole: whole[:2], "is no decoder of Magenta's"),
        (lambda whole: [whole[0], whole[1], whole[2][:-1]], "is no decoder of Magenta's"),
        (lambda whole: [whole[0], whole[1], ["!", *whole[2][1:]]], "is no decoder of Magenta's"),
        (lambda whole: [whole[0] | {"scale_factor": 0}, *whole[1:]], "scale_factor is 0"),
        (lambda whole: [{}, *whole[1:]], "is no decoder of Magenta's"),
        (lambda whole: [whole[0], whole[1][::-1], whole[2][::-1]], "is no decoder of Magenta's"),
        (lambda whole: [whole[0], [[3, 63], *whole[1][1:]], whole[2]], "make no network"),
    ],
)
def test_other_files_are_refused_on_one_line(tmp_path: Path, change: Any, message: str):
    (tmp_path / "bad.json").write_text(json.dumps(change(content(numbers()))))
    with pytest.raises(CheckpointError, match=message) as caught:
        read_magenta(tmp_path / "bad.json")
    assert "\n" not in str(caught.value)


def test_no_file_at_all(tmp_path: Path):
    with pytest.raises(CheckpointError, match="no such file"):
        read_magenta(tmp_path / "none.json")


@pytest.mark.skipif("SKETCHGEN_DATA" not in os.environ, reason="SKETCHGEN_DATA names no folder of real data")
def test_a_published_decoder_knows_sheep_better_than_another_one_does():
    data = Path(os.environ["SKETCHGEN_DATA"])
    sketches = list(itertools.islice(read_all(data / "quickdraw_simplified" / "sheep.ndjson"), 8))

    def nats(decoder: MagentaDecoder) -> float:
        total, count = 0.0, 0
        for sketch in sketches:
            offset, pen = np.diff(sketch.points, axis=0, prepend=0.0), pens(sketch)
            given = Prefix(offset[:1], pen[:1], np.zeros(1, dtype=np.int64), known=True)
            found, state = decoder.prime(given)
            for step in range(1, len(pen)):
                total -= float(found.log_prob(offset[step][None], pen[step : step + 1])[0])
                found, state = decoder.advance(offset[step][None], pen[step : step + 1], state)
            count += len(pen) - 1
        return total / count

    sheep, pool = (nats(read_magenta(data / "magenta" / f"{name}.gen.json")) for name in ("sheep", "pool"))
    assert sheep < 7.8
    assert sheep < pool - 0.2
