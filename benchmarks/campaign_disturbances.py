"""Disturbances of works that write: kills, a full disk, a closed folder, flipped bits, clocks.

A work is a command that leaves files. Each is done once undisturbed; whatever disturbs it later, its files
are the old or the new ones, the same command goes on, and in the end they are those of the undisturbed work.
"""

from __future__ import annotations

import contextlib
import csv
import ctypes
import json
import os
import random
import resource
import shutil
import signal
import subprocess
import sys
import time
import warnings
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import bucket
from campaign_inputs import flipped, open_door

from sketchgen.errors import SketchgenError
from sketchgen.formats.read_write import entries
from sketchgen.sketch.files import recover_folder

ROOT = Path(__file__).resolve().parents[1]

END_SECONDS, STUCK_SECONDS = 20.0, 600.0
"""Time of a processor, and time in all, in which the workers of a killed program must have ended."""

_SAVING = """
import sys, itertools
from pathlib import Path
from sketchgen.models.checkpoint import Checkpoint, read_checkpoint, save_checkpoint
class Saved:
    def __init__(self, found): self.config, self.weights = found.config, lambda: found.weights
out, *both = map(Path, sys.argv[1:])
both = [Saved(read_checkpoint(each)) for each in both]
for turn in range(40):
    save_checkpoint(out, both[turn % 2], {}, force=True)
"""

_JUMPING_CLOCK = """
import random, time
_time = time.time
time.time = lambda: _time() + random.choice((-86400.0, 0.0, 3.2e7))
time.time_ns = lambda: int(time.time() * 1e9)
"""


@dataclass(frozen=True)
class Work:
    """A command that leaves files.

    Attributes:
        name: for the table.
        command: what follows `python`; OUT stands for the place.
        out: name of the file or folder.
        kills: how often it is killed.
        go_on: what is added where an earlier try has left `marker`.
        marker: a file below the place's folder.
        old: a folder whose files the place holds before, which must stay until the new ones are whole.
        content: what must be the same at the end, read from the place.
        check: called with the place and the undisturbed content after a kill; raises what is wrong.
    """

    name: str
    command: tuple[str, ...]
    out: str
    kills: int
    content: Callable[[Path], Any]
    check: Callable[[Path, Any], None]
    go_on: str = ""
    marker: str = ""
    old: Path | None = None

    def fresh(self, folder: Path) -> Path:
        """Make the folder of the work anew, and return the place in it."""
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        return self.placed(folder)

    def placed(self, folder: Path) -> Path:
        """Return the place in an empty folder, with the old files in it."""
        if self.old is not None:
            shutil.copytree(self.old, folder / self.out)
        return folder / self.out


@dataclass
class Row:
    """What came of disturbing a work."""

    disturbance: str
    work: str
    times: int = 0
    outcomes: Counter[str] = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)


def files_of(place: Path) -> dict[str, bytes]:
    """Return the files of a folder, or a file and what stands beside it, but no temporary ones."""
    paths = place.rglob("*") if place.is_dir() else place.parent.glob(f"{place.name}*")
    return {
        path.name: path.read_bytes() for path in paths if path.is_file() and not path.name.startswith(".")
    }


# --- The works -------------------------------------------------------------------------------------------


def _trained(out: Path) -> Any:
    """Return the losses and the weights of a run."""
    from safetensors.numpy import load_file

    with (out / "log.csv").open(encoding="utf-8") as stream:
        losses = [(row["step"], row["loss"]) for row in csv.DictReader(stream) if row["loss"]]
    return losses, {name: value.tobytes() for name, value in load_file(out / "state.safetensors").items()}


def _check_run(out: Path, _: Any) -> None:
    from sketchgen.models.checkpoint import read_checkpoint
    from sketchgen.training.state import load_state

    if (out / "state.safetensors").exists():
        load_state(out / "state.safetensors")
    for folder in (out / "best", out / "last"):
        recover_folder(folder)
        if folder.exists():
            read_checkpoint(folder)


def _check_replaced(*olds: Path) -> Callable[[Path, Any], None]:
    """Return a check that a folder holds the files of one of others, or the new ones."""

    def check(out: Path, new: Any) -> None:
        recover_folder(out)
        if (found := files_of(out)) != new and found not in [files_of(old) for old in olds]:
            raise AssertionError("neither the old nor the new files")

    return check


