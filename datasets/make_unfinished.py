"""Draws `unfinished/drawings.ndjson`: simple things by a procedure, a part left out, and that part.

    python datasets/make_unfinished.py [folder]

Every drawing has a random generator of its own, seeded by its name, so that one added later leaves all others
as they are. Same code, same bytes.
"""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Callable
from fnmatch import fnmatchcase
from itertools import compress
from pathlib import Path
from typing import Any, NamedTuple

import built
import numpy as np
import shapes
import things
from hand import Point
from pencil import Design, Pencil, pulled

from sketchgen.sketch.geometry import BOX, EPSILON, box_frame, rdp, resample
from sketchgen.sketch.sketch import Points, Sketch

PAGES = ((640, 480), (800, 600), (480, 640), (1000, 700), (600, 600))
"""Width and height of the pages, px."""

SIZES = (0.25, 0.4, 0.55, 0.7, 0.85)
"""Longer side of the whole drawing over the page's shorter side."""

DESIGNS: dict[str, Callable[[Pencil], Design]] = {**shapes.DESIGNS, **things.DESIGNS, **built.DESIGNS}


class Task(NamedTuple):
    """A drawing with a part left out.

    Attributes:
        name: of the task; seeds the hand, the size and the place.
        kind: `close`, `part` or `repeat`.
        design: name of the design, which is the category too unless one is named.
        missing: the pieces left out, parted by commas; `*` stands for any ending.
        category: what the drawing shows.
        before: pieces drawn after the missing ones in the design's order that are not there yet, either: a
            completion may draw them, and need not.
        backwards: whether all strokes are drawn in the opposite order and direction.
    """

    name: str
    kind: str
    design: str
    missing: str
    category: str = ""
    before: str = ""
    backwards: bool = False


