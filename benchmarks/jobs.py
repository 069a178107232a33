"""Time jobs without the drawing: `python benchmarks/jobs.py OUT [JOBS] [COUNT...]`.

An engine that scribbles takes the model's place (tests/support/scribbles.py), so that what is left is handing
out, encoding, writing and the manifest. Prints drawings a second and the most memory that the writing process
took, each count in a process of its own, to a folder of SVGs and to one ndjson.
"""

from __future__ import annotations

import argparse
import resource
import subprocess
import sys
import time
from pathlib import Path

SUPPORT = Path(__file__).resolve().parents[1] / "tests" / "support"


def one(out: Path, jobs: int, count: int, form: str) -> None:
    """Run one job, and print its row."""
    sys.path.insert(0, str(SUPPORT))
    from scribbles import open_scribbles  # pyright: ignore[reportMissingImports]

    from sketchgen.formats.render_options import RenderOptions
    from sketchgen.jobs.executor import InProcess, Processes
    from sketchgen.jobs.output import open_output
    from sketchgen.jobs.run import Run
    from sketchgen.jobs.spec import Job, Sampling

    job = Job(Sampling(), "batch", ("cat",), count, 0, ("cat",), render_options=RenderOptions(form))
    target = open_output(out / f"{count}-{form}" if form == "svg" else out / f"{count}.ndjson", job)
    begun = time.perf_counter()
    Run(job, None, target, "none").go(Processes(jobs, open_scribbles) if jobs else InProcess(open_scribbles))
    seconds = time.perf_counter() - begun
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"{form}, {jobs} jobs, {count}: {count / seconds:.0f} drawings/s, {memory:.0f} MB", flush=True)


def main() -> None:
    """Run all, each in a process of its own."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("out")
    parser.add_argument("jobs", nargs="?", default="0")
    parser.add_argument("counts", nargs="*", default=["1000", "100000"])
    options = parser.parse_args()
    for form in ("svg", "ndjson"):
        for count in options.counts:
            words = ["one", options.out, options.jobs, count, form]
            subprocess.run([sys.executable, __file__, *words], check=True)


if __name__ == "__main__":
    if sys.argv[1:2] == ["one"]:
        one(Path(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4]), sys.argv[5])
    else:
        main()
