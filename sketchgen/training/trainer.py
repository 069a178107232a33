"""A training run from its configuration: what is built, resumed and left."""

from __future__ import annotations

import importlib.util
import logging
import re
import warnings
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import torch
from lightning.pytorch import Callback, Trainer
from lightning.pytorch.loggers import TensorBoardLogger
from lightning.pytorch.strategies import DDPStrategy

from sketchgen.data.order import Lane, Order
from sketchgen.data.store import Drawings, Split, Store
from sketchgen.errors import OutputError, SettingError
from sketchgen.models.checkpoint import read_checkpoint, with_categories
from sketchgen.models.config import ModelConfig
from sketchgen.models.memory import keep_freed_memory
from sketchgen.models.stroke_model import StrokeModel, as_network, bfloat16_pays
from sketchgen.sketch.files import recover_folder
from sketchgen.training.callbacks import STATE, Keeper
from sketchgen.training.config import TrainConfig
from sketchgen.training.distillation import Lessons, load_teachers
from sketchgen.training.distributed import processes_here, rank, telling_of_lost_ones, world_size
from sketchgen.training.loader import TrainingBatches
from sketchgen.training.module import Training
from sketchgen.training.preference import Preferring
from sketchgen.training.preference_batches import Preferences
from sketchgen.training.recognition_reward import load_namer
from sketchgen.training.reinforce import Practising
from sketchgen.training.reinforce_batches import Practice
from sketchgen.training.run_log import Journal, Report
from sketchgen.training.state import StateFile


class Run:
    """All parts of a run, built and ready; nothing is trained yet.

    Attributes:
        config: what it was built from.
        training: network, average, optimiser and position.
        valid: the drawings to validate on.
        journal, keeper: what watches over it.
    """

    def __init__(self, config: TrainConfig, report: Report | None = None) -> None:
        """Open the store and build everything.

        Raises:
            CheckpointError: no checkpoint to start from.
            FormatError: no store.
            SettingError: no training drawings, or fewer drawings in a batch than processes.
        """
        self.config = config
        keep_freed_memory()
        if config.threads is not None:
            torch.set_num_threads(config.threads)
        self.device = torch.device(config.device or ("cuda" if torch.cuda.is_available() else "cpu"))
        store = Store.open(config.store)
        split = store.split("train")
        if not len(split):
            raise SettingError(f"{config.store} has no training drawings; prepare more than a handful")
        torch.manual_seed(config.seed)
        # One to start from comes ready to be measured; Lightning takes modules as it finds them.
        network = _network(config, store).train()
        names = network.config.categories
        self.valid = _validation(store, config.validate_drawings)
        order = Order(split.block_sizes, _share(config.batch), config.seed, Lane(rank(), world_size()))
        batches = TrainingBatches(split, order, names, config.prefixes)
        teachers = load_teachers(config.teachers, names, self.device)
        lessons = Lessons(teachers, config.teaching)
        preferring = _preferring(config, names, self.device)
        practising = _practising(config, split, names, self.device)
        self.training = Training(network, config, batches, lessons, preferring, practising)
        self.journal = Journal(config.out, split, self.valid, report or (lambda figures: None))
        known = replace(self.valid, category=self.valid.known_as(names))
        self.keeper = Keeper(self.journal, known, len(split))

    def trainer(self, callbacks: Sequence[Callback] = ()) -> Trainer:
        """Lightning's trainer for it, which calls `callbacks`, too."""
        _quiet()
        config, several = self.config, world_size() > 1
        gpu = self.device.type == "cuda"
        chosen = config.bfloat16
        bfloat16 = bfloat16_pays(self.device) if chosen is None else chosen
        shared = DDPStrategy(process_group_backend="nccl" if gpu else "gloo")
        return Trainer(
            accelerator="gpu" if gpu else "cpu",
            devices=processes_here() if several else 1,
            num_nodes=world_size() // processes_here() if several else 1,
            strategy=shared if several else "auto",
            precision="bf16-mixed" if bfloat16 else "32-true",
            # An epoch has no end: the keeper ends the run.
            max_epochs=-1,
            limit_val_batches=0,
            logger=_tensorboard(config.out) or False,
            callbacks=[self.journal, self.keeper, *callbacks],
            plugins=[StateFile()],
            enable_checkpointing=False,
            enable_progress_bar=False,
            enable_model_summary=False,
            use_distributed_sampler=False,
            default_root_dir=str(config.out),
        )


def _network(config: TrainConfig, store: Store) -> StrokeModel:
    """A new network for the store's categories, or the one to start from, which then knows them, too."""
    if config.start is not None:
        known = with_categories(read_checkpoint(config.start), store.categories)
        return as_network(known.config, known.weights)
    scale = max(float(store.summary["statistics"]["offset_deviation"]), 1.0)
    values = asdict(config.model) | {"categories": store.categories, "offset_scale": scale}
    return StrokeModel(ModelConfig.from_dict(values))


