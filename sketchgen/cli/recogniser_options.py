"""What the subcommands of the recogniser take; see `sketchgen.cli.options`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Optional

from tyro.conf import Positional, arg

Recogniser = Annotated[
    Optional[str], arg(metavar="NAME|FOLDER", help_behavior_hint="(default: the bundled one)")
]
Folder = Annotated[Path, arg(aliases=["-o"], metavar="FOLDER")]


@dataclass(frozen=True)
class Recognise:
    """Say what drawings are of, whole or begun.

    Prints a line a drawing: its name, and the likeliest categories with their probabilities.

    Examples:
      sketchgen recognise drawing.svg
      sketchgen recognise example:half-a-cat example:car --top 3
      Every drawing of a file, a JSON object a line:
        sketchgen recognise drawings.ndjson --json > guesses.ndjson
      What the model draws when it draws cats:
        sketchgen generate --category cat --count 20 --format ndjson | sketchgen recognise - --top 1
    """

    files: Positional[Annotated[tuple[str, ...], arg(metavar="FILE...")]]
    """Drawings: .svg, .json (canvas), .ndjson (every drawing in it), - for standard input, or
    example:NAME for a bundled beginning (half-a-cat, face, car, pineapple, mona-lisa)."""
    top: int = 5
    """How many categories are named, 1 or more."""
    checkpoint: Recogniser = None
    """Which recogniser: the name of a bundled one, or the path of one."""
    json: bool = False
    """Print one JSON object a drawing instead of words."""


@dataclass(frozen=True)
class TrainRecogniser:
    """Train a recogniser on a store: what tells of which category a drawing is.

    Learns from whole drawings and from beginnings, on a processor, and leaves a checkpoint (RUN/last) with
    what it measured on the validation split. Ctrl-C ends a run with everything saved; one that was killed
    loses two minutes. --pictures trains a judge for `evaluate` that sees pictures of whole drawings instead.

    Examples:
      sketchgen train-recogniser store/ -o run/ --time-limit 50m
      Go on where a run stopped:
        sketchgen train-recogniser store/ -o run/ --time-limit 50m --resume
      Once more, on drawings that are changed less, as the bundled one was finished:
        sketchgen train-recogniser store/ -o last/ --from run/last --calm --time-limit 15m
      Use it:
        sketchgen recognise drawing.svg --checkpoint run/last
      A judge of pictures, and a model that it judges:
        sketchgen train-recogniser store/ -o seen/ --pictures --batch 64 --time-limit 25m
        sketchgen evaluate quickdraw345 store/ --judge seen/last
    """

    store: Positional[Annotated[Path, arg(metavar="STORE")]]
    """A folder made by `sketchgen prepare`."""
    out: Folder
    """Where the checkpoint and the state of the run go."""
    time_limit: Annotated[Optional[str], arg(metavar="TIME", help_behavior_hint="")] = None
    """Stop after this time: 45s, 90m, 1h30m. A run needs this or --steps; the time before --resume counts."""
    steps: Annotated[Optional[int], arg(metavar="INT", help_behavior_hint="")] = None
    """Stop after this many steps."""
    pictures: bool = False
    """Train a judge of pictures: a convolutional network that sees ink, neither strokes nor their order."""
    resume: bool = False
    """Go on from the state in RUN."""
    start: Annotated[
        Optional[str], arg(name="from", metavar="NAME|FOLDER", help_behavior_hint="(default: a new one)")
    ] = None
    """One of the same kind and categories to start from: the name of a bundled one, or a path."""
    calm: bool = False
    """Change the drawings less, as in the last part of a training."""
    batch: Annotated[Optional[int], arg(metavar="INT", help_behavior_hint="")] = None
    """Drawings in a step."""
    learning_rate: Annotated[Optional[float], arg(metavar="FLOAT", help_behavior_hint="")] = None
    """Highest step size of the optimiser; it rises at the start and falls along a cosine."""
    threads: Annotated[Optional[int], arg(metavar="INT", help_behavior_hint="")] = None
    """Threads; more than there are free cores makes everything slower."""
    seed: Annotated[Optional[int], arg(metavar="INT", help_behavior_hint="")] = None
    """Same store, options and seed, same start and same order."""


@dataclass(frozen=True)
class TrainCritic:
    """Train a critic on a store: what chooses the best of several ways to finish a drawing.

    First the model finishes many drawings of the store that were begun, then a network learns which of its
    ways are best, and to tell them from how the people went on. It begins with a recogniser of the store's
    categories. Leaves a checkpoint (RUN/last) with what it measured on the validation split. Ctrl-C ends a
    run with everything saved.

    Examples:
      sketchgen train-critic store/ -o run/ --time-limit 40m
      Go on where a run stopped:
        sketchgen train-critic store/ -o run/ --time-limit 40m --resume
      From what sketchgen rehearse has drawn:
        sketchgen train-critic store/ -o run/ --rehearsals ways/ --time-limit 40m
      For a model of your own:
        sketchgen train-recogniser store/ -o names/ --time-limit 20m
        sketchgen train-critic store/ -o run/ --model mine/best --recogniser names/last --time-limit 20m
    """

    store: Positional[Annotated[Path, arg(metavar="STORE")]]
    """A folder made by `sketchgen prepare`."""
    out: Folder
    """Where the checkpoint, what the model drew and the state of the run go."""
    time_limit: Annotated[Optional[str], arg(metavar="TIME", help_behavior_hint="")] = None
    """Learn for this time: 45s, 90m, 1h30m; drawing comes before. A run needs this or --steps."""
    steps: Annotated[Optional[int], arg(metavar="INT", help_behavior_hint="")] = None
    """Stop after this many steps."""
    model: Annotated[
        Optional[str], arg(metavar="NAME|FOLDER", help_behavior_hint="(default: the bundled one)")
    ] = None
    """The model whose completions are to be chosen among."""
    recogniser: Recogniser = None
    """The recogniser whose network it begins with; of the store's categories."""
    beginnings: int = 32768
    """Drawings that are begun for the model to finish; of rare categories the same ones repeatedly."""
    ways: int = 8
    """How often the model finishes each."""
    rehearsals: Annotated[tuple[Path, ...], arg(metavar="FOLDER")] = ()
    """Folders made by `sketchgen rehearse`, to learn from instead of drawing more."""
    start: Annotated[
        Optional[str], arg(name="from", metavar="NAME|FOLDER", help_behavior_hint="(default: a new one)")
    ] = None
    """A critic of the same categories to start from: the name of a bundled one, or a path."""
    jobs: Annotated[Optional[int], arg(metavar="INT", help_behavior_hint="(default: all cores)")] = None
    """Processes that draw."""
    resume: bool = False
    """Go on with what there is in RUN."""
    batch: int = 32
    """Beginnings in a step."""
    learning_rate: float = 6e-4
    """Highest step size of the optimiser; it rises at the start and falls along a cosine."""
    threads: Annotated[Optional[int], arg(metavar="INT", help_behavior_hint="")] = None
    """Threads; more than there are free cores makes everything slower."""
    seed: int = 0
    """Same store, options and seed, same drawings and same order."""
