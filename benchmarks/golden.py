"""Tell whether a change of the code has changed what the program does.

    python benchmarks/golden.py make OLD
    python benchmarks/golden.py make NEW --python other-venv/bin/python
    python benchmarks/golden.py compare OLD NEW --tolerance 1e-6 --ignore program

`make` runs the cases below through the command line, each in a folder of its own. It keeps the exit statuses,
what was printed, and all files. `compare` says of each case whether it is identical, the same (numbers within
the tolerance, pictures by their pixels) or DIFFERENT. PYTHONPATH=CHECKOUT runs the code of another checkout.
The outputs hold for one machine: on another kind of processor numbers are rounded differently.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import time
import zipfile
from concurrent.futures import ThreadPoolExecutor
from itertools import zip_longest
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageSequence

# A line is: name | steps. Steps are split by " ; ". IN/ is the folder of inputs; "< FILE" is standard input.
# "rm GLOB" removes files: what a kill would have lost, or what depends on the clock. "vpype ..." runs vpype.
CASES = """
complete-cat | complete example:half-a-cat --category cat --count 9 -o out
complete-cat-sketch-rnn | complete example:half-a-cat --category cat --count 9 --checkpoint sketch-rnn345 -o out
complete-cat-tiny | complete example:half-a-cat --category cat --count 9 TINY -o out
complete-face | complete example:face --count 4 --seed 1 -o out ; complete example:face --category face --count 4 TINY -o tiny ; complete example:half-a-cat --category owl --count 4 --seed 3 -o owl
complete-cold | complete example:car --category car --temperature 0 --count 2 -o out ; complete example:car --temperature 0 --count 2 TINY -o tiny
complete-warm | complete example:pineapple --category pineapple --temperature 0.4 --count 4 -o mild ; complete example:mona-lisa --category "The Mona Lisa" --temperature 1 --count 4 -o warm
complete-guidance | complete IN/face.svg --category face --guidance 0 --count 4 --seed 2 -o 0 ; complete IN/face.svg --category face --guidance 2 --count 4 --seed 2 -o 2 ; complete IN/face.svg --category face --guidance 4 --count 4 --seed 2 -o 4
complete-best-of | complete example:half-a-cat --category cat --best-of 16 --count 3 -o out ; complete example:car --best-of 8 --count 2 TINY --label -o any
complete-no-mirror | complete example:half-a-cat --category cat --best-of 16 --no-mirror --count 3 -o out
complete-rank | complete example:face --category face --best-of 8 --rank likelihood --count 2 -o likely ; complete example:face --category face --best-of 8 --rank classifier --count 2 -o known
complete-closing | complete IN/few.ndjson --count 3 TINY -o 24.ndjson ; complete IN/few.ndjson --count 3 TINY --close-gaps 0 -o 0.ndjson
complete-unfinished | complete IN/few.ndjson --count 1 --best-of 8 -o out
complete-many | complete IN/unfinished.ndjson --count 2 TINY --jobs 2 -o many.ndjson
complete-inputs | complete - --category face --count 1 < IN/face.svg ; complete - --count 2 TINY --format ndjson < IN/few.ndjson ; complete IN/shapes.svg --category house --count 4 TINY -o out ; complete example:car --count 1 -o 1.json ; complete 1.json --count 1 -o 2.svg ; complete 2.svg --count 2 -o 3.svg
generate-cat | generate cat --count 9 -o out
generate-cat-sketch-rnn | generate cat --count 9 --checkpoint sketch-rnn345 -o out
generate-cat-tiny | generate cat --count 9 TINY -o out
generate-several | generate owl bicycle "The Mona Lisa" "ice cream" --count 2 --seed 4 -o out ; generate --count 4 --seed 5 -o any
generate-cold-warm | generate sun --temperature 0 --count 2 -o cold ; generate sun --temperature 1 --count 4 --guidance 0 -o warm
generate-best-of | generate fish --best-of 8 --count 2 -o out ; generate fish --best-of 8 --rank likelihood --count 3 TINY -o like
generate-all | generate all --count 1 TINY -o all.ndjson
generate-many | generate cat dog --count 101 --checkpoint sketch-rnn345 --jobs 2 -o many.ndjson
form-svg | generate cat --count 1 -o one.svg ; generate cat --count 6 --columns 2 -o sheet.svg
form-looks | complete IN/face.svg --count 2 --width 3 --colour navy --added-colour "#c02020" --background none --smooth on --pressure 0.7 -o out
form-moving | complete IN/face.svg --count 2 TINY --format animated --speed 300 -o out ; complete IN/face.svg --count 1 TINY --size 120 -o one.gif ; complete IN/face.svg --count 1 TINY --size 120 -o one.webp
form-png | complete IN/face.svg --count 2 TINY --format png --size 200 -o out ; generate cat --count 5 TINY -o sheet.png
form-data | complete IN/face.svg --count 3 TINY --format json -o out ; complete IN/few.ndjson --count 1 TINY --format ndjson -o lines ; generate cat sun --count 4 TINY -o all.npz
form-poster | generate cat sun --count 4 TINY --format poster --page A4 --labels --title "Cats and suns" --columns 3 -o poster.svg ; generate sun --count 4 TINY --format poster --page A6 -o poster.png
form-plot | complete IN/face.svg --count 3 TINY --page "A5 landscape" --margin 10mm,15mm --pen-width 0.4mm --crop -o plot.svg ; generate sun --count 70 TINY --page A6 --smooth on -o pages.svg ; generate --count 2 TINY --format plot -o out
form-gcode | generate cat --count 4 TINY --page A4 -o cats.gcode
form-stdout | generate sun --count 4 TINY ; generate --count 1 TINY --format png ; generate --count 2 TINY --format npz
job-resume | generate cat sun --count 6 TINY -o out ; rm out/sun-[3-6].svg ; generate cat sun --count 6 TINY -o out --resume
job-resume-many | complete IN/unfinished.ndjson --count 2 TINY -o out ; rm out/*-0[5-9]?-2.svg ; complete IN/unfinished.ndjson --count 2 TINY -o out --resume
job-unique-force | generate circle square --count 12 TINY --unique --label -o unique ; generate sun --count 2 TINY -o out ; generate sun --count 3 TINY --seed 1 -o out --force
job-redraw | generate cat sun --count 3 --best-of 2 -o out ; redraw out/manifest.jsonl 4 ; redraw out/manifest.jsonl cat-2.svg --format json ; complete IN/few.ndjson --count 2 TINY -o all.ndjson ; redraw all.ndjson.manifest.jsonl 3 -o one.svg
job-redraw-many | generate cat dog --count 101 TINY -o all.ndjson ; redraw all.ndjson.manifest.jsonl 150 -o one.gif
recognise | recognise example:half-a-cat example:car IN/shapes.svg --top 3 ; recognise IN/few.ndjson --json ; recognise - --top 1 < IN/sample/cat.ndjson
prepare | prepare IN/sample -o store ; prepare IN/sample --category cat --category sun --max-per-category 12 --recognised --jobs 1 -o some ; prepare IN/damaged.ndjson -o damaged ; prepare IN/damaged.ndjson --strict -o strict
prepare-mixed | generate owl --count 8 TINY -o owls.npz ; generate bird --count 8 TINY -o mine/bird ; rm mine/bird/[!b]* ; prepare owls.npz mine IN/sample/star.ndjson -o store
evaluate-likelihood | STORE ; evaluate quickdraw345 store --protocol likelihood --samples 4 --limit 12
measure-folder | evaluate tiny IN/sample --limit 12 --protocol likelihood --samples 2 --guidance 0 --json ; compare sketch-rnn345 tiny IN/sample --limit 12 --protocol likelihood
evaluate-all | STORE ; evaluate tiny store --samples 6 --limit 8 --json
evaluate-report | STORE ; evaluate tiny store --samples 4 --limit 6 --classifier pictures345 --temperature 0.5 --against sketch-rnn345 --report report.md
compare-all | STORE ; compare tiny quickdraw345 store --samples 4 --limit 6 --temperature 0.25
train | STORE ; train store -o run --steps 3 --width 32 --encoder-width 16 --batch 8 --threads 1 --pictures 2 ; rm run/log.csv ; rm run/tensorboard/* ; rm run/state*
train-judges | STORE ; train-classifier store -o rec --steps 1 --batch 4 --threads 1 ; train-reward-model store -o run --steps 1 --batch 2 --sketches 4 --candidates-per-sketch 2 --checkpoint tiny --classifier rec/last --jobs 1 --threads 1 ; rm */state*
rehearse | STORE ; sample-candidates store -o ways --checkpoint tiny --sketches 6 --candidates-per-sketch 2 --jobs 1
info | info ; info tiny --json ; info sketch-rnn345 ; --version
vpype | vpype sketchgen cat --count 2 --seed 1 layout a5 gwrite -p gcodemm cats.gcode ; vpype read IN/face.svg sketchgen-complete face gwrite -p gcodemm face.gcode
bad-name | generate catt --count 1 ; complete example:face --category unicorn-horse ; complete example:face --category cat,dog ; generate --checkpoint tinny ; info nowhere ; evaluate nowhere IN/sample ; generate cat --best-of 2 --rank reward
bad-source | complete nowhere.svg ; complete IN ; recognise nowhere.svg ; complete example:unicorn ; complete IN/empty.svg ; complete IN/words.svg ; complete IN/damaged.ndjson ; complete - < IN/empty.svg
bad-target | generate --count 1 TINY -o a.svg ; generate --count 1 TINY -o a.svg ; generate --count 2 TINY -o b ; generate --count 2 TINY -o b ; generate --count 2 -o x.gif
bad-look | generate --colour nocolour -o x.png ; generate --title no ; generate --smooth 3 ; generate --format poster -o x ; generate --page A99 -o x.svg ; generate --page A4 --margin 9km -o x.svg ; generate --page A4 --margin 200mm -o x.svg
bad-number | generate --count 0 ; generate --temperature 3 ; complete example:face --guidance -1 ; complete example:face --close-gaps 1000 ; generate --seed -1 ; generate --best-of 5000
bad-job | generate --count 2 -o x --resume ; generate --resume --force -o x ; generate --count 2 TINY -o y ; generate --count 3 TINY -o y --resume ; redraw nowhere.jsonl 1 ; redraw y/manifest.jsonl 7 ; redraw y/manifest.jsonl moon.svg
bad-store | prepare nowhere -o s ; train nowhere -o r ; evaluate tiny nowhere ; prepare -o s ; train IN/sample -o r --steps 1
bad-usage | compleat x ; complete ; generate --format svgz ; generate --no-such-option ; download -o x ; download --all cat -o x
"""  # noqa: E501
SHORT = {"TINY": "--checkpoint tiny", "STORE": "prepare example:sample -o store --max-per-category 30"}
SHAPES = """<svg viewBox="0 0 300 300" xmlns="http://www.w3.org/2000/svg"><circle cx="125" cy="160" r="14"/>
<g transform="rotate(5)"><rect x="60" y="90" width="99" height="90"/><path d="M9 9 L99 40 l7 5"/></g></svg>"""
NUMBER = re.compile(r"([-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)")
# What depends on the clock: progress, which is told every ten seconds, and times.
CLOCK = re.compile(rb"(?m)^.*: [\d.]+ of [\d.]+(?: MB)?(?:,.*)?\n|\b\d+(?:\.\d+)? m?s\b|\bseconds [\d.]+")
FIXED = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "COLUMNS": "100", "NO_COLOR": "1"}


def cases(only: list[str] | None) -> dict[str, list[list[str]]]:
    """The words of each step of each case, by the case's name."""
    text = re.sub("|".join(SHORT), lambda found: SHORT[found[0]], CASES.strip())
    lines = [line.split(" | ") for line in text.splitlines()]
    found = {name: [shlex.split(step) for step in steps.split(" ; ")] for name, steps in lines}
    if unknown := set(only or ()) - set(found):
        sys.exit(f"no such case: {', '.join(sorted(unknown))}")
    return {name: steps for name, steps in found.items() if only is None or name in only}