TASKS = (
    # An open line is to be closed.
    Task("circle, half", "close", "circle", "arc4,arc5,arc6,arc7"),
    Task("circle, lower half", "close", "circle", "arc2,arc3,arc4,arc5", backwards=True),
    Task("circle, three quarters", "close", "circle", "arc6,arc7"),
    Task("circle, nearly round", "close", "circle", "arc0"),
    Task("square without left side", "close", "square", "left"),
    Task("square, two sides", "close", "square", "bottom,left"),
    Task("square without top", "close", "square_by_sides", "top", "square"),
    Task("triangle without base", "close", "triangle", "base", backwards=True),
    Task("triangle, half a side to go", "close", "triangle", "high"),
    Task("triangle, two sides", "close", "triangle", "low,high"),
    Task("pentagram, last line", "close", "pentagram", "home", "star"),
    Task("pentagram, two lines to go", "close", "pentagram", "back,home", "star"),
    Task("star without a point", "close", "star", "i,j"),
    Task("hexagon, last side", "close", "hexagon", "f"),
    Task("hexagon, half", "close", "hexagon", "d,e,f"),
    Task("octagon, five sides", "close", "octagon", "f,g,h"),
    Task("diamond, three sides", "close", "diamond", "d"),
    Task("moon without inner bow", "close", "moon", "inner"),
    Task("cloud, last bumps", "close", "cloud", "bump6,bump7"),
    Task("cloud, half", "close", "cloud", "bump4,bump5,bump6,bump7"),
    Task("leaf, one edge", "close", "leaf", "right", before="rib"),
    Task("lightning, last edges", "close", "lightning", "e,f,g"),
    Task("donut, half a hole", "close", "donut", "left"),
    Task("pizza without crust", "close", "pizza", "crust", before="edge,sausage*"),
    Task("eye without lower lid", "close", "eye", "lower"),
    Task("apple, half", "close", "apple", "left"),
    Task("mug without right side", "close", "mug", "right", before="handle"),
    Task("mushroom, cap open", "close", "mushroom", "under", before="stem"),
    Task("umbrella, canopy open", "close", "umbrella", "bows", before="stick"),
    Task("fish without tail", "close", "fish", "tail", before="fin"),
    Task("fish, lower half", "close", "fish", "upper", before="eye,mouth,fin", backwards=True),
    Task("house, half a roof", "close", "house", "right roof", before="door,*window"),
    Task("sailboat, hull open", "close", "sailboat", "keel,bow", before="mast,*sail"),
    Task("envelope, half a flap", "close", "envelope", "up"),
    Task("stairs, no wall", "close", "stairs", "wall,floor"),
    Task("car, open floor", "close", "car", "floor", before="*wheel,windows"),
    Task("book without right side", "close", "book", "right side", before="* text"),
    # A part is missing whose place is known.
    Task("face without mouth", "part", "face", "mouth"),
    Task("face without eyes", "part", "face", "*eye", backwards=True),
    Task("face without head", "part", "face", "head"),
    Task("smiley without smile", "part", "smiley_face", "smile", "smiley face"),
    Task("cat without whiskers", "part", "cat", "*whiskers"),
    Task("cat without ears", "part", "cat", "*ear"),
    Task("rabbit without ears", "part", "rabbit", "*ear"),
    Task("fish without eye", "part", "fish", "eye"),
    Task("snowman without head", "part", "snowman", "head,eyes,face"),
    Task("sun without rays", "part", "sun", "ray*"),
    Task("flower without stem", "part", "flower", "stem,*leaf"),
    Task("flower without petals", "part", "flower", "petal*"),
    Task("tree without trunk", "part", "tree", "trunk"),
    Task("mushroom without stem", "part", "mushroom", "stem"),
    Task("ice cream without scoop", "part", "ice_cream", "scoop", "ice cream"),
    Task("ice cream without cone", "part", "ice_cream", "left,right,pattern", "ice cream"),
    Task("umbrella without stick", "part", "umbrella", "stick"),
    Task("mug without handle", "part", "mug", "handle"),
    Task("candle without flame", "part", "candle", "flame", before="wick"),
    Task("key without teeth", "part", "key", "teeth"),
    Task("lollipop without stick", "part", "lollipop", "stick"),
    Task("lollipop without candy", "part", "lollipop", "candy,spiral", backwards=True),
    Task("balloon without basket", "part", "balloon", "ropes,basket", "hot air balloon"),
    Task("clock without hands", "part", "clock", "long,short"),
    Task("eye without pupil", "part", "eye", "iris,pupil"),
    Task("apple without stem", "part", "apple", "stem,leaf"),
    Task("donut without hole", "part", "donut", "left,right"),
    Task("house without roof", "part", "house", "*roof"),
    Task("house without door", "part", "house", "door"),
    Task("door without knob", "part", "door", "knob"),
    Task("envelope without flap", "part", "envelope", "down,up"),
    Task("car without wheels", "part", "car", "*wheel"),
    Task("bus without wheels", "part", "bus", "*wheel"),
    Task("sailboat without sails", "part", "sailboat", "*sail"),
    Task("table without legs", "part", "table", "*leg*"),
    Task("spider without legs", "part", "spider", "*legs"),
    # One of several like parts is missing.
    Task("face without right eye", "repeat", "face", "right eye"),
    Task("smiley without left eye", "repeat", "smiley_face", "left eye", "smiley face", backwards=True),
    Task("cat without right ear", "repeat", "cat", "right ear"),
    Task("cat without right whiskers", "repeat", "cat", "right whiskers"),
    Task("cat without left eye", "repeat", "cat", "left eye"),
    Task("rabbit without left ear", "repeat", "rabbit", "left ear"),
    Task("butterfly without right wings", "repeat", "butterfly", "right wings"),
    Task("butterfly without left wings", "repeat", "butterfly", "left wings", backwards=True),
    Task("spider without left legs", "repeat", "spider", "left legs"),
    Task("snowman without right arm", "repeat", "snowman", "right arm"),
    Task("flower without two petals", "repeat", "flower", "petal4,petal5"),
    Task("sun, half of the rays", "repeat", "sun", "ray5,ray6,ray7,ray8,ray9"),
    Task("wheel without half of the spokes", "repeat", "wheel", "spoke4,spoke5,spoke6,spoke7"),
    Task("clock without left ticks", "repeat", "clock", "tick7,tick8,tick9,tick10,tick11"),
    Task("eyeglasses without right lens", "repeat", "eyeglasses", "right", before="temples"),
    Task("house without right window", "repeat", "house", "right_window"),
    Task("table without right leg", "repeat", "table", "right leg", before="back legs"),
    Task("chair without front leg", "repeat", "chair", "right leg"),
    Task("ladder without lower rungs", "repeat", "ladder", "rung4,rung5,rung6"),
    Task("ladder without right rail", "repeat", "ladder", "right rail"),
    Task("fence, half of the pickets", "repeat", "fence", "picket3,picket4,picket5", before="rail*"),
    Task("car without right wheel", "repeat", "car", "right wheel"),
    Task("bus without last windows", "repeat", "bus", "window2,window3"),
    Task("bicycle without right wheel", "repeat", "bicycle", "right wheel"),
    Task("bicycle without left wheel", "repeat", "bicycle", "left wheel", backwards=True),
    Task("airplane without lower wing", "repeat", "airplane", "lower wing"),
    Task("dumbbell without right weight", "repeat", "dumbbell", "right"),
    Task("bowtie without left bow", "repeat", "bowtie", "left"),
    Task("traffic light without third lamp", "repeat", "traffic_light", "lamp2", "traffic light"),
    Task("windmill without two sails", "repeat", "windmill", "sail2,sail3"),
    Task("book, right text missing", "repeat", "book", "right text"),
)


