"""Speed of the engine in Chromium: to the first point, and points a second, in time of the processor.

    python benchmarks/engine.py tiny quickdraw345

Four alternatives of half a cat, under the default guidance, in a page that has loaded the model. What other
programs take of the processor doesn't count.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlparse

from playwright.sync_api import sync_playwright

from sketchgen import example
from sketchgen.completion.portable import write_web_model
from sketchgen.formats.read_write import read
from sketchgen.resources import bundled

RUN = """async ([strokes, seed, limit]) => {
    let points = 0;
    const settings = { category: "cat", count: 4, seed, temperature: 0.4, limit };
    for await (const { alts, anew = [] } of model.complete(strokes, settings)) {
        if (!anew.length) points += alts.reduce((sum, each) => sum + each.length, 0);
    }
    return points;
}"""

LOAD = "async () => { window.model = await (await import('./engine/engine.js')).load('./model/'); }"

REPEATS = 4


def measured(page: Any, strokes: list[Any]) -> tuple[float, float]:
    """Return milliseconds to the first points, and points a second after them, of the best run."""
    session = page.context.new_cdp_session(page)
    session.send("Performance.enable", {"timeDomain": "threadTicks"})

    def seconds() -> float:
        metrics = session.send("Performance.getMetrics")["metrics"]
        return next(each["value"] for each in metrics if each["name"] == "TaskDuration")

    firsts, rates = [], []
    for seed in range(REPEATS):
        begun = seconds()
        few = page.evaluate(RUN, [strokes, seed, 1])
        between = seconds()
        many = page.evaluate(RUN, [strokes, seed, 60])
        firsts.append(1000 * (between - begun))
        rates.append((many - few) / (seconds() - 2 * between + begun))
    return min(firsts), max(rates)


def serving(folders: dict[str, Path]) -> Callable[[Any], None]:
    """Return what answers requests from some folders."""

    def answer(route: Any) -> None:
        part, _, rest = urlparse(route.request.url).path.lstrip("/").partition("/")
        if part in folders:
            route.fulfill(path=folders[part] / rest)
        else:
            route.fulfill(body="<!doctype html>", content_type="text/html")

    return answer


def main() -> None:
    """Print a line for each checkpoint."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("checkpoints", nargs="*", default=["tiny"])
    sketch = read(example("half-a-cat"))
    strokes = [stroke.tolist() for stroke in sketch.strokes]
    with sync_playwright() as started, tempfile.TemporaryDirectory() as folder:
        browser = started.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
        for name in parser.parse_args().checkpoints:
            model = Path(folder) / name
            write_web_model(name, model)
            page = browser.new_page()
            page.set_default_timeout(300_000)

            page.route("**/*", serving({"engine": bundled("web", "engine"), "model": model}))
            page.goto("http://localhost:9/")
            page.evaluate(LOAD)
            first, rate = measured(page, strokes)
            print(f"{name:14} first points {first:5.0f} ms, {rate:5.0f} points/s", flush=True)
        browser.close()


if __name__ == "__main__":
    main()
