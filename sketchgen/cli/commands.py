"""What each subcommand does: check the numbers, call the library, print the result.

torch is loaded inside the functions that need it, after everything cheap has been checked.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from sketchgen import example
from sketchgen.cli.options import Compare, Complete, Download, Evaluate, Generate, Info, Prepare, Train, Web
from sketchgen.cli.recogniser_options import Recognise, TrainRecogniser
from sketchgen.cli.times import duration
from sketchgen.cli.values import as_json
from sketchgen.errors import SettingError

MAX_COUNT = 1000
"""Most drawings asked for at a time."""

MAX_TOTAL = 10_000
"""Most drawings made of all drawings in a file."""

MAX_TEMPERATURE = 2.0
MAX_GUIDANCE = 10.0

MAX_SEED = 2**63 - 1

EXAMPLE = "example:"
"""What begins a name that stands for a bundled file."""


def run(options: object) -> None:
    """Do what a subcommand's options say.

    Raises:
        SketchgenError: it cannot be done; the message is one line.
    """
    if isinstance(options, Recognise | TrainRecogniser):
        return _recogniser(options)
    todo: dict[type, Callable[[Any], None]] = {
        Complete: complete,
        Generate: generate,
        Download: download,
        Prepare: prepare,
        Train: train,
        Evaluate: evaluate,
        Compare: compare,
        Info: info,
        Web: web,
    }
    todo[type(options)](options)


def _recogniser(options: Recognise | TrainRecogniser) -> None:
    """Do what a subcommand of the recogniser says."""
    from sketchgen.cli import recogniser_commands

    if isinstance(options, Recognise):
        recogniser_commands.recognise(options)
    else:
        recogniser_commands.train_recogniser(options)


def complete(options: Complete) -> None:
    """Finish the drawings of a file, each in several ways."""
    from sketchgen.cli.results import Group, opened

    _check_sampling(options)
    named = _begun(options.file, options.count)
    with opened(options.out, options.format, len(named) * options.count, force=options.force) as results:
        model = _drawing(options)
        groups = []
        for name, sketch in named:
            found = model.complete(sketch, options.category, options.count, options.temperature, options.seed)
            groups.append(Group(name, tuple(found)))
        several = len(named) > 1
        results.write(groups, options.count if several and options.count <= 12 else _columns(groups))
    made = [item for group in groups for item in group.items]
    ended = sum(getattr(item, "ended", True) for item in made)
    _say(f"{model.name}: {_counted(len(made), 'completion')}, {ended} ended by themselves")


def generate(options: Generate) -> None:
    """Draw from nothing."""
    from sketchgen.cli.results import Group, file_name, opened

    _check_sampling(options)
    with opened(options.out, options.format, options.count, force=options.force) as results:
        model = _drawing(options)
        found = model.generate(options.category, options.count, options.temperature, options.seed)
        groups = [Group(file_name(options.category or "drawing"), tuple(found))]
        results.write(groups, _columns(groups))
    _say(f"{model.name}: {_counted(len(found), 'drawing')}")


def download(options: Download) -> None:
    """Fetch files of Quick, Draw!, and print their paths."""
    from sketchgen.resources import categories

    if options.all and options.categories:
        raise SettingError("--all and categories do not go together; leave out one of them")
    if not (options.all or options.categories):
        raise SettingError("no categories; name some, such as cat, or pass --all")
    names = categories() if options.all else list(dict.fromkeys(options.categories))

    from sketchgen.cli.transfers import shown_transfers
    from sketchgen.data import download as source

    settings = _given(options, "form", "force", "jobs", "retries", "base")
    with shown_transfers(len(names)) as progress:
        paths = source.download(names, options.out, progress=progress, **settings)
    _print("\n".join(map(str, paths)))
    _say(source.LICENCE)


def prepare(options: Prepare) -> None:
    """Turn Quick, Draw! files into a store, and print what was kept and what was dropped."""
    from sketchgen.cli.progress import shown_progress, usable_cores
    from sketchgen.data.prepare import prepare as prepare_store
    from sketchgen.data.rules import Wanted
    from sketchgen.resources import bundled

    if not options.sources:
        raise SettingError("no sources; name files of drawings or folders of them, such as quickdraw/")
    sources = [
        bundled("datasets", "sample") if source == f"{EXAMPLE}sample" else Path(source)
        for source in options.sources
    ]

    _check_positive("jobs", options.jobs)
    chosen = frozenset(options.category) or None
    wanted = Wanted(recognised=options.recognised, categories=chosen, most=options.most)
    flags = {"strict": options.strict, "force": options.force}
    with shown_progress() as progress:
        jobs = options.jobs or usable_cores()
        report = prepare_store(sources, options.out, wanted, jobs=jobs, progress=progress, **flags)
    _print(report.text())


def train(options: Train) -> None:
    """Train a model, and print the folder of its best checkpoint."""
    for name in ("layers", "width", "components", "encoder_width", "batch", "steps", "threads", "patience"):
        _check_positive(name, getattr(options, name))
    _check_seed(options.seed)
    told = _given(options, "time_limit", "validate_every", "save_every")
    times: dict[str, Any] = {name: duration(text, name) for name, text in told.items()}
    if not options.store.is_dir():
        raise SettingError(f"{options.store} is no store; make one with sketchgen prepare SOURCES -o STORE")

    from sketchgen.cli.running import shown_run
    from sketchgen.train.config import PRESETS, ModelSettings, Preset, TrainConfig
    from sketchgen.train.processes import rank
    from sketchgen.train.run import fit

    recipe = Preset(ModelSettings()) if options.preset is None else PRESETS[options.preset]
    shape = ("cell", "layers", "width", "components", "encoder_width", "recall", "pointers", "dropout")
    model = replace(recipe.model, **_given(options, *shape))
    names = ("steps", "batch", "learning_rate", "patience", "pictures", "threads", "workers")
    settings = _given(options, *names, "seed", "start")
    if options.start is not None and model != ModelSettings():
        raise SettingError(
            "a run that starts from a checkpoint has its shape; leave out --preset, --layers, ..."
        )
    settings = recipe.settings() | {"model": model} | settings
    config = TrainConfig(store=options.store, out=options.out, **settings, **times)

    best = fit(config, resume=options.resume, **shown_run())
    # Under torchrun there are several of us, of whom the first one speaks.
    if rank() == 0:
        _print(str(best))


def evaluate(options: Evaluate) -> None:
    """Measure a checkpoint, print the figures, and write a report where one is wanted."""
    settings = _measuring(options) | _given(options, "training", "report")
    settings |= {"against": options.against} if options.against else {}
    settings |= {"force": True} if options.force else {}

    from sketchgen.cli.progress import shown_steps
    from sketchgen.evaluation.report import evaluate as measure

    with shown_steps() as progress:
        figures = measure(options.checkpoint, options.source, progress=progress, **settings)
    if options.report is not None:
        _say(f"report: {options.report}")
    if options.json:
        _print(as_json(figures))
    else:
        from sketchgen.cli.tables import print_figures

        print_figures(figures)


def compare(options: Compare) -> None:
    """Measure how two checkpoints differ, and print the differences."""
    settings = _measuring(options)

    from sketchgen.cli.progress import shown_steps
    from sketchgen.evaluation.comparison import compare as measure

    with shown_steps() as progress:
        found = measure(options.a, options.b, options.source, progress=progress, **settings)
    if options.json:
        _print(as_json(found))
    else:
        from sketchgen.cli.tables import print_differences

        print_differences(found)


def _measuring(options: Evaluate | Compare) -> dict[str, Any]:
    """The checked settings that both of the subcommands that measure take."""
    for name in ("limit", "samples"):
        _check_positive(name, getattr(options, name))
    _check_seed(options.seed)
    _check_guidance(options.guidance)
    settings = {"split": options.split, "seed": options.seed}
    settings |= _given(options, "limit", "samples", "protocol", "judge", "guidance")
    return settings | ({"temperatures": options.temperature} if options.temperature else {})


def info(options: Info) -> None:
    """Print what a checkpoint is."""
    model = _load(options.checkpoint)
    settings = model.config.to_dict()
    settings.pop("categories", None)
    found = {
        "name": model.name,
        "categories": list(model.categories),
        "config": settings,
        "training": model.summary,
    }
    if options.json:
        _print(as_json(found))
    else:
        from sketchgen.cli.tables import print_info

        print_info(found)


def web(options: Web) -> None:
    """Serve the drawing page until Ctrl-C."""
    from sketchgen.app import launch

    launch(options.checkpoint, host=options.host, port=options.port, browser=options.open)


def _load(name: str | None) -> Any:
    """The model of a checkpoint."""
    from sketchgen.generate.completer import load

    return load(name)


def _drawing(options: Complete | Generate) -> Any:
    """The model that is to draw, under the guidance that is asked for."""
    model = _load(options.checkpoint)
    return model if options.guidance is None else model.guided(options.guidance)


def _begun(source: str, count: int) -> list[tuple[str, Any]]:
    """(name for files, drawing) of everything that a source holds.

    Raises:
        SettingError: more drawings than can be completed `count` times each.
    """
    from sketchgen.cli.results import file_name
    from sketchgen.drawing.files import read_all

    path = str(example(source.removeprefix(EXAMPLE))) if source.startswith(EXAMPLE) else source
    stem = "drawing" if source == "-" else file_name(Path(path).stem)
    most = MAX_TOTAL // count
    found: list[Any] = []
    sketches: Iterator[Any] = iter(read_all(path))
    for sketch in sketches:
        if len(found) == most:
            raise SettingError(
                f"more than {most} drawings in {source[:100]} x {count} completions; "
                f"at most {MAX_TOTAL} are made at a time: lower --count or split the file"
            )
        found.append(sketch)
    if len(found) == 1:
        return [(stem, found[0])]
    return [(f"{stem}-{number}", sketch) for number, sketch in enumerate(found, 1)]


def _check_sampling(options: Complete | Generate) -> None:
    """Check the numbers that a sampling subcommand takes."""
    if not 1 <= options.count <= MAX_COUNT:
        raise SettingError(f"count is {options.count}; it must be from 1 to {MAX_COUNT}")
    if not 0 <= options.temperature <= MAX_TEMPERATURE:
        raise SettingError(
            f"temperature is {options.temperature:g}; "
            f"it must be from 0 (careful) to {MAX_TEMPERATURE:g} (wild)"
        )
    _check_guidance(options.guidance)
    _check_seed(options.seed)


def _check_guidance(guidance: float | None) -> None:
    """Check a guidance, where one is given."""
    if guidance is not None and not 0 <= guidance <= MAX_GUIDANCE:
        raise SettingError(f"guidance is {guidance:g}; it must be from 0 (none) to {MAX_GUIDANCE:g}")


def _check_seed(seed: int | None) -> None:
    """Check a seed, where one is given."""
    if seed is not None and not 0 <= seed <= MAX_SEED:
        raise SettingError(f"seed is {seed}; it must be from 0 to {MAX_SEED}")


def _check_positive(name: str, value: int | None) -> None:
    """Check a count that has no upper limit here, where one is given."""
    if value is not None and value < 1:
        raise SettingError(f"{name} is {value}; it must be 1 or more")


def _given(options: object, *names: str) -> dict[str, Any]:
    """The options that were set; the others keep the library's defaults."""
    values = {name: getattr(options, name) for name in names}
    return {name: value for name, value in values.items() if value is not None}


def _columns(groups: list[Any]) -> int:
    """Cells in a row of a sheet that is about as wide as high."""
    return max(1, math.ceil(math.sqrt(sum(len(group.items) for group in groups))))


def _counted(count: int, noun: str) -> str:
    """A count with its noun."""
    return f"{count} {noun}" + ("" if count == 1 else "s")


def _print(text: str) -> None:
    """A result, to standard output."""
    sys.stdout.write(text.rstrip("\n") + "\n")


def _say(text: str) -> None:
    """Talk, to standard error."""
    sys.stderr.write(text + "\n")
