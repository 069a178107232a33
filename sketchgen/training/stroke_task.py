"""Training of a stroke model: its objectives, validation, checkpoints and pictures."""

from __future__ import annotations

from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import torch
from PIL.Image import Image

from sketchgen.completion.completer import Completer
from sketchgen.data.splitting import cut_after, prefix_length
from sketchgen.data.store import Split, Store
from sketchgen.errors import SettingError
from sketchgen.evaluation.latent import score_latent
from sketchgen.evaluation.likelihood import score
from sketchgen.formats.poster import contact_sheet
from sketchgen.models.checkpoint import Checkpoint, read_checkpoint, with_categories
from sketchgen.models.config import ModelConfig
from sketchgen.models.numpy_layers import CELLS
from sketchgen.models.numpy_stroke_model import Decoder
from sketchgen.models.stroke_model import StrokeModel
from sketchgen.sketch.sketch import Completion, Sketch
from sketchgen.training.config import ModelSettings, ReinforceConfig, TrainConfig
from sketchgen.training.datasets import (
    StoreBatches,
    StrokeCollate,
    own_share,
    training_and_validation,
    validation_notes,
)
from sketchgen.training.distributed import rank, sum_over_processes, world_size
from sketchgen.training.loop import Task
from sketchgen.training.objectives import EvidenceBound, Likelihood, Objective, load_teachers
from sketchgen.training.preference import Preference, PreferenceBatches
from sketchgen.training.reinforce import PolicyGradient, ReinforceBatches
from sketchgen.training.rewards import load_reward_classifier

GIVEN_SHARE, PICTURE_TEMPERATURE = 0.4, 0.4
"""Share of a drawing's points that is given where a run shows completions, and their temperature."""


class StrokeTask(Task):
    """A stroke model, by the likelihood of drawings and further objectives."""

    def __init__(self, config: TrainConfig, device: torch.device) -> None:
        self._config, self._device = config, device
        store = Store.open(config.store)
        self.split, self._valid, self._held_out = training_and_validation(store, config.validate_drawings)
        self.notes = validation_notes(self._valid, self._held_out)
        self.figures = ("valid", "valid_half") if self._held_out else ("train", "train_half")
        self.examples = len(self.split)
        self.network = _stroke_model(config, store).train()
        categories = self.network.config.categories
        collate = StrokeCollate(categories, config.prefixes)
        batches = StoreBatches(self.split, config.batch, config.seed, collate, config.balance)
        teachers = load_teachers(config.teachers, categories, device)
        likelihood = Likelihood(batches, teachers, config.distillation)
        latent = self.network.config.latent
        objectives: list[Objective[Any]] = [EvidenceBound(batches, config.bound) if latent else likelihood]
        if config.candidates is not None:
            objectives.append(_preference(config, categories, device))
        if config.reinforce is not None:
            objectives.append(_policy_gradient(config.reinforce, self.split, categories, config.seed, device))
        self.objectives = objectives
        if latent:
            self.figures += ("reconstruction", "divergence")
        # By the likelihood the network as it started would be the best, or one that hears no latent vector.
        self.keep_last = len(objectives) > 1 or latent > 0 or not self._held_out

    def validate(self, network: StrokeModel) -> dict[str, float]:
        """Return nats per point: of whole drawings, and of second halves with the first given.

        With a latent vector, both without it; and with it those of whole drawings, and nats of divergence.
        """
        mine = own_share(replace(self._valid, category=self._valid.known_as(network.config.categories)))
        found = {}
        for name, fraction in zip(self.figures[:2], (0.0, 0.5), strict=True):
            scores = score(network, mine, fraction, progress=self.check_time)
            sums = [float(scores.nats.sum()), float(scores.points.sum())]
            nats, points = sum_over_processes(sums, self._device)
            found[name] = nats / max(points, 1.0)
        if network.config.latent:
            held = score_latent(network, mine, progress=self.check_time)
            parts = [held.nats.sum(), held.divergence.sum(), held.points.sum(), len(mine)]
            nats, divergence, points, count = sum_over_processes(
                [float(part) for part in parts], self._device
            )
            found |= {"reconstruction": nats / max(points, 1.0), "divergence": divergence / max(count, 1.0)}
        first = self.figures[0]
        self.card = {
            f"nats_per_point_{first}": round(found[first], 4),
            "validation_drawings": len(self._valid) if self._held_out else 0,
        }
        return found

    def draw(self, network: StrokeModel) -> Image | None:
        """Return a sheet: the first drawings finished, then as many drawn from nothing."""
        count, seed = min(self._config.pictures, len(self._valid)), self._config.seed
        # Cells that numpy does not have are in no completer.
        if not count or network.config.cell not in CELLS:
            return None
        completer = Completer(Decoder(network.config, network.weights()), "run", {})
        sketches = [self._valid.sketch(index) for index in range(count)]
        names = [each.category if each.category in completer.categories else None for each in sketches]
        cells: list[Sketch | Completion] = []
        for sketch, name in zip(sketches, names, strict=True):
            self.check_time()
            on_page = sketch.replaced(page=sketch.bounds)
            given = cut_after(on_page, prefix_length(sketch.point_count, GIVEN_SHARE)).given
            cells += completer.complete(given, name, 1, PICTURE_TEMPERATURE, seed)
        for name in names:
            self.check_time()
            cells += completer.generate(name, 1, PICTURE_TEMPERATURE, seed)
        labels = [name or "any" for name in names]
        return contact_sheet(cells, 6, 144, [*(f"{label}: finished" for label in labels), *labels])


