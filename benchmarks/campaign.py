"""Try hostile inputs at every door, and disturb every work that writes; print what came of it as tables.

    python benchmarks/campaign.py                  # the whole campaign: an hour of two idle cores
    python benchmarks/campaign.py --short          # a few of everything; the tests run it
    python benchmarks/campaign.py svg npz kills    # some of its parts

An input is a valid one that was mutated. It is deep if it gets past the first check of its reader: it is XML,
or JSON of the right kind, an archive with its parts, a folder that names its format, arguments that are
options. It is read, read with a warning, or refused by an error of one line. All else is a fault: another
exception, a message of several lines, over 1 s of the processor, or over 200 MB beside the program. Faulty
inputs are kept in --out.

Works are killed at random moments, and meet a full disk, a folder that cannot be written, jumps of the clock,
flipped bits, and a lost worker; see `campaign_disturbances`. Exit status 1 says that there was a fault.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import pickle
import random
import resource
import signal
import subprocess
import sys
import tempfile
import time
import traceback
import warnings
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "tests" / "support")]

DOORS = (
    "svg",
    "request",
    "excalidraw",
    "gz",
    "npz",
    "manifest",
    "checkpoint",
    "store",
    "json",
    "ndjson",
    "bin",
)
DOORS += ("arguments",)
"""The doors of `campaign_inputs`; that of the command line changes its process, and is the last."""

GUIDED = ("ndjson", "npz", "bin", "excalidraw", "json")
"""The doors that are tried under coverage guidance, too, where atheris is installed."""

PARTS = (*DOORS, "guided", "kills", "disturbances")

OUTCOMES = "read", "warning", "refused", "FAULT"

MAX_SECONDS, MAX_BYTES, HANG_SECONDS = 1.0, 200 * 2**20, 20.0
"""Limits of an input: seconds of the processor, memory over the base, seconds after which it is ended."""

MAX_KEPT = 50
"""Faulty inputs that are kept of a door."""


@dataclass
class Tally:
    """What came of the inputs of a door."""

    door: str
    inputs: int = 0
    deep: int = 0
    outcomes: Mapping[str, int] = field(default_factory=Counter[str])
    faults: dict[str, int] = field(default_factory=dict)
    slowest: float = 0.0
    grown: int = 0


class _Hang(BaseException):
    """An input took too long; no `except Exception` may hide it."""


class Memory:
    """The growth of this process; Linux can begin its largest size anew."""

    def __init__(self) -> None:
        self._begin()

    def _begin(self) -> None:
        with contextlib.suppress(OSError):
            Path("/proc/self/clear_refs").write_text("5", encoding="utf-8")
        self.base = self._most()

    def _most(self) -> int:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024

    def grown(self) -> int:
        """Return by how many bytes the process has grown at most since it began anew."""
        growth = max(0, self._most() - self.base)
        if growth > MAX_BYTES // 10:
            self._begin()
        return growth


class Trial:
    """Inputs that enter a door; they are counted, and a faulty one of each kind is kept in `out`."""

    def __init__(self, doors: ModuleType, name: str, folder: Path, out: Path) -> None:
        self.door, self.tally = doors.open_door(name, folder), Tally(name)
        self._fault, self._out, self._memory = doors.Fault, out, Memory()
        self._outcomes = Counter[str]()
        self.tally.outcomes = self._outcomes
        signal.signal(signal.SIGALRM, self._hang)

    @staticmethod
    def _hang(*_: Any) -> None:
        raise _Hang("too long")

    def enter(self, case: Any) -> None:
        """Try an input, and count it."""
        tally, began = self.tally, time.process_time()
        try:
            outcome = self._outcome(case)
            seconds, grown = time.process_time() - began, self._memory.grown()
            if seconds > MAX_SECONDS or grown > MAX_BYTES:
                raise self._fault(f"over {MAX_BYTES >> 20} MB" if grown > MAX_BYTES else "over 1 s")
            tally.slowest, tally.grown = max(tally.slowest, seconds), max(tally.grown, grown)
        except self._fault as fault:
            outcome, words = "FAULT", str(fault)
            if words not in tally.faults and len(tally.faults) < MAX_KEPT:
                path = self._out / f"{tally.door}-{len(tally.faults)}.pickle"
                path.write_bytes(pickle.dumps((words, case)))
            tally.faults[words] = tally.faults.get(words, 0) + 1
        tally.inputs += 1
        tally.deep += self.door.is_deep(case)
        self._outcomes[outcome] += 1

    def _outcome(self, case: Any) -> str:
        """Return the outcome of an input, or raise a fault."""
        from sketchgen.errors import SketchgenError

        signal.setitimer(signal.ITIMER_REAL, HANG_SECONDS)
        try:
            with warnings.catch_warnings(record=True) as told:
                warnings.simplefilter("always")
                outcome = self.door.enter(case)
        except SketchgenError as error:
            if len(str(error).splitlines()) != 1:
                raise self._fault(f"a message of several lines: {str(error)[:80]!r}") from error
            return "refused"
        except self._fault:
            raise
        except (Exception, _Hang) as error:
            frames = [
                each for each in traceback.extract_tb(error.__traceback__) if "sketchgen" in each.filename
            ]
            place = f"{Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else "?"
            raise self._fault(f"{type(error).__name__} at {place}: {str(error)[:100]!r}") from error
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
        for each in told:
            # Those of sketchgen are for the user; any other tells of something that was not thought of.
            if not issubclass(each.category, (UserWarning, DeprecationWarning)):
                raise self._fault(f"{each.category.__name__} at {Path(each.filename).name}:{each.lineno}")
        return "warning" if told and outcome == "read" else outcome


# --- In a process of its own ------------------------------------------------------------------------------


def try_door(name: str, folder: Path, options: argparse.Namespace) -> Tally:
    """Try mutated inputs until so many were deep."""
    import campaign_inputs

    trial, chance = Trial(campaign_inputs, name, folder, options.out), random.Random(f"{name} {options.seed}")
    while trial.tally.deep < options.deep and trial.tally.inputs < 4 * options.deep + 1000:
        trial.enter(trial.door.make(chance))
    return trial.tally


def guide(name: str, folder: Path, options: argparse.Namespace) -> None:
    """Try inputs that atheris makes of mutated ones, guided by what they cover; it ends the process."""
    import atheris

    with atheris.instrument_imports(include=["sketchgen.formats"]):
        import campaign_inputs
    trial, chance, corpus = (
        Trial(campaign_inputs, name, folder, options.out),
        random.Random(0),
        folder / "corpus",
    )
    trial.tally.door = f"{name}, guided"
    corpus.mkdir()
    for number in range(200):
        (corpus / str(number)).write_bytes(trial.door.make(chance))

    def one(data: bytes) -> None:
        trial.enter(data)
        if trial.tally.inputs == options.deep:
            print(json.dumps(vars(trial.tally)), flush=True)

    atheris.Setup(
        [sys.argv[0], f"-runs={2 * options.deep}", "-max_len=20000", "-verbosity=0", str(corpus)], one
    )
    atheris.Fuzz()


def apart(flag: str, names: Sequence[str], options: argparse.Namespace) -> list[Tally]:
    """Try doors in a process of their own, which may even crash."""
    command = [sys.executable, __file__, "--deep", str(options.deep), "--seed", str(options.seed)]
    command += ["--out", str(options.out), flag, *names]
    done = subprocess.run(command, capture_output=True, text=True)
    found = [Tally(**json.loads(line)) for line in done.stdout.splitlines() if line.startswith("{")]
    words = f"ended with {done.returncode}: {done.stderr[-300:]}"
    return found + [Tally(name, outcomes={"FAULT": 1}, faults={words: 1}) for name in names[len(found) :]]


# --- The whole campaign -----------------------------------------------------------------------------------


def disturbed(parts: list[str], options: argparse.Namespace) -> Iterator[Any]:
    """Yield what came of every disturbance of every work, as rows of `campaign_disturbances`."""
    if not {"kills", "disturbances"} & set(parts):
        return
    import campaign_disturbances as them

    chance = random.Random(options.seed)
    with tempfile.TemporaryDirectory() as folder, them.slow_server() as base:
        root = Path(folder)
        works = them.works(root, base)
        if "kills" in parts:
            for work in works[5:6] if options.short else works:
                yield them.kill(work, root / "kills", 1 if options.short else work.kills, chance)
        if "disturbances" in parts:
            if not options.short:
                for work in works[:-2] + works[-1:]:
                    yield them.move_clock(work, root / work.name)
                    yield them.fill_disk(work, root / "full")
                    yield them.forbid(work, root / "closed")
                yield them.lose_ray_worker(works[4], root / "ray")
            yield from them.flip_bits(root, 2 if options.short else 200, chance)


def door_table(tallies: list[Tally]) -> Iterator[str]:
    """Yield the lines of the table of doors."""
    yield "| door | inputs | deep | " + " | ".join(OUTCOMES) + " | longest, s | memory, MB |"
    yield "|---|" + "---:|" * (len(OUTCOMES) + 4)
    for each in tallies:
        counts = " | ".join(f"{each.outcomes.get(outcome, 0):,}" for outcome in OUTCOMES)
        deep = f"{each.deep:,} ({each.deep / max(1, each.inputs):.0%})"
        limits = f"{each.slowest:.2f} | {each.grown >> 20}"
        yield f"| {each.door} | {each.inputs:,} | {deep} | {counts} | {limits} |"


def disturbance_table(rows: list[Any]) -> Iterator[str]:
    """Yield the lines of the table of disturbances."""
    yield "| disturbance | work or file | times | outcome | FAULT |\n|---|---|---:|---|---:|"
    for row in rows:
        outcomes = ", ".join(f"{count} {what}" for what, count in row.outcomes.items() if count)
        yield f"| {row.disturbance} | {row.work} | {row.times} | {outcomes} | {len(row.faults)} |"


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("parts", nargs="*", help=f"some of {', '.join(PARTS)}; all by default")
    parser.add_argument("--short", action="store_true")
    parser.add_argument("--deep", type=int, default=100_000, help="deep inputs a door")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, default=Path("campaign"))
    parser.add_argument("--doors", nargs="+", choices=DOORS, help=argparse.SUPPRESS)
    parser.add_argument("--guided", choices=GUIDED, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if unknown := set(options.parts) - set(PARTS):
        parser.error(f"no part {', '.join(sorted(unknown))}; there are {', '.join(PARTS)}")
    if options.short:
        options.deep = min(options.deep, 25)
    options.out = options.out.resolve()
    options.out.mkdir(parents=True, exist_ok=True)
    return options


def main() -> int:
    """Run the parts that are asked for; returns the exit status."""
    options, began = _options(), time.monotonic()
    if options.doors or options.guided:
        memory = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
        with tempfile.TemporaryDirectory(dir=memory) as folder:
            if options.guided:
                guide(options.guided, Path(folder), options)
            for name in options.doors:
                (Path(folder) / name).mkdir()
                print(json.dumps(vars(try_door(name, Path(folder) / name, options))), flush=True)
        return 0
    parts = options.parts or [part for part in PARTS if part != "guided" or not options.short]
    if "guided" in parts and find_spec("atheris") is None:
        print("atheris is not installed: no door is tried under coverage guidance", file=sys.stderr)
        parts.remove("guided")
    with ThreadPoolExecutor(options.jobs) as pool:
        rows = pool.submit(lambda: list(disturbed(parts, options)))
        doors = [name for name in DOORS if name in parts]
        groups = [("--doors", doors)] if options.short and doors else [("--doors", [name]) for name in doors]
        groups += [("--guided", [name]) for name in GUIDED if "guided" in parts]
        tried = [pool.submit(apart, *group, options) for group in groups]
        tallies, found = [each for group in tried for each in group.result()], rows.result()
    tables = [door_table(tallies)] * bool(tallies) + [disturbance_table(found)] * bool(found)
    print("\n\n".join("\n".join(table) for table in tables))
    faults = [f"{each.door}: {words}" for each in tallies for words in each.faults]
    faults += [f"{row.disturbance}, {row.work}: {words}" for row in found for words in row.faults]
    for words in faults:
        print(f"FAULT at {words}", file=sys.stderr)
    count, minutes = sum(each.inputs for each in tallies), (time.monotonic() - began) / 60
    print(f"{count:,} inputs, {minutes:.0f} minutes, {len(faults)} kinds of faults", file=sys.stderr)
    return int(bool(faults))


if __name__ == "__main__":
    sys.exit(main())