def _preferring(config: TrainConfig, categories: tuple[str, ...], device: torch.device) -> Preferring | None:
    """What it is to prefer, if anything."""
    if config.rehearsals is None or config.start is None:
        return None
    preferences = Preferences(Path(config.rehearsals), categories, config.pairs, config.seed, rank())
    before = with_categories(read_checkpoint(config.start), categories)
    reference = as_network(before.config, before.weights).requires_grad_(False).to(device)
    return Preferring(preferences, reference, weight=config.preference)


def _practising(
    config: TrainConfig, split: Split, categories: tuple[str, ...], device: torch.device
) -> Practising | None:
    """How it practises, if it does.

    Raises:
        CheckpointError: no recogniser there.
        SettingError: one of other categories, or several processes: they add up gradients once a step.
    """
    asked = config.practice
    if asked is None:
        return None
    if world_size() > 1:
        raise SettingError("several processes cannot practise together; start one, without torchrun")
    judge = None
    if asked.judge is not None and asked.naming:
        judge = load_namer(asked.judge, categories, device)
    practice = Practice(split, categories, asked.beginnings, config.seed)
    return Practising(practice, asked, judge)


def _validation(store: Store, most: int) -> Drawings:
    # A store of a few drawings may have an empty validation split: then training drawings stand in.
    valid = store.split("valid")
    return (valid if len(valid) else store.split("train")).drawings(most)


def _share(batch: int) -> int:
    """How many of a batch's drawings are this process's."""
    count = world_size()
    if batch < count:
        raise SettingError(f"batch is {batch}; for {count} processes it must be {count} or more")
    return len(np.arange(rank(), batch, world_size()))


def _tensorboard(out: Path) -> TensorBoardLogger | None:
    """A log for TensorBoard, where that is installed (pip install 'sketchgen[tensorboard]')."""
    if rank() or importlib.util.find_spec("tensorboard") is None:
        return None
    return TensorBoardLogger(out, name="tensorboard", version="")


def _quiet() -> None:
    """Keep Lightning's remarks on hardware and on loaders from the terminal: we say what matters."""
    for name in ("lightning.pytorch", "lightning.fabric", "lightning"):
        logging.getLogger(name).setLevel(logging.ERROR)
    # Where the order of the drawings stands is restored by number: see `Training.train_dataloader`.
    for remark in ("dataloader is not resumable", "does not have many workers", "GPU available but not used"):
        warnings.filterwarnings("ignore", message=f".*{remark}")
    # What it says of its own code is for its authors.
    warnings.filterwarnings("ignore", message=".*treespec")


def _folder(out: Path, *, resume: bool) -> None:
    """Have the run's folder ready.

    Raises:
        OutputError: it holds a run and `resume` is false, or it cannot be made.
    """
    if not resume and (out / STATE).exists():
        raise OutputError(f"{out} holds a run; go on with it by --resume, or choose another folder")
    try:
        out.mkdir(parents=True, exist_ok=True)
        if not rank():
            _mend(out)
    except OSError as error:
        raise OutputError(f"{out} cannot be made: {error.strerror}") from error


def _mend(out: Path) -> None:
    """Clear away, and put right, what a kill in the middle of writing has left of a run."""
    for left in out.iterdir():
        if re.fullmatch(r"\.[0-9a-f]{16}\.tmp", left.name):
            left.unlink(missing_ok=True)
    for name in ("best", "last"):
        recover_folder(out / name)


def fit(
    config: TrainConfig,
    *,
    resume: bool = False,
    report: Report | None = None,
    callbacks: Sequence[Callback] = (),
) -> Path:
    """Train a model and return the folder of its best checkpoint.

    SIGINT and SIGTERM end the run after the current step with everything saved; `resume` goes on from there,
    or, after a kill, from the last saved state, with the very steps that the run would have taken.

    Args:
        config: the run.
        resume: go on with the run in `config.out`.
        report: called with the figures of each line of the log.
        callbacks: Lightning's, for what is not done here.

    Raises:
        OutputError: the run's folder holds a run and `resume` is false, or it cannot be written.
        CheckpointError: `resume` without a state to resume.
        FormatError: no store, or it is damaged or gone.
        ProcessLostError: another process of the run has ended.
        SettingError: settings that cannot work, or a loss that stays not finite.
    """
    config = replace(config, store=Path(config.store), out=Path(config.out))
    state = config.out / STATE
    run = Run(config, report)
    _folder(config.out, resume=resume)
    trainer = run.trainer(callbacks)
    with telling_of_lost_ones():
        trainer.fit(run.training, ckpt_path=str(state) if resume else None)
    return config.out / "best"
