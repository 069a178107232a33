"""The critic: the same in both forms, blind to size and place, and never taken for another kind."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import sketchgen
from sketchgen.errors import CheckpointError, SettingError, SketchError
from sketchgen.models.classifier import RecogniserNetwork
from sketchgen.models.classifier_checkpoint import save_kept
from sketchgen.models.classifier_config import FEATURES, FIRST_SPAN, RecogniserConfig
from sketchgen.models.reward_checkpoint import CRITIC, read_reward_model
from sketchgen.models.reward_config import WAYS, RewardConfig
from sketchgen.models.reward_features import reward_features, seen
from sketchgen.models.reward_model import load_reward_model
from sketchgen.sketch.sketch import Completion, Sketch
from tests.support import critics, recognisers

KIND: Any = CRITIC


def test_both_forms_say_the_same():
    model, reader = critics.network(), critics.critic().reader
    shown = [seen(each.given, each.added) for each in critics.finished(9, 20, 31, 40, 3, 77, 5, 6, 50, 2)]
    category = np.arange(10) % 5
    steps, length = reward_features(shown)
    told = [torch.from_numpy(value) for value in (steps, length, category)]
    wanted = model.scores(*told).detach().numpy()
    np.testing.assert_allclose(reader.scores(shown, category), wanted, atol=1e-4)
    assert wanted.std() > 0.1
    grouped = model(*told).detach().numpy()
    assert grouped.shape == (2, WAYS)
    np.testing.assert_allclose(grouped.ravel(), wanted, atol=1e-5)


def test_neither_size_nor_place_nor_company_counts():
    who, found = critics.critic(), critics.finished(9, 20, 31)
    scores = who.scores(found, "dog")
    others = [
        Completion(critics.moved(each.given, 3.0, 500.0), critics.moved(each.added, 3.0, 500.0))
        for each in found
    ]
    np.testing.assert_allclose(who.scores(others, "dog"), scores, atol=1e-3)
    np.testing.assert_allclose(who.scores(found[1:], "dog"), scores[1:], atol=1e-4)


def test_the_category_counts_and_an_unknown_one_is_any():
    who, found = critics.critic(), critics.finished(9, 20)
    told = [who.scores(found, category) for category in ("dog", "cat", None, "unicorn")]
    assert (np.abs(told[0] - told[1]) > 1e-3).all()
    assert (np.abs(told[1] - told[2]) > 1e-3).all()
    np.testing.assert_array_equal(told[2], told[3])


def test_who_drew_what_counts():
    given, added = recognisers.scribbles(12, 12)
    who = critics.critic()
    one = who.scores([Completion(given, added), Completion(added, given)], "dog")
    assert abs(one[0] - one[1]) > 1e-3
    both = Sketch(given.strokes + added.strokes)
    assert who.scores([Completion(both, Sketch())], "dog") != pytest.approx(one[0], abs=1e-3)


def test_an_empty_drawing_is_refused():
    blank = Completion(Sketch(), Sketch())
    with pytest.raises(SketchError, match="drawing 1"):
        critics.critic().scores([*critics.finished(4), blank], None)


def test_it_begins_with_what_a_recogniser_has_learned():
    config = RecogniserConfig(recognisers.CATEGORIES, entry=16, widths=(12, 16), heads=4, pooled=24)
    reads = RecogniserNetwork(config).eval()
    model = critics.network()
    model.begin_with(reads)
    steps, length = reward_features([seen(each.given, each.added) for each in critics.finished(9, 20)])
    told = torch.from_numpy(steps), torch.from_numpy(length)
    described = reads.described(told[0][..., :FEATURES], told[1])
    torch.testing.assert_close(model.described(*told), described)
    first = model.first.weight.view(-1, FIRST_SPAN, model.config.features)
    assert (first[..., FEATURES:] == 0).all()
    torch.testing.assert_close(model.category.weight[:-1], reads.head.weight)
    torch.testing.assert_close(model.category.weight[-1], reads.head.weight.mean(0))


def test_a_new_one_prefers_nothing():
    torch.manual_seed(0)
    config = critics.small()
    reader = type(critics.critic().reader)(config, type(critics.network())(config).weights())
    shown = [seen(each.given, each.added) for each in critics.finished(9, 20, 31)]
    assert np.ptp(reader.scores(shown, np.zeros(3, dtype=np.int64))) == 0.0


def test_goes_round(tmp_path: Path):
    model = critics.network()
    assert {name: value.shape for name, value in model.weights().items()} == critics.small().weight_shapes()
    save_kept(KIND, tmp_path / "made", model, {"steps": 3})
    found = read_reward_model(tmp_path / "made")
    assert found.config == model.config
    assert found.summary == {"steps": 3}
    loaded = load_reward_model(tmp_path / "made")
    ways = critics.finished(9, 20)
    np.testing.assert_array_equal(loaded.scores(ways, "cat"), critics.critic().scores(ways, "cat"))
    card = (tmp_path / "made" / "README.md").read_text(encoding="utf-8")
    assert "critic" in card
    assert "CC BY 4.0" in card


def test_it_is_never_taken_for_another_kind(tmp_path: Path):
    save_kept(KIND, tmp_path / "critic", critics.network(), {})
    for load in (sketchgen.load, sketchgen.load_recogniser):
        with pytest.raises(CheckpointError, match="a critic, and draws nothing"):
            load(tmp_path / "critic")
    with pytest.raises(CheckpointError, match="recogniser, and draws nothing"):
        load_reward_model("recogniser345")
    with pytest.raises(CheckpointError, match="no critic 'nowhere'"):
        load_reward_model("nowhere")


def test_bad_shapes_are_refused():
    with pytest.raises(SettingError, match="heads"):
        RewardConfig(("cat", "dog"), heads=7)
    with pytest.raises(SettingError, match="unknown setting 'depth'"):
        RewardConfig.from_dict(critics.small().to_dict() | {"depth": 3})
    assert RewardConfig.from_dict(critics.small().to_dict()) == critics.small()