def _check_job(out: Path, whole: dict[str, bytes]) -> None:
    """Check that every file is whole, except that lists of drawings may end earlier."""
    for name, data in files_of(out).items():
        end, listed = whole.get(name.removesuffix(".part"), b""), name.endswith((".jsonl", ".part"))
        if not (data == end or (listed and end.startswith(data))):
            raise AssertionError(f"{name} is not whole")


def _check_files(out: Path, whole: dict[str, bytes]) -> None:
    for name, data in files_of(out).items():
        if data != whole[name]:
            raise AssertionError(f"{name} is not whole")


def works(folder: Path, base: str) -> list[Work]:
    """Return all works; what they read is made in `folder`."""
    import untrained

    from sketchgen.data.prepare import prepare
    from sketchgen.models.checkpoint import save_checkpoint

    chance = random.Random(0)

    def source(name: str, count: int, padding: int = 0) -> str:
        """Write a file of drawings; those of over 16 MB are read by several processes."""
        path, more = folder / name, {"padding": "x" * padding}
        drawings = [[[list(chance.randbytes(20)), list(chance.randbytes(20))]] for _ in range(count)]
        lines = (
            {"word": "owl", "key_id": str(n), "drawing": each} | more for n, each in enumerate(drawings, 1)
        )
        path.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
        return str(path)

    few, other, many = (
        source("few.ndjson", 3000),
        source("other.ndjson", 300),
        source("many.ndjson", 3000, 6000),
    )
    old, store = folder / "old", folder / "store"
    prepare([Path(other)], old)
    prepare([Path(few)], store)
    one, two = str(folder / "checkpoint"), str(folder / "other")
    for seed, path in enumerate((one, two)):
        save_checkpoint(Path(path), untrained.network(untrained.shaped({}), seed), {})

    training = f"train {store} -o OUT --steps 150 --preset tiny --width 32 --encoder-width 16 --batch 16"
    training += " --threads 1 --save-every 0.2s --validate-every 1s --pictures 0"
    drawing = f"generate cat sun --checkpoint {one} -o OUT"
    fetching = f"download cat dog sun -o OUT --base {base}"
    state, lines, beside = "run/state.safetensors", "out/manifest.jsonl", "out.ndjson.manifest.jsonl"
    preparing, saving = _check_replaced(old), _check_replaced(Path(one), Path(two))

    def work(name: str, words: str, *settings: Any, old: Path | None = None) -> Work:
        return Work(name, ("-m", "sketchgen", *words.split()), *settings, old=old)

    by_two = f"prepare {many} -o OUT --force --jobs 2"
    return [
        work("training", training, "run", 10, _trained, _check_run, "--resume", state),
        work("preparing", f"prepare {few} -o OUT --force", "store", 7, files_of, preparing, old=old),
        work("preparing, 2 processes", by_two, "store", 6, files_of, preparing, old=old),
        work("batch job", f"{drawing} -n 60", "out", 8, files_of, _check_job, "--resume", lines),
        work(
            "batch job, 2 workers",
            f"{drawing} -n 1500 --jobs 2",
            "out.ndjson",
            8,
            files_of,
            _check_job,
            "--resume",
            beside,
        ),
        Work("saving", ("-c", _SAVING, "OUT", one, two), "saved", 7, files_of, saving),
        work("download", fetching, "files", 6, files_of, _check_files),
    ]


@contextlib.contextmanager
def slow_server() -> Iterator[str]:
    """Serve three files slowly, and yield the base of their addresses."""
    quick = bucket._Handler._write

    def slow(handler: Any, data: bytes, chunked: bool) -> None:
        for at in range(0, len(data), 50_000):
            time.sleep(0.01)
            quick(handler, data[at : at + 50_000], chunked)

    bucket._Handler._write = slow  # pyright: ignore[reportAttributeAccessIssue]
    server = bucket.Bucket()
    for name in ("cat", "dog", "sun"):
        server.put(f"full/simplified/{name}.ndjson", b'{"word": "' + name.encode() * 1_000_000 + b'"}\n')
    try:
        yield server.base
    finally:
        server.close()


