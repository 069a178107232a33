"""Plant small faults in a copy of the package, one at a time, and report which of them the tests see.

    python benchmarks/planted_faults.py
    python benchmarks/planted_faults.py --source ../earlier --only training

Each fault is a text that stands once in a module and what takes its place. A text that is not there any more
is reported as gone: give the fault today's text. The tests of a fault are those of its module unless others
are named.
"""

from __future__ import annotations

import argparse
import itertools
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

FAULTS = r"""
resources: test_names.py
- words |= {_folded(category): category for category in known}
+ words = {_folded(category): category for category in known} | words

limits: test_limits.py
- if number and low <= cast
+ if number and low - 1 <= cast

sketch/strokes
- values[ends] = Pen.LIFT
+ values[ends[:-1]] = Pen.LIFT

sketch/strokes
- cuts = np.flatnonzero(lifted) + 1
+ cuts = np.flatnonzero(lifted)

sketch/geometry
- return (points - (self.x, self.y)) / self.scale
+ return (points - (self.y, self.x)) / self.scale

sketch/geometry
- if gaps[worst] > epsilon:
+ if gaps[worst] > 2 * epsilon:

sketch/distance
- return float(near) / 2.0
+ return float(near)

sketch/distance
- runs[runs * spacing > length]
+ runs[runs * spacing > 2 * length]

sketch/sketch
- tuple((stroke + 0.0).tobytes()
+ tuple(stroke.tobytes()

sketch/files
- if filled and not force:
+ if filled and force:

formats/quickdraw
- "recognized", True) is not False)
+ "recognized", False) is not False)

formats/svg_css
- for level in (False, True):
+ for level in (True, False):

formats/svg_transform
- return outer @ np.vstack([inner, [0.0, 0.0, 1.0]])
+ return inner @ np.vstack([outer, [0.0, 0.0, 1.0]])

formats/svg_writer
- pad = longer * style.margin
+ pad = bounds.width * style.margin

formats/stroke_order
- stroke = strokes[at >> 1][::-1] if at & 1
+ stroke = strokes[at >> 1] if at & 1

formats/plotter
- scale = min(cell.width
+ scale = max(cell.width

models/mixture
- self.rho * zx * zy) / free
+ self.rho * zx * zy)

models/mixture
- torch.where(lifted, self.lift, -self.lift)
+ torch.where(lifted, -self.lift, self.lift)

models/numpy_mixture
- np.exp(chosen[3:5] + 0.5 * math.log(temperature))
+ np.exp(chosen[3:5] + math.log(temperature))

models/numpy_layers: models/test_numpy_stroke_model.py
- np.triu(np.full((steps, steps), _IMPOSSIBLE), 1)
+ np.triu(np.full((steps, steps), _IMPOSSIBLE), 2)

models/numpy_layers: models/test_numpy_stroke_model.py
- begun = (step >= start)[:, None]
+ begun = (step > start)[:, None]

models/layers: models/test_stroke_model.py
- torch.maximum(self.high, position)),
+ torch.minimum(self.high, position)),

models/scan
- enter.sigmoid(), out=states[step + 1])
+ enter.sigmoid() * 0.99, out=states[step + 1])

ranking/consensus
- if count < 3:
+ if count < 4:

ranking/diversity
- similarity - similarity[rows].max(0), 0.0) * odds
+ similarity, 0.0) * odds

ranking/geometry_prior
- < MEETS).mean()
+ > MEETS).mean()

ranking/ranker
- + CONSENSUS * mean_similarity(similarity)
+ - CONSENSUS * mean_similarity(similarity)

completion/sampler
- if at_least_one:
+ if not at_least_one:

completion/sampler
- key=np.array([seed, index], dtype=np.uint64)))
+ key=np.array([seed, 0 * index], dtype=np.uint64)))

completion/framing
- return Frame(bounds.longer / GIVEN_SIDE, *bounds.centre), False
+ return Frame(bounds.width / GIVEN_SIDE, *bounds.centre), False

completion/guidance
- self.strength * (nats[: len(pen)] - nats[len(pen) :])
+ self.strength * (nats[len(pen) :] - nats[: len(pen)])

completion/gap_closing
- if gap.min(initial=np.inf) <= self.reach
+ if gap.min(initial=np.inf) >= self.reach

completion/symmetry
- found[:, axis] = 2.0 * at - found[:, axis]
+ found[:, axis] = at - found[:, axis]

completion/partial_sketch: completion/test_completer.py
- return 0.5 + 0.5 * float(np.sign(probability - 0.5))
+ return 0.5 - 0.5 * float(np.sign(probability - 0.5))

data/batching
- (steps >= first_scored[:, None])
+ (steps > first_scored[:, None])

data/order
- np.arange(self.lane.number, count, self.lane.count)
+ np.arange(0, count, self.lane.count)

data/splitting
- later = strokes[chosen + 1 :]
+ later = strokes[chosen:]

data/selection
- np.searchsorted([90, 95]
+ np.searchsorted([80, 95]

data/shards: data/test_store.py
- if (found.key[1:] <= found.key[:-1]).any():
+ if (found.key[1:] < found.key[:-1]).any() and False:

evaluation/likelihood
- points[rows] -= batch.cut.cpu().numpy()
+ points[rows] -= 0

evaluation/statistics
- float(np.std(values, ddof=1) / np.sqrt(count))
+ float(np.std(values, ddof=1) / count)

evaluation/finishing
- _boxes(item.missing, frame) + _boxes(item.later, frame)
+ _boxes(item.missing, frame)

evaluation/distribution_metrics
- pairs = count * (count - 1)
+ pairs = count * count

evaluation/recognition
- (log_prob >= own).sum(1) - 1
+ (log_prob > own).sum(1) - 1

training/reinforce
- weights[one, other] -= math.comb(place
+ weights[one, other] += math.comb(place

training/rewards
- return value - UNENDED_PENALTY * (~ended).float()
+ return value - UNENDED_PENALTY * ended.float()

training/preference
- (beta * (preferred - rejected))
+ (beta * (rejected - preferred))

training/loop: training/test_trainer.py
- position.skipped + 1 if result.skipped else 0
+ position.skipped + 1 if result.skipped else position.skipped

training/loop: training/test_trainer.py
- (config.seed * 1_000_003 + position.step)
+ (config.seed * 1_000_003)

jobs/manifest: jobs/test_run.py
- end, number = end + len(line), number + 1
+ end, number = end + len(line) - 1, number + 1

jobs/near_duplicates
- self._numbers[nearest] if distance[nearest] <= self._max_distance
+ self._numbers[nearest] if distance[nearest] < self._max_distance

jobs/spec: jobs/test_run.py jobs/test_judged.py
- if group == start else 0, self.count)
+ if group == start else 1, self.count)

web/drawing
- max(0, self._queue.index(person) - self.capacity + 1)
+ max(0, self._queue.index(person) - self.capacity)

web/guess
- if await asked.is_disconnected():
+ if False:

web/exchange
- if flag is wanted)
+ if bool(flag) is not wanted)

web/request
- _whole("best_of", best_of, 1, MAX_BEST_OF)
+ _whole("best_of", best_of, 0, MAX_BEST_OF)

web/serve: web/test_server.py
- if seen > MAX_BODY:
+ if length > MAX_BODY:

cli/command: cli/test_recognise.py
- return int(self.count > 0)
+ return int(self.count > 1)

cli/command
- "" if count == 1 else "s"
+ "" if count <= 1 else "s"
"""


