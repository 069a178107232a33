"""Published networks: as our network they give the distributions that they give as they are."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from sketchgen.completion.completer import Completer, load
from sketchgen.completion.latent import load_latent
from sketchgen.errors import CheckpointError
from sketchgen.models.checkpoint import CLASSIFIER, find_checkpoint, save_checkpoint
from sketchgen.models.magenta import FIRST_MEAN, FIRST_SIGMA, read_magenta
from sketchgen.models.numpy_mixture import StepDistribution
from sketchgen.models.numpy_stroke_model import Decoder, Prefix
from sketchgen.models.recogniser import load_recogniser
from sketchgen.models.stroke_model import Steps, StrokeModel
from sketchgen.sketch.geometry import BOX
from sketchgen.sketch.sketch import Sketch
from sketchgen.sketch.strokes import Pen
from tests.support.published import Published, content, published
from tests.support.untrained import tiny

DRAW, LIFT = int(Pen.DRAW), int(Pen.LIFT)
OFFSET = np.array([[40, 9], [-3.5, 2], [0, -8], [30, 30.5], [-2, 6], [1, 1], [-9, 0]])
PEN = np.array([DRAW, DRAW, LIFT, DRAW, LIFT, DRAW, LIFT])
PX = 1000.0 / BOX


def imported(path: Path) -> Decoder:
    """The decoder as ours."""
    found = read_magenta(path)
    return Decoder(found.config, found.weights)


ROWS = [(PX * x, PX * y, pen) for (x, y), pen in zip(OFFSET.tolist(), PEN.tolist(), strict=True)]


def wanted(path: Path, latent: np.ndarray | None = None) -> list[dict[str, Any]]:
    """What the published network says before each step but the first, and after the last."""
    return Published(path).read(ROWS[1:], latent)


def check(found: StepDistribution, right: dict[str, Any], *, can_end: bool, exact: float = 1e-4) -> None:
    """Compare the distribution over one step."""
    close: Callable[..., None] = lambda a, b: np.testing.assert_allclose(a, b, rtol=exact, atol=exact)  # noqa: E731
    close(np.exp(found.log_weight[0]), right["weight"])
    close(found.mean[0] * PX, right["mean"])
    close(np.exp(found.log_sigma[0]) * PX, right["sigma"])
    close(found.rho[0], np.clip(right["rho"], -0.995, 0.995))
    draw, lift, end = right["pen"]
    close(1.0 / (1.0 + np.exp(-found.lift[0])), lift / (draw + lift))
    close(1.0 / (1.0 + np.exp(-found.end[0])), end if can_end else 0.0)


@pytest.mark.parametrize("sizes", [{}, {"width": 24, "components": 5, "seed": 3}])
def test_its_distributions_are_the_published_ones(sizes: dict[str, Any], tmp_path: Path) -> None:
    path = published(tmp_path, **sizes)
    decoder, right = imported(path), wanted(path)
    found, state = decoder.prime(Prefix(OFFSET[:1], PEN[:1], np.array([0]), known=True))
    for step, pen in enumerate(PEN.tolist()):
        if step:
            found, state = decoder.advance(OFFSET[[step]], np.array([pen]), state)
        check(found, right[step], can_end=step > 0 and pen == LIFT)


def test_torch_has_the_same(tmp_path: Path) -> None:
    path = published(tmp_path)
    network = StrokeModel.from_weights(*(getattr(read_magenta(path), name) for name in ("config", "weights")))
    offset, pen = torch.tensor(OFFSET[None], dtype=torch.float32), torch.tensor(PEN[None])
    with torch.no_grad():
        found = network(Steps(offset, pen, torch.tensor([0]), torch.ones(1)), torch.tensor([0]))
    for step, right in enumerate(wanted(path), 1):
        np.testing.assert_allclose(found.log_weight[0, step].exp(), right["weight"], rtol=1e-4)
        np.testing.assert_allclose(found.mean[0, step] * PX, right["mean"], rtol=1e-4, atol=1e-3)
        np.testing.assert_allclose(found.log_sigma[0, step].exp() * PX, right["sigma"], rtol=1e-4)
        np.testing.assert_allclose(found.rho[0, step], right["rho"], atol=1e-4)
        if pen[0, step - 1] == LIFT:
            assert float(found.end[0, step].sigmoid()) == pytest.approx(right["pen"][2], abs=1e-5)


VECTOR = np.linspace(-2.0, 3.0, 7)
NOTHING = Prefix(np.zeros((0, 2)), np.zeros(0, dtype=np.int64), np.array([0]), known=True)


@pytest.mark.parametrize("sizes", [{}, {"width": 24, "components": 5, "seed": 3}])
def test_a_latent_vector_leads_to_the_published_distributions(sizes: dict[str, Any], tmp_path: Path) -> None:
    path = published(tmp_path, latent=len(VECTOR), **sizes)
    decoder, right = imported(path), wanted(path, VECTOR)
    assert not np.allclose(right[0]["weight"], wanted(path, 0.0 * VECTOR)[0]["weight"], atol=0.01)
    _, state = decoder.prime(replace(NOTHING, latent=VECTOR[None].astype(np.float32)))
    for step, pen in enumerate(PEN.tolist()):
        found, state = decoder.advance(OFFSET[[step]], np.array([pen]), state)
        check(found, right[step], can_end=pen == LIFT)


def test_the_posterior_is_the_published_one(tmp_path: Path) -> None:
    path = published(tmp_path, latent=7)
    found, mean, deviation = read_magenta(path), *Published(path).encode(ROWS[1:])
    decoder = Decoder(found.config, found.weights)
    # A shorter one beside it: they are read together, padded.
    whole, shorter = (
        Prefix(OFFSET, PEN, np.array([0]), True),
        Prefix(OFFSET[:3], PEN[:3], np.array([0]), True),
    )
    both = decoder.posterior([whole, shorter])
    np.testing.assert_allclose(both.mean[0], mean, rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose(both.deviation[0], deviation, rtol=1e-4)
    np.testing.assert_allclose(both.mean[1], Published(path).encode(ROWS[1:3])[0], rtol=1e-4, atol=1e-4)
    prior = decoder.prior(NOTHING)
    assert (prior.mean == 0.0).all()
    assert (prior.deviation == 1.0).all()
    network = StrokeModel.from_weights(found.config, found.weights)
    steps = Steps(
        torch.tensor(OFFSET[None]).float(), torch.tensor(PEN[None]), torch.tensor([0]), torch.ones(1)
    )
    with torch.no_grad():
        posterior, _ = network.latents(steps, torch.tensor([len(PEN)]), torch.tensor([0]))
    np.testing.assert_allclose(posterior.mean[0], mean, rtol=1e-4, atol=1e-4)


def test_a_checkpoint_with_a_latent_vector_draws_from_it(tmp_path: Path) -> None:
    found = read_magenta(published(tmp_path, "cat", latent=7))
    save_checkpoint(tmp_path / "cat", Decoder(found.config, found.weights), found.summary)
    space = replace(load_latent(tmp_path / "cat"), guidance=0.0, best_of=1)
    assert space.reconstruct(Sketch.from_strokes([OFFSET.cumsum(0)]))[0].point_count > 0


def test_the_first_point_is_put_where_drawings_begin(tmp_path: Path) -> None:
    first, _ = imported(published(tmp_path)).prime(NOTHING)
    np.testing.assert_allclose(first.mean[0], np.tile(FIRST_MEAN, (20, 1)), rtol=1e-4)
    np.testing.assert_allclose(np.exp(first.log_sigma[0]), np.tile(FIRST_SIGMA, (20, 1)), rtol=1e-4)
    assert first.lift.max() < -50
    assert first.end[0] == -np.inf


def test_a_checkpoint_of_it_completes_and_is_no_classifier(tmp_path: Path) -> None:
    found = read_magenta(published(tmp_path, "catpig"))
    save_checkpoint(tmp_path / "catpig", Decoder(found.config, found.weights), found.summary)
    model = load(tmp_path / "catpig")
    assert (model.categories, model.guidance) == (("catpig",), 0.0)
    given = Sketch.from_strokes([OFFSET.cumsum(0)])
    (completion,) = model.complete(given, "catpig", 1, limit=9)
    assert completion.added.point_count > 0
    (same,) = model.complete(given, None, 1, limit=9)
    assert np.array_equal(completion.added.points, same.added.points)
    with pytest.raises(CheckpointError, match="is a stroke model, not a classifier"):
        find_checkpoint(tmp_path / "catpig", CLASSIFIER)
    assert 'license: "unknown"' in (tmp_path / "catpig" / "README.md").read_text()


def test_given_lines_are_simplified_as_theirs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[int] = []
    prime = Decoder.prime

    def noted(decoder: Decoder, given: Prefix) -> Any:
        read.append(len(given.pen))
        return prime(decoder, given)

    monkeypatch.setattr(Decoder, "prime", noted)
    angle = np.linspace(0.0, 6.0, 200)
    given = Sketch.from_strokes([80.0 * np.stack([np.cos(angle), np.sin(angle)], -1)])
    for model in (Completer(imported(published(tmp_path)), "sheep", {}), tiny("sheep")):
        model.complete(given, None, 1, limit=1)
    assert read[-1] > 5
    assert max(read) > 1.7 * read[-1]


@pytest.mark.parametrize(
    ("name", "category"), [("the_mona_lisa", "The Mona Lisa"), ("sea_turtle", "sea turtle")]
)
def test_names_are_those_of_the_categories(name: str, category: str, tmp_path: Path) -> None:
    assert read_magenta(published(tmp_path, name)).config.categories == (category,)


GOOD = content(components=2)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        ("{", "line 1 column 2"),
        ('{"word": "cat"}', "information, shapes and weights"),
        ("[1, 2, 3]", "information, shapes and weights"),
        (json.dumps(GOOD)[:-900], "unexpected end of data"),
        (json.dumps([GOOD[0] | {"scale_factor": float("nan")}, *GOOD[1:]]), "unexpected character"),
        ([GOOD[0] | {"scale_factor": "big"}, *GOOD[1:]], "scale_factor is 'big'"),
        ([GOOD[0] | {"scale_factor": -1.0}, *GOOD[1:]], "offset_scale must be above 0"),
        ([GOOD[0] | {"name": " "}, *GOOD[1:]], "name is ' '"),
        ([GOOD[0], GOOD[1][:4], GOOD[2]], "as many shapes as weights"),
        ([GOOD[0], GOOD[1] * 2, GOOD[2] * 2], "it has 10 tensors, not 5 or 17"),
        ([GOOD[0], [[1, 9]] * 17, [""] * 17], "its shapes are"),
        ([GOOD[0], [[5]] * 17, [""] * 17], "shape 12 is [5], not units x outputs"),
        ([{"version": 5}, [[1, 9]] * 17, [""] * 17], "its version is 5, not 6 or later"),
        ([GOOD[0], [[16, 14], *GOOD[1][1:]], GOOD[2]], "14 outputs, not 3 and 6 for each"),
        ([GOOD[0], [*GOOD[1][:4], [63]], GOOD[2]], "its shapes are"),
        ([GOOD[0], [[1e9, 15], *GOOD[1][1:]], GOOD[2]], "shape 0 is"),
        ([GOOD[0], GOOD[1], [GOOD[2][0][:-4], *GOOD[2][1:]]], "bytes"),
        ([GOOD[0], GOOD[1], ["?", *GOOD[2][1:]]], "base64"),
        (content(components=101), "components must be a whole number from 1 to 100"),
    ],
)
def test_what_is_none_of_them_is_refused_in_one_line(data: Any, words: str, tmp_path: Path) -> None:
    path = tmp_path / "sheep.gen.json"
    path.write_text(data if isinstance(data, str) else json.dumps(data))
    with pytest.raises(CheckpointError) as caught:
        read_magenta(path)
    text = str(caught.value)
    assert "sheep.gen.json is no Sketch-RNN of Magenta's" in text
    assert words in text
    assert "\n" not in text
    assert len(text) < 400


def test_what_cannot_be_read_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(CheckpointError, match="no such file"):
        read_magenta(tmp_path / "none.gen.json")
    monkeypatch.setattr("sketchgen.sketch.files.MAX_BYTES", 1000)
    with pytest.raises(CheckpointError, match="is larger than"):
        read_magenta(published(tmp_path))


def test_the_real_ones_draw_what_they_are_named_after(data_dir: Path) -> None:
    recogniser = load_recogniser()
    for path in [*data_dir.glob("magenta/*.gen.json"), *data_dir.parent.glob("magenta/*.gen.json")]:
        decoder, right = imported(path), wanted(path)
        check(
            decoder.prime(Prefix(OFFSET, PEN, np.array([0]), known=True))[0],
            right[-1],
            can_end=True,
            exact=1e-3,
        )
        drawn = Completer(decoder, path.name, {}).generate(decoder.config.categories[0], 12, 0.4)
        guesses = [recogniser.recognise(sketch, top=1)[0].category for sketch in drawn]
        assert sum(guess == decoder.config.categories[0] for guess in guesses) >= 4, path.name