def write_inputs(folder: Path) -> None:
    """Write what the cases read. They are copies, so that no output depends on where a checkout is."""
    datasets = Path(__file__).resolve().parents[1] / "datasets"
    shutil.rmtree(folder, ignore_errors=True)
    (folder / "sample").mkdir(parents=True)
    shutil.copy(datasets / "partial" / "face.svg", folder)
    for name in ("cat", "smiley face", "star", "sun"):
        shutil.copy(datasets / "sample" / f"{name}.ndjson", folder / "sample")
    begun = map(json.loads, (datasets / "unfinished" / "drawings.ndjson").read_text("utf-8").splitlines())
    lines = [json.dumps({"word": one["category"], "drawing": one["given"]}) + "\n" for one in begun]
    texts = {"unfinished.ndjson": "".join(lines), "few.ndjson": "".join(lines[::13]), "shapes.svg": SHAPES}
    texts |= {"damaged.ndjson": "".join(lines[:20]) + '{"word":"cat"', "empty.svg": "", "words.svg": "Words."}
    for name, text in texts.items():
        (folder / name).write_text(text, encoding="utf-8")


def run_step(words: list[str], place: Path, python: str, env: dict[str, str]) -> tuple[str, bytes, bytes]:
    """Run a step in the folder `place`; returns its exit status, standard output and standard error."""
    if words[0] == "rm":
        removed = [path.unlink() for path in place.glob(words[1])]
        return f"{len(removed)} removed", b"", b""
    words = [re.sub(r"^IN\b", "../../inputs", word) for word in words]
    data = (place / words[-1]).read_bytes() if "<" in words else b""
    words = words[:-2] if "<" in words else words
    module = ["vpype_cli", *words[1:]] if words[0] == "vpype" else ["sketchgen", *words]
    done = subprocess.run([python, "-m", *module], cwd=place, env=env, input=data, capture_output=True)
    return str(done.returncode), done.stdout, CLOCK.sub(b"", done.stderr)


