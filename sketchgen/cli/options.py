"""What each subcommand takes: one dataclass a subcommand, whose docstring is its manual.

tyro makes the parser from the fields and the help from the texts under them. Nothing is imported here but
tyro, for this is all that `--help` loads. Fields are `Optional[X]`, not `X | None`: for that form tyro loads
typeguard, which takes longer than all the rest.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal, Optional

from tyro.conf import Positional, UseAppendAction, arg

from sketchgen.cli.drawing_options import Checkpoint, Complete, Generate, Redraw
from sketchgen.cli.measuring_options import Compare, Evaluate
from sketchgen.cli.recogniser_options import Recognise, TrainCritic, TrainRecogniser

Folder = Annotated[Path, arg(aliases=["-o"], metavar="FOLDER")]


@dataclass(frozen=True)
class Download:
    """Fetch drawings of Quick, Draw! from Google's public bucket.

    One file a category, simplified some 70 MB each; all 345 are about 23 GB. A file that stands there with
    the server's size is not fetched again. After Ctrl-C, a broken connection or a full disk the same command
    goes on where it stopped. What arrives is checked: its length, its kind, and the server's MD5 where it
    names one. The paths are printed.

    Forms: simplified (what `prepare` is best fed with) and raw (as drawn, with times) are ndjson; binary is
    the simplified one in fewer bytes; npz is sketch-rnn's choice of 75,000 drawings a category, npz-full all.

    Examples:
      sketchgen download cat dog "The Mona Lisa" -o quickdraw/
      sketchgen prepare quickdraw/ -o store/
      Smaller files, those that sketch-rnn was trained on:
        sketchgen download cat --form npz -o npz/
      Everything, eight files at a time:
        sketchgen download --all --jobs 8 -o quickdraw/
      From a mirror, which may have other categories:
        sketchgen download owl --base https://mirror.example/quickdraw_dataset -o quickdraw/
    """

    categories: Positional[Annotated[tuple[str, ...], arg(metavar="CATEGORIES...", help_behavior_hint="")]]
    """Categories of Quick, Draw!, such as cat; names of several words in quotes."""
    out: Folder
    """Where the files go: <category>.ndjson, .bin, .npz or .full.npz."""
    all: bool = False
    """All 345 categories."""
    form: Literal["simplified", "raw", "binary", "npz", "npz-full"] = "simplified"
    """In which form. Simplified and raw files have the same names; give each a folder."""
    force: bool = False
    """Fetch again what stands there, and replace it; without, a file of another size is an error."""
    jobs: int = 4
    """Files at a time, 1 to 16."""
    retries: int = 5
    """New tries of a file after a try that got no further, with growing pauses; 0 to 100."""
    base: Annotated[Optional[str], arg(metavar="URL", help_behavior_hint="(default: Google's)")] = None
    """Where the folders full/ and sketchrnn/ are."""


@dataclass(frozen=True)
class Prepare:
    """Turn files of drawings into a store to train on.

    Takes Quick, Draw! ndjson (simplified or raw, also packed as .gz) and binary files (.bin), sketch-rnn .npz
    (never unpickled), SVGs and canvas JSON in folders whose names are their categories, and folders of any
    of them. Splits the drawings 90/5/5 by a hash of each, so that adding files never moves a drawing, and
    reports what was dropped and why.

    Examples:
      sketchgen prepare quickdraw/ -o store/
      sketchgen prepare cat.ndjson dog.npz -o pets/
      Your own: my-drawings/owl/1.svg, my-drawings/owl/2.svg, my-drawings/fox/1.svg, ...
        sketchgen prepare my-drawings/ -o store/
      At most 1000 of each of two categories, and only what the game recognised:
        sketchgen prepare quickdraw/ -o store/ --category cat --category dog --most 1000 --recognised
      The small sample that comes along, made by a procedure:
        sketchgen prepare example:sample -o store/
    """

    sources: Positional[Annotated[tuple[str, ...], arg(metavar="SOURCES...")]]
    """Files of drawings, or folders of them; example:sample is the bundled sample."""
    out: Folder
    """Where the store goes."""
    category: Annotated[UseAppendAction[tuple[str, ...]], arg(metavar="NAME", help_behavior_hint="")] = ()
    """Take only this category; may be given several times."""
    most: Annotated[Optional[int], arg(metavar="INT", help_behavior_hint="(default: all)")] = None
    """At most so many drawings of each category: those with the smallest hashes, whatever the order."""
    recognised: bool = False
    """Only drawings that Quick, Draw!'s game recognised."""
    jobs: Annotated[Optional[int], arg(metavar="INT", help_behavior_hint="(default: all cores)")] = None
    """How many processes read; the store is the same. Each takes about 200 MB of memory."""
    strict: bool = False
    """Write nothing if any drawing cannot be read; else it is named, counted and left out."""
    force: bool = False
    """Replace a store that is there."""