# --- Running them ----------------------------------------------------------------------------------------


def _start(
    work: Work, folder: Path, before: Callable[[], None] | None = None, path: str = ""
) -> subprocess.Popen[str]:
    """Begin a work, or go on with it."""
    going_on = [work.go_on] if work.go_on and (folder / work.marker).exists() else []
    command = [str(folder / work.out) if word == "OUT" else word for word in (*work.command, *going_on)]
    places = [path, str(ROOT), os.environ.get("PYTHONPATH", "")]
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, places)), "OMP_NUM_THREADS": "1"}
    how: dict[str, Any] = {"stdout": subprocess.DEVNULL, "stderr": subprocess.PIPE, "text": True}
    return subprocess.Popen(
        [sys.executable, *command], env=env, start_new_session=True, preexec_fn=before, **how
    )


def _do(work: Work, folder: Path, **how: Any) -> tuple[int, str]:
    """Do a work, and return its status and what it said."""
    running = _start(work, folder, **how)
    _, said = running.communicate(timeout=600)
    return running.returncode, said


def _state(folder: Path) -> set[tuple[str, int, int]]:
    """Return names, sizes and times of the files in a folder, in which another program works."""
    found = set[tuple[str, int, int]]()
    for place, _, names in os.walk(folder):
        for name in names:
            with contextlib.suppress(OSError):
                about = os.stat(os.path.join(place, name))
                found.add((name, about.st_size, about.st_mtime_ns))
    return found


def _session(leader: int) -> dict[int, float]:
    """Return the processes of a session that are not zombies, and the seconds that each has computed."""
    found = dict[int, float]()
    for path in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            fields = path.read_text(encoding="utf-8").rpartition(")")[2].split()
            if int(fields[3]) == leader and fields[0] != "Z":
                found[int(path.parent.name)] = (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    return found


def _all_ended(leader: int) -> bool:
    """Return whether a killed program's processes end by themselves; those that do not are ended."""
    end, before = time.monotonic() + STUCK_SECONDS, _session(leader)
    # On a busy machine a worker that is just starting takes long to notice.
    while (left := _session(leader)) and time.monotonic() < end:
        if any(seconds - before.get(process, 0.0) > END_SECONDS for process, seconds in left.items()):
            break
        time.sleep(0.05)
    for process in left:
        with contextlib.suppress(OSError):
            os.kill(process, signal.SIGKILL)
    return not left


def _until_it_writes(running: subprocess.Popen[str], folder: Path) -> float:
    """Wait until a program changes its folder or ends; returns the seconds that took."""
    began, before = time.monotonic(), _state(folder)
    while running.poll() is None and _state(folder) == before:
        time.sleep(0.005)
    return time.monotonic() - began


def kill(work: Work, folder: Path, kills: int, chance: random.Random) -> Row:
    """Kill a work so many times at random moments, and go on each time."""
    row, place = Row("SIGKILL", work.name), work.fresh(folder)
    running = _start(work, folder)
    before, began = _until_it_writes(running, folder), time.monotonic()
    _, said = running.communicate()
    if running.returncode:
        row.faults.append(f"undisturbed: {said[-200:]}")
        return row
    lasts, whole = time.monotonic() - began, work.content(place)
    work.fresh(folder)
    while row.times < kills:
        running = _start(work, folder)
        if chance.random() < 0.15:
            time.sleep(chance.uniform(0, before))
        else:
            _until_it_writes(running, folder)
            time.sleep(chance.uniform(0, lasts))
        running.kill()
        if running.wait() == -signal.SIGKILL:
            row.times += 1
            row.faults += _wrong_after_kill(work, place, whole, running.pid)
        else:
            row.outcomes["had ended"] += 1
            _finish(row, work, folder, whole, running)
            work.fresh(folder)
    _finish(row, work, folder, whole, _start(work, folder))
    return row


def _wrong_after_kill(work: Work, place: Path, whole: Any, leader: int) -> Iterator[str]:
    """Yield what is wrong after the first process of a program was killed."""
    if not _all_ended(leader):
        yield f"its workers had not ended {END_SECONDS:g} s of a processor after a kill"
    try:
        work.check(place, whole)
    except (SketchgenError, AssertionError, OSError) as error:
        yield f"after a kill: {error}"


def _finish(row: Row, work: Work, folder: Path, whole: Any, running: subprocess.Popen[str]) -> None:
    """Let a program end, and compare what it leaves with what it leaves undisturbed."""
    _, said = running.communicate()
    if running.returncode:
        row.faults.append(f"could not go on: {said[-200:]}")
    else:
        _compare(row, work, folder / work.out, whole)
    if left := [path.name for path in folder.rglob(".*")]:
        row.faults.append(f"left behind: {', '.join(left[:3])}")


def _compare(row: Row, work: Work, place: Path, whole: Any) -> None:
    same = work.content(place) == whole
    row.outcomes["same at the end"] += same
    if not same:
        row.faults.append("not the same at the end")


def _told(row: Row, status: int, said: str, *words: str) -> None:
    """Check that a command failed in one line that says why."""
    lines = [line for line in said.splitlines() if line.startswith("sketchgen: error: ")]
    if status == 1 and len(lines) == 1 and any(word in lines[0] for word in words):
        row.outcomes["told in one line"] += 1
    else:
        row.faults.append(f"status {status}: {said[-200:]!r}")


def fill_disk(work: Work, folder: Path) -> Row:
    """Do a work on a disk that is too small for it, then on one that is large enough."""
    row, place = Row("full disk", work.name, 1), work.fresh(folder)
    before = _size(folder)
    _do(work, folder)
    whole, size = work.content(place), (before + _size(folder)) // 2
    shutil.rmtree(folder)
    folder.mkdir()
    how: dict[str, Any] = {}
    mount = ["mount", "-t", "tmpfs", "-o", f"size={size + 8192}", "tmpfs", str(folder)]
    mounted = subprocess.run(mount, capture_output=True).returncode == 0
    if not mounted:
        row.outcomes["by a limit of a file's size"] += 1
        how["before"] = lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (4096, resource.RLIM_INFINITY))
    try:
        work.placed(folder)
        _told(row, *_do(work, folder, **how), "no space left", "too large", "cannot be written")
        work.check(place, whole)
        if mounted:
            subprocess.run(["mount", "-o", "remount,size=512m", str(folder)], check=True)
        _finish(row, work, folder, whole, _start(work, folder))
    except (SketchgenError, AssertionError, OSError) as error:
        row.faults.append(f"{type(error).__name__}: {error}")
    finally:
        if mounted:
            subprocess.run(["umount", "-l", str(folder)], check=True)
    return row