def make(options: argparse.Namespace) -> int:
    """Run the cases, and write what came of each: status, 1.stdout, 1.stderr, ..., files/."""
    top = options.out.resolve()
    if top.exists() and any(top.iterdir()) and not (top / "inputs").is_dir():
        sys.exit(f"{top} holds something else; name a new folder")
    write_inputs(top / "inputs")
    path = os.environ.get("PYTHONPATH", "").split(os.pathsep)
    env = {**os.environ, **FIXED, "PYTHONPATH": os.pathsep.join(os.path.abspath(one) for one in path if one)}
    ask = [options.python, "-c", "import sketchgen; print(sketchgen.__file__)"]
    asked = subprocess.run(ask, cwd=top, env=env, stdout=subprocess.PIPE, text=True, check=True)
    checkout = Path(asked.stdout.strip()).parents[1]
    print(f"sketchgen of {checkout}")

    def run(name: str, steps: list[list[str]]) -> None:
        begin, statuses = time.perf_counter(), []
        shutil.rmtree(top / name, ignore_errors=True)
        (top / name / "files").mkdir(parents=True)
        for number, words in enumerate(steps, 1):
            status, *said = run_step(words, top / name / "files", options.python, env)
            statuses.append(status)
            for kind, data in zip(("stdout", "stderr"), said, strict=True):
                data = data.replace(bytes(top), b"OUT").replace(bytes(checkout), b"CHECKOUT")
                (top / name / f"{number}.{kind}").write_bytes(data)
        (top / name / "status").write_text("\n".join(statuses) + "\n")
        print(f"{name:26}{time.perf_counter() - begin:6.1f} s   {', '.join(statuses)}", flush=True)

    begin, chosen = time.perf_counter(), cases(options.only)
    with ThreadPoolExecutor(options.jobs) as pool:
        list(pool.map(run, chosen.keys(), chosen.values()))
    print(f"{len(chosen)} cases in {time.perf_counter() - begin:.0f} s")
    return 0