def named(names: str, design: Design) -> frozenset[str]:
    """The design's pieces that a list of names stands for.

    Raises:
        ValueError: a name stands for none.
    """
    all_names = {piece.name for line in design for piece in line.pieces}
    found: set[str] = set()
    for name in filter(None, names.split(",")):
        fitting = {item for item in all_names if fnmatchcase(item, name)}
        if not fitting:
            raise ValueError(f"no piece is called {name!r}")
        found |= fitting
    return frozenset(found)


def snapped(cut: list[Point], given: list[list[Point]]) -> list[Point]:
    """A missing line with both its ends on the nearest points of given strokes: there lines are to meet."""
    points = [point for stroke in given for point in stroke]

    def near(point: Point) -> Point:
        return min(points, key=lambda other: math.dist(other, point))

    return pulled(cut, near(cut[0]), near(cut[-1]))


class Drawn(NamedTuple):
    """Given, missing, and later strokes: those that are not there yet, either."""

    given: list[list[Point]]
    missing: list[list[Point]]
    later: list[list[Point]]


def drawn(task: Task) -> Drawn:
    """The strokes of a task on the hand's own canvas."""
    pencil = Pencil(task.name)
    design = DESIGNS[task.design](pencil)
    missing, later = named(task.missing, design), named(task.before, design)
    put_off = [any(piece.name in later for piece in line.pieces) for line in design]
    cuts = [pencil.cut(line, missing) for line, off in zip(design, put_off, strict=True) if not off]
    given = [stroke for cut in cuts for stroke in cut.given]
    gone = [stroke for cut in cuts for stroke in cut.missing]
    if task.kind == "close":
        gone = [snapped(stroke, given) for stroke in gone]
    if task.backwards:
        given, gone = ([stroke[::-1] for stroke in part[::-1]] for part in (given, gone))
    rest = [stroke for line in compress(design, put_off) for stroke in pencil.cut(line, frozenset()).given]
    return Drawn(given, gone, rest)


def on_page(task: Task) -> tuple[list[list[Points]], tuple[int, int]]:
    """The three parts of a drawing thinned as Quick, Draw! does it, in whole px of a page, and the page.

    Given and missing strokes lie on it; later ones may lie beyond its edge.
    """
    parts = drawn(task)
    frame = box_frame(Sketch.from_strokes(parts.given + parts.missing))
    thinned = [
        [rdp(resample(frame.to_model(np.array(stroke))), EPSILON) for stroke in part] for part in parts
    ]
    thin = thinned[0] + thinned[1]
    place = Pencil(f"{task.name}/place")
    page = place.random.choice(PAGES)
    scale = place.random.choice(SIZES) * min(page) / BOX
    low, high = (getattr(np.concatenate(thin), which)(axis=0) * scale for which in ("min", "max"))
    room = np.array(page) - (high - low)
    margin = 0.03 * min(page)
    corner = np.array([place.between(margin, float(side) - margin) for side in room]) - low
    return [[np.rint(stroke * scale + corner) for stroke in part] for part in thinned], page


def as_line(task: Task) -> str:
    """One line of ndjson: what is asked, then the strokes as Quick, Draw! writes them."""
    (given, missing, later), page = on_page(task)
    fields: dict[str, Any] = {
        "name": task.name,
        "category": task.category or task.design,
        "kind": task.kind,
        "page": page,
        "given": [stroke.T.astype(np.int64).tolist() for stroke in given],
        "missing": [stroke.T.astype(np.int64).tolist() for stroke in missing],
        "source": "sketchgen procedure",
    }
    if later:
        fields["later"] = [stroke.T.astype(np.int64).tolist() for stroke in later]
    return json.dumps(fields, separators=(",", ":"))


def main(folder: Path) -> None:
    """Write `drawings.ndjson` into `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    text = "\n".join(as_line(task) for task in TASKS) + "\n"
    (folder / "drawings.ndjson").write_text(text, encoding="utf-8", newline="\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent / "unfinished")
