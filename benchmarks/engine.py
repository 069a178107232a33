"""Size and speed of the engine, in Node and in Chromium, and of the page around it.

    python benchmarks/engine.py tiny quickdraw345:int8

A model that is loaded gets half a cat, and draws four alternatives under its default guidance: time to the
first points, and points a second after them, in time of the processor, so that other programs do not count;
the best of some runs. Of the page: wall time from the question to the first points and to the four
suggestions (chosen of eight candidates, the category guessed), which only an idle machine can tell.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlparse

from playwright.sync_api import sync_playwright

from sketchgen import example
from sketchgen.formats.read_write import read
from sketchgen.web.static import export_page

REPEATS = 4

RUN = """async (model, strokes, seed, limit) => {
    let points = 0;
    const settings = { category: "cat", count: 4, seed, temperature: 0.4, limit };
    for await (const { alts, anew = [] } of model.complete(strokes, settings)) {
        if (!anew.length) points += alts.reduce((sum, each) => sum + each.length, 0);
    }
    return points;
}"""

NODE = """
    const { load } = await import(process.argv[1]), run = RUN;
    const model = await load(process.argv[2]), strokes = JSON.parse(process.argv[3]), rows = [];
    const seconds = () => (process.cpuUsage().user + process.cpuUsage().system) / 1e6;
    for (let seed = 0; seed < REPEATS; seed++) {
        const begun = seconds(), few = await run(model, strokes, seed, 1), between = seconds();
        rows.push([begun, between, few, await run(model, strokes, seed, 60), seconds()]);
    }
    console.log(JSON.stringify(rows));
"""

PAGE = """async ([strokes, seed]) => {
    const begun = performance.now(), drawing = { strokes, width: 640, height: 480 };
    let first = 0;
    await new Promise((go) => Sketchgen.local.draw(
        { drawing, category: "auto", count: 4, best_of: 2, seed, temperature: 0.4 },
        ({ alts, done }) => {
            if (alts.some((points) => points.length)) first ||= performance.now();
            if (done) go();
        },
    ));
    return [first - begun, performance.now() - begun];
}"""

Row = tuple[float, float, float, float, float]
"""Seconds before a run to the first points and after it, points of it and of a longer run, seconds then."""


def in_node(folder: Path, strokes: list[Any]) -> list[Row]:
    """Return the runs in Node."""
    node = shutil.which("node") or "node"
    script = NODE.replace("RUN", RUN).replace("REPEATS", str(REPEATS))
    addresses = (folder / "engine" / "engine.js").as_uri(), (folder / "model").as_uri()
    command = [node, "--input-type=module", "-e", script, *addresses, json.dumps(strokes)]
    return json.loads(subprocess.run(command, capture_output=True, check=True, text=True).stdout)


def in_chromium(page: Any, strokes: list[Any]) -> list[Row]:
    """Return the runs in a page that has loaded the model as `window.model`."""
    session = page.context.new_cdp_session(page)
    session.send("Performance.enable", {"timeDomain": "threadTicks"})

    def seconds() -> float:
        metrics = session.send("Performance.getMetrics")["metrics"]
        return next(each["value"] for each in metrics if each["name"] == "TaskDuration")

    def run(seed: int, limit: int) -> float:
        return page.evaluate(
            f"([strokes, seed, limit]) => ({RUN})(model, strokes, seed, limit)", [strokes, seed, limit]
        )

    rows = []
    for seed in range(REPEATS):
        begun, few, between, many = seconds(), run(seed, 1), seconds(), run(seed, 60)
        rows.append((begun, between, few, many, seconds()))
    return rows


def told(rows: list[Row]) -> str:
    """Return milliseconds to the first points, and points a second after them, of the best run."""
    first = min(between - begun for begun, between, *_ in rows)
    rate = max((many - few) / (end - 2 * between + begun) for begun, between, few, many, end in rows)
    return f"{1000 * first:5.0f} | {rate:5.0f}"


def answering(folder: Path) -> Callable[[Any], None]:
    """Return what answers requests from a folder; a page of no file is an empty one."""

    def answer(route: Any) -> None:
        path = folder / unquote(urlparse(route.request.url).path).lstrip("/")
        if path.is_file():
            route.fulfill(path=path)
        else:
            route.fulfill(body="<!doctype html>", content_type="text/html")

    return answer


def line(browser: Any, name: str, folder: Path, strokes: list[Any]) -> str:
    """Export a model, and return a line of the table."""
    checkpoint, _, precision = name.partition(":")
    size = export_page(checkpoint, folder, precision=precision or "float16")
    node = told(in_node(folder, strokes))
    context = browser.new_context(service_workers="block")
    context.set_default_timeout(300_000)
    context.route("**/*", answering(folder))
    page = context.new_page()
    page.goto("http://localhost:9/none")
    page.evaluate("async () => { window.model = await (await import('/engine/engine.js')).load('/model/'); }")
    chromium = told(in_chromium(page, strokes))
    page.goto("http://localhost:9/index.html")
    waits = [page.evaluate(PAGE, [strokes, seed]) for seed in range(REPEATS)]
    context.close()
    first, all_of_it = (min(wait[n] for wait in waits[1:]) for n in (0, 1))
    return f"| {name} | {size / 1e6:.1f} | {node} | {chromium} | {first:5.0f} | {all_of_it:5.0f} |"


def main() -> None:
    """Print the table, a line for each model."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "models", nargs="*", default=["tiny", "quickdraw345:int8"], help="CHECKPOINT[:PRECISION]"
    )
    models = parser.parse_args().models
    strokes = [stroke.tolist() for stroke in read(example("half-a-cat")).strokes]
    with sync_playwright() as started, tempfile.TemporaryDirectory() as folder:
        browser = started.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
        print(
            "| | MB | Node: first, ms | points/s | Chromium: first, ms | points/s | page: first | all, ms |"
        )
        print("|---|---|---|---|---|---|---|---|")
        for number, name in enumerate(models):
            print(line(browser, name, Path(folder) / str(number), strokes), flush=True)
        browser.close()


if __name__ == "__main__":
    main()