def _size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def _obey_modes() -> None:
    """Let root obey the modes of files, as anybody else: without the capability to override them."""
    ctypes.CDLL(None).prctl(24, 1, 0, 0, 0)


def forbid(work: Work, folder: Path) -> Row:
    """Do a work in a folder that cannot be written."""
    row = Row("read-only folder", work.name, 1)
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(mode=0o555)
    try:
        _told(row, *_do(work, folder, before=_obey_modes), "ermission denied", "not writable", "cannot be")
        if list(folder.iterdir()):
            row.faults.append("something was written")
    finally:
        folder.chmod(0o755)
    return row


def move_clock(work: Work, folder: Path) -> Row:
    """Do a work while the clock of the day jumps by a day back and a year ahead."""
    row, found, clock = Row("clock jumps", work.name, 1), [], folder.parent / "clock"
    clock.mkdir(exist_ok=True)
    (clock / "sitecustomize.py").write_text(_JUMPING_CLOCK, encoding="utf-8")
    for path in ("", str(clock)):
        place = work.fresh(folder)
        status, said = _do(work, folder, path=path)
        if status:
            row.faults.append(said[-200:])
            return row
        found.append(work.content(place))
    row.outcomes["same at the end"] += found[0] == found[1]
    row.faults += [] if found[0] == found[1] else ["not the same at the end"]
    return row


