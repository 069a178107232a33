"""What the subcommands that draw take; see `sketchgen.cli.options`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal, Optional

from tyro.conf import Positional, arg

from sketchgen.cli.look_options import Form, Looks
from sketchgen.cli.measuring_options import Guidance

Checkpoint = Annotated[
    Optional[str], arg(metavar="NAME|FOLDER", help_behavior_hint="(default: the bundled one)")
]
Category = Annotated[Optional[str], arg(metavar="NAME", help_behavior_hint="(default: any)")]
Closing = Annotated[Optional[float], arg(metavar="PX", help_behavior_hint="(default: 24)")]
Categories = Annotated[Optional[str], arg(metavar="NAME,...", help_behavior_hint="(default: any)")]
Target = Annotated[Optional[Path], arg(aliases=["-o"], metavar="PATH", help_behavior_hint="(default: -)")]


@dataclass(frozen=True, kw_only=True)
class Drawing(Looks):
    """What both of the subcommands that draw take."""

    count: int = 9
    """How many drawings of each category, or ways to finish each drawing; up to 10,000,000 in all."""
    temperature: float = 0.5
    """How daring: 0 draws the likeliest line, 1 draws as people vary; at most 2."""
    guidance: Guidance = None
    """How much it is to look like its category: 0 as people draw, 4 as nobody could mistake; at most 10."""
    seed: int = 0
    """Same drawing, options and seed, same result."""
    out: Target = None
    """A folder, a file (the suffix picks the format), or - for standard output."""
    checkpoint: Checkpoint = None
    """Which model draws: the name of a bundled checkpoint, or the path of one."""
    force: bool = False
    """Write into a folder that is not empty, and replace files."""
    resume: bool = False
    """Go on with a job that was ended, by its manifest; the options must be the same."""
    best_of: int = 1
    """Draw so many candidates of each drawing, and keep the best; 1 to 1000."""
    rank: Annotated[
        Optional[Literal["likelihood", "recogniser", "reward"]],
        arg(metavar="{likelihood,recogniser,critic}", help_behavior_hint=""),
    ] = None
    """The best is the likeliest per added point; what the recogniser is surest to be the category (the
    default of drawings from nothing, where it knows all categories); or what also goes on best with what was
    given, lies neatly beside it, and has most in common with the other candidates (critic, the default where
    something was)."""
    label: bool = False
    """Have the recogniser name each drawing in the manifest."""
    unique: bool = False
    """Drop drawings that look like an earlier one of the same category or beginning."""
    avoid_training: Annotated[Optional[Path], arg(metavar="STORE", help_behavior_hint="")] = None
    """Drop near-copies of this store's training drawings."""
    copy_distance: Annotated[Optional[float], arg(metavar="PX", help_behavior_hint="")] = None
    """What is nearer is a near-copy; by default nearer than all but 1 % of real held-out drawings."""
    jobs: Annotated[Optional[int], arg(metavar="INT", help_behavior_hint="(default: by the job)")] = None
    """Processes that draw; the drawings are the same. Up to 200 drawings are always drawn by this one."""
    ray: Annotated[Optional[str], arg(metavar="ADDRESS", help_behavior_hint="")] = None
    """Spread the job over a Ray cluster: its address; auto, or nothing, for the one around; local to start
    one here."""


@dataclass(frozen=True, kw_only=True)
class Complete(Drawing):
    """Finish drawings that were begun.

    Reads strokes, goes on with them in several ways, and writes the finished drawings, what was given and
    what was added told apart. Nothing that was given is moved.

    Into a folder (-o out/) go <name>-1.svg, <name>-2.svg, ..., sheet.png, which shows the first 1000, and
    manifest.jsonl, by which each can be drawn again; the paths are printed. Without -o the drawings go to
    standard output: one as it is, several as one sheet. Large jobs: see docs/batch.md.

    Examples:
      A bundled beginning, nine ways:
        sketchgen complete example:half-a-cat --category cat --count 9 -o out/
      Your own, once, into a file:
        sketchgen complete drawing.svg --count 1 -o finished.svg
      The same as a part of a pipe:
        cat drawing.svg | sketchgen complete - --count 1 > finished.svg
      Every drawing of a file, five ways each, all in one file, by all cores:
        sketchgen complete drawings.ndjson --count 5 -o finished.ndjson
      The best of eight, five times:
        sketchgen complete drawing.svg --category owl --best-of 8 --count 5 -o owls/
    """

    file: Positional[Annotated[str, arg(metavar="FILE")]]
    """A drawing: .svg, .json (canvas), .ndjson (every drawing in it), - for standard input, or
    example:NAME for a bundled beginning (half-a-cat, face, car, pineapple, mona-lisa)."""
    category: Category = None
    """What it is to become, such as cat; one of the categories that the checkpoint knows."""
    closing: Closing = None
    """Gap at the end of an added line that is closed where it was to meet its beginning or a given line, in
    160ths of the given part's longer side; 0 leaves lines as drawn."""
    mirror: bool = True
    """With --best-of and --rank reward, count what the drawing lacks to be symmetric among the candidates,
    where it nearly is: the second eye, wheel or wing."""


@dataclass(frozen=True, kw_only=True)
class Generate(Drawing):
    """Draw from nothing.

    Writes as `complete` does: into a folder one file a drawing, sheet.png and manifest.jsonl, else to
    standard output. Ctrl-C or a kill leaves what is done, and --resume goes on; see docs/batch.md.

    Examples:
      sketchgen generate --category cat --count 9 -o cats/
      sketchgen generate --category "The Mona Lisa" --count 1 -o mona.png
      sketchgen generate --count 100 --format ndjson > drawings.ndjson
      Ten thousand of each of two, without near-duplicates, and what is left after a Ctrl-C:
        sketchgen generate --category cat,dog --count 10000 --unique -o pets/
        sketchgen generate --category cat,dog --count 10000 --unique -o pets/ --resume
      A thousand of every category that the model knows, in one file:
        sketchgen generate --category all --count 1000 -o all.ndjson
      A poster, and twelve on a page for a plotter:
        sketchgen generate --category all --count 1 --format poster --page A2 --labels -o poster.svg
        sketchgen generate --category cat --count 12 --page A4 --margin 15mm --pen-width 0.4mm -o cats.svg
    """

    category: Categories = None
    """What to draw: a category that the checkpoint knows, several with commas, or all."""


@dataclass(frozen=True)
class Redraw:
    """Draw one drawing of an earlier job again, alone, bit for bit.

    The manifest says how it was drawn; the model, and what it went on from, must be the same.

    Examples:
      sketchgen redraw cats/manifest.jsonl 123 -o one.svg
      sketchgen redraw cats/manifest.jsonl cat-00124.svg > one.svg
      As another format:
        sketchgen redraw cats.ndjson.manifest.jsonl 0 --format gif -o one.gif
    """

    manifest: Positional[Annotated[Path, arg(metavar="MANIFEST")]]
    """The manifest of the job."""
    number: Positional[Annotated[str, arg(metavar="NUMBER|NAME")]]
    """Which one: its number there (they begin with 0), or the name of its file."""
    out: Target = None
    """A file (the suffix picks the format), or - for standard output."""
    format: Annotated[
        Optional[Form],
        arg(metavar="FORM", help_behavior_hint="(default: the job's)"),
    ] = None
    """Format of the drawing."""
    checkpoint: Checkpoint = None
    """The model, where it stands elsewhere now."""
    source: Annotated[Optional[str], arg(metavar="FILE", help_behavior_hint="(default: where it was)")] = None
    """What a completion went on from, where that stands elsewhere now."""
    force: bool = False
    """Replace a file."""