def table() -> list[tuple[str, list[str], str, str]]:
    """Return module, test files, old and new text of each fault."""
    found = []
    for block in FAULTS.strip().split("\n\n"):
        head, old, new = block.split("\n")
        module, _, tests = head.partition(": ")
        folder, _, name = module.rpartition("/")
        found.append((module, (tests or f"{folder}/test_{name}.py").split(), old[2:], new[2:]))
    return found


def _write(file: Path, text: str) -> None:
    """Write a module with a time of its own, so that no bytecode of another state is taken for its."""
    file.write_text(text, encoding="utf-8")
    os.utime(file, (next(_times),) * 2)


_times = itertools.count(1_000_000_000)


def outcome(root: Path, module: str, tests: list[str], old: str, new: str) -> str:
    """Plant a fault, run its tests, take it out again, and say which test saw it."""
    file, files = root / f"sketchgen/{module}.py", [root / "tests" / name for name in tests]
    missing = [str(each.relative_to(root)) for each in (file, *files) if not each.is_file()]
    if missing:
        return f"GONE: no {', '.join(missing)}"
    whole = file.read_text(encoding="utf-8")
    if whole.count(old) != 1:
        return f"GONE: the text stands there {whole.count(old)} times"
    # Without the check of types at run time, which sees some faults besides and takes long.
    command = [sys.executable, "-m", "pytest", "-x", "-q", "-n", "0", "-o", "addopts=--import-mode=importlib"]
    command += ["-k", "not shapes_are_checked"]
    env = os.environ | {"PYTHONPATH": str(root), "OMP_NUM_THREADS": "1", "CI": "1"}
    try:
        _write(file, whole.replace(old, new))
        done = subprocess.run([*command, *map(str, files)], cwd=root, env=env, capture_output=True, text=True)
    finally:
        _write(file, whole)
    if done.returncode == 0:
        return "NOT SEEN"
    seen = re.search(r"^(?:FAILED|ERROR) (\S+)", done.stdout, re.MULTILINE)
    return f"seen by {seen[1]}" if seen else f"NO RESULT (status {done.returncode}): {done.stdout[-300:]}"


def main() -> int:
    """Print a line for each fault, and the count; fail unless all are seen."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--source", type=Path, default=Path(__file__).parents[1], help="checkout to take")
    parser.add_argument("--only", default="", help="faults whose module begins with this")
    told = parser.parse_args()
    faults = [fault for fault in table() if fault[0].startswith(told.only)]
    seen = 0
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder, "copy")
        shutil.copytree(told.source, root, ignore=shutil.ignore_patterns(".*", "__pycache__"))
        for module, tests, old, new in faults:
            found = outcome(root, module, tests, old, new)
            seen += found.startswith("seen")
            print(f"{module}: {old!r} -> {new!r}: {found}", flush=True)
    print(f"{seen} of {len(faults)} faults seen")
    return int(seen < len(faults))


if __name__ == "__main__":
    sys.exit(main())