def _stroke_model(config: TrainConfig, store: Store) -> StrokeModel:
    """Return a new network for the store's categories, or that of `start`, which then knows them, too."""
    if config.start is not None:
        known = with_categories(read_checkpoint(config.start), store.categories)
        if config.model.latent and not known.config.latent:
            return _with_latent(known, config.model)
        return StrokeModel.from_weights(known.config, known.weights)
    scale = max(float(store.summary["statistics"]["offset_deviation"]), 1.0)
    values = asdict(config.model) | {"categories": store.categories, "offset_scale": scale}
    return StrokeModel(ModelConfig.from_dict(values))


def _with_latent(known: Checkpoint[ModelConfig], model: ModelSettings) -> StrokeModel:
    """Return a trained network with a latent vector, which does not change yet what it draws without one.

    The encoder of whole drawings begins as that of given parts, where that is an LSTM of its width. The
    vector enters along the principal components of the categories' embeddings, which the decoder knows to
    follow.
    """
    shape = replace(known.config, latent=model.latent, latent_encoder=model.latent_encoder)
    network = StrokeModel(shape)
    weights = {name: torch.from_numpy(value) for name, value in known.weights.items()}
    if (shape.cell, shape.encoder_width) == ("lstm", shape.latent_encoder):
        weights |= {
            f"latent.posterior.{name.removeprefix('encoder.')}": value
            for name, value in weights.items()
            if name.startswith(("encoder.forwards", "encoder.backwards"))
        }
    network.load_state_dict(weights, strict=False)
    rows = weights["category.weight"]
    _, size, ways = torch.linalg.svd(rows[:-1] - rows[:-1].mean(0), full_matrices=False)
    count = min(model.latent, len(size))
    assert network.latent is not None
    with torch.no_grad():
        network.latent.enter.weight[:, :count] = (ways * size.unsqueeze(1))[:count].T / len(rows) ** 0.5
    return network


def _preference(config: TrainConfig, categories: tuple[str, ...], device: torch.device) -> Preference:
    folder = Path(config.candidates or "")
    batches = PreferenceBatches(folder, categories, config.preference_pairs, config.seed, rank())
    before = with_categories(read_checkpoint(config.start), categories)
    reference = StrokeModel.from_weights(before.config, before.weights).requires_grad_(False).to(device)
    return Preference(batches, reference, config.preference_weight)


def _policy_gradient(
    settings: ReinforceConfig, split: Split, categories: tuple[str, ...], seed: int, device: torch.device
) -> PolicyGradient:
    if world_size() > 1:
        raise SettingError("policy-gradient training takes one process; start it without torchrun")
    classifier = None
    if settings.classifier is not None and settings.classifier_weight:
        classifier = load_reward_classifier(settings.classifier, categories, device)
    return PolicyGradient(ReinforceBatches(split, categories, settings.sketches, seed), settings, classifier)