def lose_ray_worker(work: Work, folder: Path) -> Row:
    """Kill a worker of Ray in the middle of a job, and compare with the same job by two processes."""
    row, place = Row("lost worker in Ray", work.name), work.fresh(folder)
    try:
        import ray  # noqa: F401  # pyright: ignore[reportUnusedImport]
    except ImportError:
        row.outcomes["Ray is not installed"] += 1
        return row
    _do(work, folder)
    whole = work.content(place)
    work.fresh(folder)
    words = tuple(word for word in work.command if word not in ("--jobs", "2"))
    cluster = Work(work.name, (*words, "--ray", "local"), work.out, 1, work.content, work.check)
    running = _start(cluster, folder)
    end = time.monotonic() + 120
    while running.poll() is None and not row.times and time.monotonic() < end:
        for process in _below(running.pid):
            if process[1].startswith("ray::") and "IDLE" not in process[1]:
                time.sleep(0.3)
                os.kill(process[0], signal.SIGKILL)
                row.times += 1
                break
        time.sleep(0.02)
    _, said = running.communicate()
    if running.returncode or not row.times:
        row.faults.append(f"status {running.returncode}, {row.times} killed: {said[-200:]}")
    else:
        _compare(row, work, place, whole)
    return row


def _below(parent: int) -> list[tuple[int, str]]:
    """Return number and name of the processes that a process has started, and those that they have."""
    found: dict[int, tuple[int, str]] = {}
    for path in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            above = int((path / "stat").read_text(encoding="utf-8").rpartition(")")[2].split()[1])
            words = (path / "cmdline").read_bytes().replace(b"\0", b" ").decode("utf-8", "replace")
            found[int(path.name)] = above, words
    below, more = set[int](), {parent}
    while more:
        more = {number for number, (above, _) in found.items() if above in more} - below
        below |= more
    return [(number, found[number][1]) for number in sorted(below)]


# --- Flipped bits ----------------------------------------------------------------------------------------


def flip_bits(folder: Path, flips: int, chance: random.Random) -> list[Row]:
    """Flip a bit in each kind of file, so many times; what has a checksum must be refused by its name."""
    import sketchgen
    from sketchgen.data.store import SPLITS, Store
    from sketchgen.jobs.redraw import find_drawing
    from sketchgen.training.state import load_state

    def read_store(path: Path) -> None:
        store = Store.open(path.parent)
        for split in SPLITS:
            store.split(split).drawings()

    def read_all(path: Path) -> None:
        for each in entries(path):
            if isinstance(each, SketchgenError):
                raise each

    rows, one, store = list[Row](), folder / "checkpoint", folder / "store"
    summed: list[tuple[Path, Callable[[Path], Any]]] = [
        *(
            (path, lambda path: sketchgen.load(path.parent))
            for path in sorted(one.iterdir())
            if path.suffix != ".md"
        ),
        *((path, read_store) for path in sorted(store.iterdir())),
        *((path, load_state) for path in folder.glob("*/run/state.safetensors")),
    ]
    free: list[tuple[Path, Callable[[Path], Any]]] = [
        (path, lambda path: find_drawing(path, "1").job) for path in folder.glob("*/out/manifest.jsonl")
    ]
    for suffix in ("svg", "ndjson", "npz", "bin", "excalidraw", "json", "gz"):
        door, path = open_door(suffix, folder), folder / f"drawing.{suffix}"
        cases = iter(lambda door=door: door.make(chance), None)
        path.write_bytes(next(case for case in cases if _is_read(door, case)))
        free.append((path, read_all))
    for number, (path, load) in enumerate((*summed, *free)):
        name = path.name if path.parent == folder else f"{path.parent.name}/{path.name}"
        row, data = Row("a flipped bit", name, flips), path.read_bytes()
        for _ in range(flips):
            path.write_bytes(flipped(chance, data))
            outcome = _bit(path, load)
            if outcome.startswith("FAULT") or (outcome == "read" and number < len(summed)):
                row.faults.append(outcome)
            else:
                row.outcomes[outcome] += 1
        path.write_bytes(data)
        rows.append(row)
    return rows


def _is_read(door: Any, case: Any) -> bool:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        try:
            return door.enter(case) == "read"
        except (SketchgenError, Warning):
            return False


def _bit(path: Path, load: Callable[[Path], Any]) -> str:
    """Return what comes of reading a file with another bit."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            load(path)
    except SketchgenError as error:
        named = path.name in str(error) or path.parent.name in str(error)
        return "refused by name" if named else f"FAULT: {error}"
    except Exception as error:
        return f"FAULT: {type(error).__name__}: {error}"
    return "read"
