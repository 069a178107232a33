"""What the subcommands that measure take; see `sketchgen.cli.options`, with which the parser loads this."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal, Optional

from tyro.conf import Positional, UseAppendAction, arg

Split = Literal["train", "valid", "test"]
Protocol = Annotated[
    Optional[Literal["all", "likelihood"]],
    arg(metavar="{all,likelihood}", help_behavior_hint="(default: all)"),
]
Limit = Annotated[Optional[int], arg(metavar="INT", help_behavior_hint="(default: all)")]
Samples = Annotated[Optional[int], arg(metavar="INT", help_behavior_hint="(default: 512)")]
Judge = Annotated[
    Optional[str], arg(metavar="NAME|FOLDER", help_behavior_hint="(default: the bundled recogniser)")
]
Temperatures = Annotated[
    UseAppendAction[tuple[float, ...]], arg(metavar="FLOAT", help_behavior_hint="(default: 0.1, 0.25, 0.5)")
]
Guidance = Annotated[Optional[float], arg(metavar="FLOAT", help_behavior_hint="(default: the model's)")]


@dataclass(frozen=True)
class Evaluate:
    """Measure a checkpoint on drawings it has not seen.

    Nats per point and per sketch (lower is better), of whole drawings, of what is left after a part was
    given, by category, depth and position; how often a judge names completions right, beside bare beginnings
    and real drawings; how near ten completions come to the truth; how like real drawings they are as a set;
    whether they are copied; and the share that end by themselves. A few minutes; --protocol likelihood is
    quick and needs no judge. What each figure means: docs/evaluation.md.

    Examples:
      sketchgen evaluate run/best store/ --report report.html
      Two models in one report:
        sketchgen evaluate run/best store/ --against quickdraw345 --report report.md
      sketchgen evaluate run/best store/ --split test --json > figures.json
      The first drawings of a folder of ndjson files, without a store:
        sketchgen evaluate run/best quickdraw/ --limit 1000 --protocol likelihood
    """

    checkpoint: Positional[Annotated[str, arg(metavar="CHECKPOINT")]]
    """The name of a bundled checkpoint, or the path of one."""
    source: Positional[Annotated[Path, arg(metavar="SOURCE")]]
    """A store made by `sketchgen prepare`, or a folder of ndjson files."""
    split: Split = "valid"
    """Which split of a store."""
    limit: Limit = None
    """At most this many drawings."""
    samples: Samples = None
    """Drawings that are finished, and samples at each temperature to see whether they end by themselves."""
    seed: int = 0
    """Same checkpoint, source, options and seed, same figures."""
    protocol: Protocol = None
    """What is measured: likelihood and what ends, or all."""
    against: Annotated[
        UseAppendAction[tuple[str, ...]], arg(metavar="CHECKPOINT", help_behavior_hint="")
    ] = ()
    """Another model for the same tables; may be given several times."""
    judge: Judge = None
    """Who names drawings: recogniser345 (by strokes), pictures345 (by ink alone), or the path of another."""
    training: Annotated[Optional[Path], arg(metavar="STORE", help_behavior_hint="(default: SOURCE)")] = None
    """The store whose training drawings are searched for copies and for the nearest ones."""
    temperature: Temperatures = ()
    """A temperature at which drawings are finished; may be given several times. The best one is named."""
    guidance: Guidance = None
    """Guidance of all models that can be guided."""
    report: Annotated[Optional[Path], arg(metavar="FILE", help_behavior_hint="")] = None
    """Write a page with all tables and a sheet of completions: .html, or .md with a folder of pictures."""
    json: bool = False
    """Print one JSON object instead of tables."""
    force: bool = False
    """Replace a report that is there."""


@dataclass(frozen=True)
class Compare:
    """Measure how two checkpoints differ on the same drawings.

    Prints nats per point, whole and of what is left, names that are right, and how near completions come to
    the truth: of A, of B, and B - A with the standard error of the paired difference, which is far smaller
    than those of A and B. Fewer nats and px are better, more right names are.

    Examples:
      sketchgen compare quickdraw345 run/best store/
      Likelihood alone, which is quick and needs no judge:
        sketchgen compare quickdraw345 run/best store/ --protocol likelihood
      sketchgen compare run/last run/best store/ --json > difference.json
    """

    a: Positional[Annotated[str, arg(metavar="A")]]
    """The name of a bundled checkpoint, or the path of one."""
    b: Positional[Annotated[str, arg(metavar="B")]]
    """Another one."""
    source: Positional[Annotated[Path, arg(metavar="SOURCE")]]
    """A store made by `sketchgen prepare`, or a folder of ndjson files."""
    split: Split = "valid"
    """Which split of a store."""
    limit: Limit = None
    """At most this many drawings."""
    samples: Samples = None
    """Drawings that are finished."""
    seed: int = 0
    """Same checkpoints, source, options and seed, same figures."""
    protocol: Protocol = None
    """What is compared: likelihood, or all."""
    judge: Judge = None
    """Who names drawings: recogniser345 (by strokes), pictures345 (by ink alone), or the path of another."""
    temperature: Temperatures = ()
    """A temperature at which drawings are finished; may be given several times. Each model's best counts."""
    guidance: Guidance = None
    """Guidance of the models that can be guided."""
    json: bool = False
    """Print one JSON object instead of tables."""
