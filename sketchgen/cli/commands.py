"""What each subcommand does: check the numbers, call the library, print the result.

torch is loaded inside the functions that need it, after everything cheap has been checked.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from sketchgen.cli.drawing_options import Complete, Generate, Redraw
from sketchgen.cli.limits import check_guidance, check_positive, check_seed
from sketchgen.cli.options import Compare, Download, Evaluate, Info, Prepare, Rehearse, Train, Web
from sketchgen.cli.recogniser_options import Recognise, TrainCritic, TrainRecogniser
from sketchgen.cli.times import duration
from sketchgen.cli.values import as_json
from sketchgen.errors import SettingError

EXAMPLE = "example:"
"""What begins a name that stands for a bundled file."""


def run(options: object) -> None:
    """Do what a subcommand's options say.

    Raises:
        SketchgenError: it cannot be done; the message is one line.
    """
    if isinstance(options, Recognise | TrainRecogniser | TrainCritic):
        return _recogniser(options)
    if isinstance(options, Complete | Generate | Redraw):
        return _draw(options)
    todo: dict[type, Callable[[Any], None]] = {
        Download: download,
        Prepare: prepare,
        Train: train,
        Rehearse: rehearse,
        Evaluate: evaluate,
        Compare: compare,
        Info: info,
        Web: web,
    }
    todo[type(options)](options)


def _recogniser(options: Recognise | TrainRecogniser | TrainCritic) -> None:
    """Do what a subcommand of the recogniser says."""
    from sketchgen.cli import recogniser_commands

    if isinstance(options, Recognise):
        recogniser_commands.recognise(options)
    elif isinstance(options, TrainRecogniser):
        recogniser_commands.train_recogniser(options)
    else:
        recogniser_commands.train_critic(options)


def _draw(options: Complete | Generate | Redraw) -> None:
    """Do what a subcommand that draws says."""
    from sketchgen.cli import drawing_commands

    if isinstance(options, Redraw):
        drawing_commands.redraw(options)
    elif isinstance(options, Complete):
        drawing_commands.complete(options)
    else:
        drawing_commands.generate(options)


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

    check_positive("jobs", options.jobs)
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
        check_positive(name, getattr(options, name))
    check_seed(options.seed)
    told = _given(options, "time_limit", "validate_every", "save_every")
    times: dict[str, Any] = {name: duration(text, name) for name, text in told.items()}
    if not options.store.is_dir():
        raise SettingError(f"{options.store} is no store; make one with sketchgen prepare SOURCES -o STORE")

    from sketchgen.cli.running import shown_run
    from sketchgen.training.config import PRESETS, ModelSettings, Preset, TrainConfig
    from sketchgen.training.distributed import rank
    from sketchgen.training.trainer import fit

    recipe = Preset(ModelSettings()) if options.preset is None else PRESETS[options.preset]
    shape = ("cell", "layers", "width", "components", "encoder_width", "recall", "pointers", "dropout")
    model = replace(recipe.model, **_given(options, *shape))
    names = ("steps", "batch", "learning_rate", "patience", "pictures", "threads", "workers")
    settings = _given(options, *names, "seed", "start")
    renamed = {"teaching": "distillation", "rehearsals": "candidates", "preference": "preference_weight"}
    settings |= {renamed[name]: value for name, value in _given(options, *renamed).items()}
    settings |= {"teachers": options.teacher}
    if options.teaching is not None and not options.teacher:
        raise SettingError("--teaching is the share of teachers; name one by --teacher, or leave it out")
    if options.preference is not None and options.rehearsals is None:
        raise SettingError("--preference is for what was rehearsed; name it by --rehearsals, or leave it out")
    settings |= {"reinforce": _practice(options)}
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


def _practice(options: Train) -> Any:
    """How the model practises; None where it doesn't.

    Raises:
        SettingError: settings for it, and it doesn't.
    """
    from sketchgen.training.config import ReinforceConfig

    renamed = {"ways": "rollouts", "best_of": "best_of", "judge": "classifier"}
    renamed |= {"practise": "sketches", "practice_weight": "weight"}
    given = {renamed[name]: value for name, value in _given(options, *renamed).items()}
    if options.practise is not None:
        return ReinforceConfig(**given)
    if given:
        names = "--ways, --best-of, --judge and --practice-weight"
        raise SettingError(f"{names} are for what is practised; add --practise 256, or leave them out")
    return None


def rehearse(options: Rehearse) -> None:
    """Have a model finish what people began, and print the folder of what it drew."""
    check_positive("jobs", options.jobs)
    check_seed(options.seed)
    if not options.store.is_dir():
        raise SettingError(f"{options.store} is no store; make one with sketchgen prepare SOURCES -o STORE")

    from sketchgen.cli.progress import usable_cores
    from sketchgen.training.candidates import CandidateSpec, draw_candidates

    asked = CandidateSpec(
        str(options.store), "train", options.model, options.beginnings, options.ways, options.seed
    )

    def say(done: int, count: int) -> None:
        sys.stderr.write(f"{done:,} of {count:,} beginnings drawn on\n")

    draw_candidates(asked, options.out, options.jobs or usable_cores(), say)
    _print(str(options.out))


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
        check_positive(name, getattr(options, name))
    check_seed(options.seed)
    check_guidance(options.guidance)
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
    from sketchgen.web import launch

    launch(options.checkpoint, host=options.host, port=options.port, browser=options.open)


def _load(name: str | None) -> Any:
    """The model of a checkpoint."""
    from sketchgen.completion.completer import load

    return load(name)


def _given(options: object, *names: str) -> dict[str, Any]:
    """The options that were set; the others keep the library's defaults."""
    values = {name: getattr(options, name) for name in names}
    return {name: value for name, value in values.items() if value is not None}


def _print(text: str) -> None:
    """A result, to standard output."""
    sys.stdout.write(text.rstrip("\n") + "\n")


def _say(text: str) -> None:
    """Talk, to standard error."""
    sys.stderr.write(text + "\n")
