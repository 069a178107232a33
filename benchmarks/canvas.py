"""Measure the page: from pen-up to first point and to guesses, points a second, stopping, many people.

    python benchmarks/canvas.py [--quick]

Needs Debian's chromium and what `.[test]` installs. Starts `sketchgen web` by itself; prints a table in
Markdown. Figures mean something on an idle machine only.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import math
import re
import statistics
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx

ROOT = Path(__file__).resolve().parents[1]
# The tests' own way to start a page and a browser serves here, too.
sys.path.insert(0, str(ROOT / "tests" / "support"))
from serving import CHROMIUM, FLAGS, Server  # noqa: E402

PAGE = ("-m", "sketchgen", "web", "--port", "0")
DRAWING = {
    "strokes": [[[320 + 110 * math.cos(a / 5), 220 + 110 * math.sin(a / 5)] for a in range(32)]],
    "width": 640,
    "height": 480,
}


def memory(pid: int) -> float:
    """Resident memory of a process, MB."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(re.findall(r"VmRSS:\s+(\d+)", status)[0]) / 1024


def run(url: str, count: int = 4, best_of: int = 1) -> Iterator[float]:
    """Seconds since the request, of every message of one person's run, as a browser gets them."""
    asked = {"category": "any", "count": count, "best_of": best_of, "temperature": 0.4, "seed": 7}
    question = {"drawing": DRAWING, **asked}
    with httpx.Client(base_url=url, timeout=120) as client:
        begun = time.perf_counter()
        with client.stream("POST", "/sketchgen/draw", json=question) as answer:
            for line in answer.iter_lines():
                if "alts" in json.loads(line):
                    yield time.perf_counter() - begun


def points_of_run(count: int) -> int:
    """How many points that run adds: the page draws what the library draws."""
    import sketchgen
    from sketchgen.formats.canvas_json import parse_canvas

    found = sketchgen.load().complete(parse_canvas(DRAWING), None, count, 0.4, seed=7)
    return sum(each.added.point_count for each in found)


def dense(points: int) -> list[list[list[float]]]:
    """Five long strokes of so many points in all."""
    angles = [6 * step / points for step in range(points)]
    return [
        [
            [320 + (200 - 20 * k) * math.cos(5 * a + k), 240 + 150 * math.sin((5 + k) * a)]
            for a in angles[k::5]
        ]
        for k in range(5)
    ]


def dense_guesses(url: str, points: int, rounds: int) -> list[float]:
    """Milliseconds until the guesses of a drawing of five long strokes come, by a program."""
    drawing = {"strokes": dense(points)}
    found = []
    with httpx.Client(base_url=url, timeout=120) as client:
        for _ in range(rounds):
            begun = time.perf_counter()
            client.post("/sketchgen/guess", json={"drawing": drawing}).raise_for_status()
            found.append((time.perf_counter() - begun) * 1000)
    return found