def plain(text: str, keys: list[str]) -> str:
    """A text; where it is JSON, or lines of JSON, without some keys of its objects."""

    def kept(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        return {key: value for key, value in pairs if key not in keys}

    for pieces in ([text], text.splitlines()) if keys else ():
        with contextlib.suppress(ValueError):
            return "\n".join(json.dumps(json.loads(piece, object_pairs_hook=kept)) for piece in pieces)
    return text


def near(one: str, other: str, tolerance: float) -> bool:
    """Whether two pieces of text are equal, or numbers that are near enough; whole ones must be equal."""
    if one == other or not (NUMBER.fullmatch(one) and NUMBER.fullmatch(other)):
        return one == other
    first, second = float(one), float(other)
    whole = (one + other).translate({ord("+"): "", ord("-"): ""}).isdigit()
    return not whole and abs(first - second) <= tolerance * max(1.0, abs(first), abs(second))


def texts_differ(old: str, new: str, tolerance: float) -> str:
    """Where two texts differ by more than their numbers may; empty where they do not."""
    both = NUMBER.split(old), NUMBER.split(new)
    for k, (one, other) in enumerate(zip_longest(*both, fillvalue="")):
        if not near(one, other, tolerance):
            shown = ["".join(pieces[max(0, k - 4) : k + 5]) for pieces in both]
            at = next((i for i, (a, b) in enumerate(zip(*shown, strict=False)) if a != b), 0)
            return " became ".join(repr(text[max(0, at - 40) : at + 40]) for text in shown)
    return ""


def pictures_differ(old: bytes, new: bytes) -> str:
    """Where two pictures, moving ones included, differ; empty where all pixels and times are equal."""
    frames = []
    for picture in (Image.open(io.BytesIO(data)) for data in (old, new)):
        every = [frame.convert("RGBA") for frame in ImageSequence.Iterator(picture)]
        frames.append([(frame.size, frame.info.get("duration"), frame.tobytes()) for frame in every])
    pairs = enumerate(zip_longest(*frames))
    return next((f"frame {number} of the picture differs" for number, (a, b) in pairs if a != b), "")


def arrays_differ(old: bytes, new: bytes, tolerance: float) -> str:
    """Where two .npz differ. Arrays of objects are compared as bytes: they are never unpickled."""
    one, other = (zipfile.ZipFile(io.BytesIO(data)) for data in (old, new))
    if one.namelist() != other.namelist():
        return f"arrays {one.namelist()} became {other.namelist()}"
    for name in one.namelist():
        pieces = one.read(name), other.read(name)
        try:
            loaded = [np.load(io.BytesIO(data)) for data in pieces] if pieces[0] != pieces[1] else (0, 0)
            np.testing.assert_allclose(*loaded, tolerance, tolerance)
        except (AssertionError, ValueError) as error:
            return f"array {name} differs: {' '.join(str(error).split())[:200]}"
    return ""


def data_differ(old: bytes, new: bytes, options: argparse.Namespace) -> str:
    """Where two files differ; empty where they are the same within the tolerance."""
    if old[:4] == new[:4] and old[:4] in (b"\x89PNG", b"GIF8", b"RIFF"):
        return pictures_differ(old, new)
    if old[:4] == new[:4] == b"PK\x03\x04":
        return arrays_differ(old, new, options.tolerance)
    try:
        texts = [plain(data.decode(), options.ignore) for data in (old, new)]
    except UnicodeDecodeError:
        return f"bytes differ ({len(old)} and {len(new)} of them)"
    return texts_differ(*texts, options.tolerance)


def case_differs(old: Path, new: Path, options: argparse.Namespace) -> tuple[str, list[str]]:
    """The verdict on a case, and what differs in each of its files."""
    files = [{path.relative_to(top) for path in top.rglob("*") if path.is_file()} for top in (old, new)]
    if not all(files):
        return "MISSING", [f"not in {(new if files[0] else old).parent}"]
    found = [f"{file}: {'gone' if file in files[0] else 'new'}" for file in sorted(files[0] ^ files[1])]
    verdict = "identical"
    for file in sorted(files[0] & files[1]):
        before, after = (old / file).read_bytes(), (new / file).read_bytes()
        if before != after:
            verdict = "same"
            words = data_differ(before, after, options)
            found += [f"{file}: {words}"] if words else []
    return "DIFFERENT" if found else verdict, found


def compare(options: argparse.Namespace) -> int:
    """Say how two folders of outputs differ; each case shows some of the differences."""
    names = options.only or {path.name for top in (options.old, options.new) for path in top.iterdir()}
    verdicts = []
    for name in sorted({*names, "inputs"}):
        verdict, found = case_differs(options.old / name, options.new / name, options)
        verdicts.append(verdict)
        more = [f"and {len(found) - options.show} more"] if len(found) > options.show else []
        if verdict != "identical":
            print(f"{name:26}{verdict}", *found[: options.show], *more, sep="\n    ")
    kinds = ("identical", "same", "DIFFERENT", "MISSING")
    print(", ".join(f"{verdicts.count(kind)} {kind}" for kind in kinds))
    return int("DIFFERENT" in verdicts or "MISSING" in verdicts)


def main() -> int:
    """Make the outputs, or compare them."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    making = commands.add_parser("make", help="run the cases")
    making.add_argument("out", type=Path)
    making.add_argument("--python", default=sys.executable, help="the Python that has sketchgen")
    making.add_argument("--jobs", type=int, default=2, help="cases at a time")
    comparing = commands.add_parser("compare", help="compare the outputs of two runs")
    comparing.add_argument("old", type=Path)
    comparing.add_argument("new", type=Path)
    comparing.add_argument("--tolerance", type=float, default=1e-6, help="of numbers, relative above 1")
    comparing.add_argument("--ignore", nargs="+", default=[], metavar="KEY", help="keys of JSON left out")
    comparing.add_argument("--show", type=int, default=3, help="differences that are shown of a case")
    for each in (making, comparing):
        each.add_argument("--only", nargs="+", metavar="NAME", help="only these cases")
    options = parser.parse_args()
    return make(options) if options.command == "make" else compare(options)


if __name__ == "__main__":
    sys.exit(main())