@dataclass(frozen=True)
class Train:
    """Train a model on a store.

    Trains on beginnings as people would give them, checks itself on the validation split, and keeps the best
    and the last checkpoint in RUN, beside a log (log.csv, pictures/, and tensorboard/ where that is
    installed). Uses a GPU where there is one. What is not set here has a good default. Ctrl-C ends a run with
    everything saved; one that was killed loses a minute.

    Examples:
      sketchgen train store/ -o run/ --time-limit 90m
      Go on where a run stopped:
        sketchgen train store/ -o run/ --time-limit 3h --resume
      Teach the bundled model your own kind of drawing, in minutes; it keeps what it knows:
        sketchgen train my-store/ -o owls/ --from quickdraw345 --time-limit 5m
      A small model, soon done:
        sketchgen train store/ -o run/ --cell gru --width 128 --components 5 --steps 500
      A small model that learns from a large one as well as from the drawings:
        sketchgen train store/ -o small/ --preset tiny --teacher run/best --time-limit 30m
      Learn which of its own ways to finish a drawing to prefer:
        sketchgen rehearse store/ -o ways/
        sketchgen train store/ -o better/ --from quickdraw345 --rehearsals ways/ --time-limit 30m
      Have it practise, on a GPU:
        sketchgen train store/ -o better/ --from quickdraw345 --practise 256 --time-limit 10m
      Two processes of one thread each, which is faster on two cores than one of two threads:
        torchrun --nproc-per-node 2 -m sketchgen train store/ -o run/ --time-limit 90m --threads 1
    """

    store: Positional[Annotated[Path, arg(metavar="STORE")]]
    """A folder made by `sketchgen prepare`."""
    out: Folder
    """Where the checkpoints and the log of the run go."""
    time_limit: Annotated[Optional[str], arg(metavar="TIME", help_behavior_hint="")] = None
    """Stop after this time: 45s, 90m, 1h30m. A run needs this or --steps; the time before --resume counts."""
    steps: Annotated[Optional[int], arg(metavar="INT", help_behavior_hint="")] = None
    """Stop after this many steps."""
    resume: bool = False
    """Go on from the last checkpoint in RUN."""
    start: Annotated[Optional[str], arg(name="from", metavar="NAME|FOLDER", help_behavior_hint="")] = None
    """Start from what this checkpoint has learned, bundled or a folder, and keep its categories and shape."""
    preset: Annotated[
        Optional[Literal["quickdraw345", "tiny", "sketch-rnn"]],
        arg(metavar="{quickdraw345,tiny,sketch-rnn}", help_behavior_hint=""),
    ] = None
    """A recipe: that of a bundled model, or Sketch-RNN's (2017). What is set besides goes before it."""
    cell: Annotated[
        Optional[Literal["lstm", "gru", "rnn", "gated"]],
        arg(metavar="{lstm,gru,rnn,gated}", help_behavior_hint=""),
    ] = None
    """The recurrent cell; gated is a linear recurrence, quicker to train on a processor."""
    layers: Annotated[Optional[int], arg(metavar="INT", help_behavior_hint="")] = None
    """Layers of the decoder."""
    width: Annotated[Optional[int], arg(metavar="INT", help_behavior_hint="")] = None
    """Units in a layer of the decoder."""
    components: Annotated[Optional[int], arg(metavar="INT", help_behavior_hint="")] = None
    """Gaussians in the mixture over the next offset."""
    encoder_width: Annotated[Optional[int], arg(metavar="INT", help_behavior_hint="")] = None
    """Units of the encoder, each direction."""
    recall: Annotated[Optional[int], arg(metavar="INT", help_behavior_hint="")] = None
    """Width of the second layer's attention to earlier steps; 0 for none."""
    pointers: Annotated[Optional[int], arg(metavar="INT", help_behavior_hint="")] = None
    """Width of the keys by which earlier points are pointed at; 0 for no pointers."""
    dropout: Annotated[Optional[float], arg(metavar="FLOAT", help_behavior_hint="")] = None
    """Share of a layer's outputs dropped in training."""
    teacher: Annotated[
        UseAppendAction[tuple[str, ...]], arg(metavar="NAME|FOLDER", help_behavior_hint="")
    ] = ()
    """Learn also what this checkpoint would have drawn at each step; several take turns."""
    teaching: Annotated[Optional[float], arg(metavar="FLOAT", help_behavior_hint="(default: 0.7)")] = None
    """The share of the teachers in what is learned, 0 to 1."""
    rehearsals: Annotated[Optional[Path], arg(metavar="FOLDER", help_behavior_hint="")] = None
    """Learn also which of its own ways to prefer, of those that `sketchgen rehearse` has drawn."""
    preference: Annotated[Optional[float], arg(metavar="FLOAT", help_behavior_hint="(default: 1)")] = None
    """How much that counts beside the drawings."""
    practise: Annotated[Optional[int], arg(metavar="INT", help_behavior_hint="")] = None
    """Beginnings that it finishes itself in each step, in several ways, to learn from how these come out."""
    ways: Annotated[Optional[int], arg(metavar="INT", help_behavior_hint="(default: 16)")] = None
    """In how many ways it finishes each."""
    best_of: Annotated[Optional[int], arg(metavar="INT", help_behavior_hint="(default: 1)")] = None
    """Of how many ways the best one is to be good; with more than 1 they differ more."""
    practice_weight: Annotated[Optional[float], arg(metavar="FLOAT", help_behavior_hint="(default: 3)")] = (
        None
    )
    """How much practice counts beside the drawings."""
    judge: Annotated[Optional[str], arg(metavar="NAME|FOLDER", help_behavior_hint="")] = None
    """A recogniser that is to know what it has finished; not one that the model is measured by later."""
    batch: Annotated[Optional[int], arg(metavar="INT", help_behavior_hint="")] = None
    """Drawings in a step, shared out among the processes."""
    learning_rate: Annotated[Optional[float], arg(metavar="FLOAT", help_behavior_hint="")] = None
    """Highest step size of the optimiser; it rises at the start and falls along a cosine."""
    patience: Annotated[Optional[int], arg(metavar="INT", help_behavior_hint="")] = None
    """Stop early: after this many validations in a row without a new best figure."""
    validate_every: Annotated[Optional[str], arg(metavar="TIME", help_behavior_hint="")] = None
    """Time between validations; by default 4m, or a twelfth of --time-limit where that is less."""
    save_every: Annotated[Optional[str], arg(metavar="TIME", help_behavior_hint="")] = None
    """Time between saves of the state, by default 1m: what a kill costs at most."""
    pictures: Annotated[Optional[int], arg(metavar="INT", help_behavior_hint="(default: 12)")] = None
    """Beginnings that are finished for a picture after each validation, and as many drawings from nothing."""
    workers: Annotated[Optional[int], arg(metavar="INT", help_behavior_hint="")] = None
    """Processes that make batches ahead; by default some beside a GPU and none without."""
    threads: Annotated[Optional[int], arg(metavar="INT", help_behavior_hint="")] = None
    """Threads of each process; more than there are free cores makes everything slower."""
    seed: Annotated[Optional[int], arg(metavar="INT", help_behavior_hint="")] = None
    """Same store, options and seed, same start and same order."""