def people(url: str, number: int, best_of: int = 1) -> tuple[float, float, float]:
    """Median and worst milliseconds to the first message, and seconds until all have finished."""
    first: list[float] = []
    lock = threading.Lock()

    def one() -> None:
        times = list(run(url, 4, best_of))
        with lock:
            first.append(times[0] * 1000)

    begun = time.perf_counter()
    threads = [threading.Thread(target=one) for _ in range(number)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return statistics.median(first), max(first), time.perf_counter() - begun


@contextlib.contextmanager
def drawing_page(url: str, **settings: Any) -> Iterator[tuple[Any, Any]]:
    """A browser's page, settled, and where its pad stands."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        page = browser.new_page(**{"viewport": {"width": 1280, "height": 900}} | settings)
        page.set_default_timeout(120_000)
        page.goto(url)
        page.wait_for_selector(".sg.ready")
        page.wait_for_timeout(2000)
        yield page, page.locator("#sg-paper > canvas").bounding_box()
        browser.close()


def stroke(page: Any, box: Any, shift: int) -> None:
    """Draw a wave by mouse."""
    page.mouse.move(box["x"] + 200, box["y"] + 150 + shift)
    page.mouse.down()
    for step in range(20):
        page.mouse.move(box["x"] + 200 + 9 * step, box["y"] + 150 + 40 * math.sin(step / 3))
    page.mouse.up()


def first_points(url: str, rounds: int) -> list[float]:
    """Milliseconds from pen-up to the first added point on the pad, in a browser."""
    with drawing_page(url) as (page, box):
        page.locator("[data-do=live]").click()
        for number in range(rounds + 1):
            page.evaluate("Sketchgen.actions.clear()")
            stroke(page, box, number % 7)
            page.wait_for_function(f"Sketchgen.suggestions.timings.firstPoint.length > {number}")
            page.wait_for_function("!Sketchgen.suggestions.running")
        # The first one warms the server up.
        return page.evaluate("Sketchgen.suggestions.timings.firstPoint")[1:]


def guesses(url: str, rounds: int) -> list[float]:
    """Milliseconds from pen-up to the guesses above the paper, in a browser, of one to five strokes."""
    with drawing_page(url) as (page, box):
        for number in range(rounds + 1):
            if number % 5 == 0:
                page.evaluate("Sketchgen.actions.clear()")
            stroke(page, box, 11 * (number % 5))
            page.wait_for_function(f"Sketchgen.guess.timings.length > {number}")
        # The first one warms the server up.
        return page.evaluate("Sketchgen.guess.timings")[1:]


def frames(url: str, points: int) -> dict[str, list[float]]:
    """Milliseconds of the browser's main thread for each frame of a large drawing, by what a person does.

    They are of its processor time, less what a frame takes in which nothing happens.
    """
    with drawing_page(url) as (page, box):
        page.evaluate(
            "lists => Sketchgen.sketch.load(Sketchgen.asStrokes(lists, false), 'cat')", dense(points)
        )
        browser = page.context.new_cdp_session(page)
        browser.send("Performance.enable", {"timeDomain": "threadTicks"})

        def spent() -> float:
            metrics = browser.send("Performance.getMetrics")["metrics"]
            return next(each["value"] * 1000 for each in metrics if each["name"] == "TaskDuration")

        page.evaluate("""() => {
          const { pad } = Sketchgen, draw = pad.draw;
          pad.painted = 0;
          pad.draw = function () { this.painted += 1; draw.call(this); };
        }""")

        def step(act: Callable[[], Any]) -> float:
            before = spent()
            act()
            number = page.evaluate("""async () => {
              for (let frame = 0; frame < 2; frame++) await new Promise(requestAnimationFrame);
              const { painted } = Sketchgen.pad;
              Sketchgen.pad.painted = 0;
              return painted;
            }""")
            return (spent() - before) / max(1, number)

        def moves(turn: float) -> list[Callable[[], Any]]:
            return [
                lambda a=a: page.mouse.move(box["x"] + 300 + 2 * a, box["y"] + 200 + 90 * math.sin(a / turn))
                for a in range(100)
            ]

        page.wait_for_timeout(500)
        idle = statistics.median(step(lambda: None) for _ in range(20))
        moves(9)[0]()
        page.mouse.down()
        drawn = [step(move) for move in moves(9)]
        page.mouse.up()
        page.wait_for_timeout(500)
        panned = [step(lambda: page.mouse.wheel(4, 3)) for _ in range(50)]
        page.locator("[data-do=finish]").click()
        page.wait_for_function("Sketchgen.suggestions.items.some((each) => each.grown)")
        grown = [step(lambda: None)]
        while not page.evaluate("Sketchgen.suggestions.settled"):
            grown.append(step(lambda: None))
        found = {"a stroke is drawn": drawn, "the paper is moved": panned, "suggestions grow": grown}
        return {what: [each - idle for each in times] for what, times in found.items()}


def stops(rounds: int) -> list[float]:
    """Milliseconds from pen-down to the model's stop on the server, on a model that never ends by itself."""
    server = Server(str(ROOT / "tests" / "browser" / "slow_server.py"))
    found = []
    try:
        with drawing_page(server.url) as (page, box):
            for number in range(rounds):
                page.evaluate("Sketchgen.actions.clear()")
                stroke(page, box, number % 7)
                page.locator("[data-do=finish]").click()
                page.wait_for_function("(Sketchgen.suggestions.items[0] || {}).arrived > 5")
                begun = time.time()
                stroke(page, box, 60)
                said = server.until("stopped", 60)
                found.append((float(said.split()[1]) - begun) * 1000)
    finally:
        server.stop()
    return found


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--quick", action="store_true", help="fewer rounds")
    quick = parser.parse_args().quick
    begun = time.perf_counter()
    server = Server(*PAGE)
    url = server.url.rstrip("/")
    httpx.get(url, timeout=60).raise_for_status()
    seconds = time.perf_counter() - begun
    try:
        list(run(url))
        print("| what | figure |\n|---|---|")
        print(f"| `sketchgen web` until its page is served | {seconds:.1f} s |", flush=True)
        few, some = (3, 5) if quick else (15, 30)
        rows = {
            "pen-up to the first added point, in a browser": lambda: first_points(url, some),
            "pen-up to the guesses above the paper, in a browser": lambda: guesses(url, some),
            "guesses of 5000 points, without a browser": lambda: dense_guesses(url, 5_000, few),
            "guesses of 20000 points, without a browser": lambda: dense_guesses(url, 20_000, few),
            "pen-down to the model's stop on the server": lambda: stops(few),
        }
        for what, measure in rows.items():
            found = measure()
            told = f"{statistics.median(found):.0f}, {max(found):.0f} ms"
            print(f"| {what} (median, worst) | {told} |", flush=True)
        for what, found in frames(url, 5_000).items():
            told = f"{statistics.median(found):.1f}, {max(found):.0f} ms"
            print(f"| a frame of 5000 points while {what} (median, worst) | {told} |", flush=True)
        rate = points_of_run(9) / list(run(url, 9))[-1]
        print(f"| points a second, 9 alternatives, one person | {rate:.0f} |", flush=True)
        # As the page asks: the first time who chooses is loaded.
        first, *_, last = [list(run(url, 4, 8)) for _ in range(3)][-1]
        told = f"{first * 1000:.0f} ms, {last:.1f} s"
        print(f"| 4 of 32: first point, until the best are shown | {told} |", flush=True)
        for number, best_of in ((1, 1), (4, 1), (4, 8)) if quick else ((1, 1), (4, 1), (4, 8), (16, 1)):
            middle, worst, whole = people(url, number, best_of)
            what = f"{number} at once, 4 of {4 * best_of}: first point (median, worst), all finished"
            print(f"| {what} | {middle:.0f} ms, {worst:.0f} ms, {whole:.1f} s |", flush=True)
        before = memory(server.process.pid)
        sessions = 20 if quick else 500
        for _ in range(sessions):
            list(run(url, 1))
        after = memory(server.process.pid)
        print(f"| memory before and after {sessions} more sessions | {before:.0f}, {after:.0f} MB |")
    finally:
        server.stop()


if __name__ == "__main__":
    main()