@dataclass(frozen=True)
class Rehearse:
    """Have a model finish many drawings of a store that were begun, in several ways each.

    What each way is worth is measured by how the person went on. `sketchgen train --rehearsals` learns from
    them which ways to prefer. After Ctrl-C the same command goes on where it stopped.

    Examples:
      sketchgen rehearse store/ -o ways/
      sketchgen train store/ -o better/ --from quickdraw345 --rehearsals ways/ --time-limit 30m
    """

    store: Positional[Annotated[Path, arg(metavar="STORE")]]
    """A folder made by `sketchgen prepare`; its training split is begun."""
    out: Folder
    """Where the ways go."""
    model: Checkpoint = None
    """The model: the name of a bundled checkpoint, or the path of one."""
    beginnings: int = 16384
    """Drawings that are begun; of rare categories the same ones repeatedly."""
    ways: int = 8
    """How often the model finishes each."""
    jobs: Annotated[Optional[int], arg(metavar="INT", help_behavior_hint="(default: all cores)")] = None
    """Processes that draw."""
    seed: int = 0
    """Same store, model, options and seed, same ways."""


@dataclass(frozen=True)
class Web:
    """Draw in the browser, and let the model finish with you.

    Starts a page on this machine; it asks no other machine for anything, and keeps nothing that is drawn.
    Programs find the same completions at its endpoint /complete, agents (after pip install 'sketchgen[mcp]')
    as a tool.

    Examples:
      sketchgen web
      sketchgen web run/best --port 8000
      For everybody in the network:
        sketchgen web --host 0.0.0.0
    """

    checkpoint: Positional[Checkpoint] = None
    """The name of a bundled checkpoint, or the path of one."""
    host: Annotated[str, arg(metavar="ADDRESS")] = "127.0.0.1"
    """The address to listen on."""
    port: int = 7860
    """The port to listen on; 0 for any free one."""
    open: bool = False
    """Open the page in a browser."""


@dataclass(frozen=True)
class Info:
    """Say what a checkpoint is: its settings, its categories, and how it was trained.

    Examples:
      sketchgen info
      sketchgen info run/best
      sketchgen info --json
    """

    checkpoint: Positional[Checkpoint] = None
    """The name of a bundled checkpoint, or the path of one."""
    json: bool = False
    """Print one JSON object instead of a table."""


KINDS: dict[str, type] = {
    "complete": Complete,
    "generate": Generate,
    "redraw": Redraw,
    "recognise": Recognise,
    "download": Download,
    "prepare": Prepare,
    "train": Train,
    "rehearse": Rehearse,
    "train-recogniser": TrainRecogniser,
    "train-critic": TrainCritic,
    "evaluate": Evaluate,
    "compare": Compare,
    "info": Info,
    "web": Web,
}
"""The options of each subcommand."""

DRAW = ("complete", "generate")
"""The subcommands that draw, and may do so on a cluster."""
