"""Measure the page under load: many people at once, visitors that come and go, and what is no request.

    python benchmarks/load.py [--people 32] [--minutes 10] [--sessions 500] [--malformed 2000]

Each person draws for some seconds, sees guesses, asks for four suggestions as the page does by default, and
draws on: half of the time before they are finished. Meanwhile sessions open the page and save a drawing, and
malformed requests come in, both spread evenly. Starts `sketchgen web` by itself; prints a table in Markdown.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import statistics
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

import httpx

ROOT = Path(__file__).resolve().parents[1]
# The tests' own way to start a page serves here, too.
sys.path.insert(0, str(ROOT / "tests" / "support"))
from serving import Server  # noqa: E402

import sketchgen  # noqa: E402
from sketchgen.limits import PAGE_BEST_OF, PAGE_COUNT, PAGE_TEMPERATURE  # noqa: E402

PAUSE = 4.0, 12.0
"""Seconds for which a person draws before the next request."""

HURRY = 0.5
"""Share of the requests that are left before they are answered whole."""

PATIENCE = 120.0
"""Seconds after which no answer is an error."""

DRAWINGS = [
    {"strokes": [stroke.tolist() for stroke in sketchgen.read(sketchgen.example(name)).strokes]}
    for name in sketchgen.examples()
]

SETTINGS = {"category": "auto", "count": PAGE_COUNT, "best_of": PAGE_BEST_OF, "temperature": PAGE_TEMPERATURE}

JSON = {"content-type": "application/json"}

MALFORMED: list[tuple[str, str, dict[str, str], bytes]] = [
    ("POST", "/sketchgen/draw", JSON, b"{"),
    ("POST", "/sketchgen/draw", JSON, b"[" * 50_000),
    ("POST", "/sketchgen/draw", JSON, b'{"drawing": 7}'),
    ("POST", "/sketchgen/draw", JSON, json.dumps({"drawing": DRAWINGS[0], "count": 10**9}).encode()),
    ("POST", "/sketchgen/draw", JSON, b'{"drawing": {"strokes": [[[1e999, 1]]]}}'),
    ("POST", "/sketchgen/draw", {"content-type": "text/plain"}, b"{}"),
    ("POST", "/sketchgen/guess", JSON, b'{"drawing": {"strokes": [[["a", 1]]]}}'),
    ("POST", "/sketchgen/guess", JSON, b"\xff" * 1000),
    ("POST", "/sketchgen/think", JSON, b'{"drawing": null}'),
    ("POST", "/sketchgen/open", JSON, json.dumps({"text": "<svg" * 9000, "name": "a.svg"}).encode()),
    ("POST", "/sketchgen/export", JSON, b'{"format": 3}'),
    ("POST", "/sketchgen/draw", JSON, b" " * 5_000_000),
    ("POST", "/gradio_api/queue/join", JSON, b'{"data": [{}], "fn_index": 999, "session_hash": "x"}'),
    ("POST", "/gradio_api/upload", {"content-type": "multipart/form-data; boundary=x"}, b"--x--"),
    ("GET", "/gradio_api/file=/etc/passwd", {}, b""),
    ("GET", "/", {"host": "evil.example"}, b""),
    ("GET", "/", {"origin": "https://evil.example"}, b""),
]
"""Requests that must be refused, by a status or by a line that says why."""

RAW = [
    b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(200),
    b"GET / HTTP/9.9\r\n\r\n",
    b"GET /" + b"a" * 100_000 + b" HTTP/1.1\r\n\r\n",
    b"POST /sketchgen/draw HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n"
    b"content-length: 1000\r\n\r\n{",
    b"POST /sketchgen/draw HTTP/1.1\r\nhost: localhost\r\ncontent-length: -1\r\n\r\n",
    b"",
]
"""What is sent before the connection is closed."""


def memory(pid: int) -> list[float]:
    """Resident memory of a process, and of those that it has started, MB."""
    resident = int(Path(f"/proc/{pid}/status").read_text().split("VmRSS:")[1].split()[0]) / 1024
    children = [each.read_text().split() for each in Path(f"/proc/{pid}/task").glob("*/children")]
    return [resident, sum(sum(memory(int(child))) for some in children for child in some)]


class Load:
    """What is sent to a page, and how it answered."""

    def __init__(self, url: str, seconds: float) -> None:
        self.url, self.end = url, time.monotonic() + seconds
        self.seconds = seconds
        self.first: dict[int, list[float]] = {}
        self.whole: list[float] = []
        self.guesses: list[float] = []
        self.counts: Counter[str] = Counter()
        self.errors: Counter[str] = Counter()

    def client(self) -> httpx.AsyncClient:
        """Return somebody with a browser."""
        # The server closes a connection after 5 s. A browser that is just then using it asks again.
        limits = httpx.Limits(keepalive_expiry=3.0)
        return httpx.AsyncClient(base_url=self.url, timeout=PATIENCE, limits=limits)

    async def person(self, number: int) -> None:
        """Draw, ask, draw on."""
        chance, times = random.Random(number), self.first.setdefault(number, [])
        async with self.client() as client:
            await asyncio.sleep(chance.uniform(0, PAUSE[1]))
            while time.monotonic() < self.end:
                try:
                    await self.ask(client, chance, times)
                except (httpx.HTTPError, ValueError, AssertionError) as error:
                    self.errors[f"person: {error!r}"[:90]] += 1
                await asyncio.sleep(chance.uniform(*PAUSE))

    async def ask(self, client: httpx.AsyncClient, chance: random.Random, times: list[float]) -> None:
        """Ask for guesses and for suggestions, and note when they came."""
        drawing = chance.choice(DRAWINGS)
        began = time.perf_counter()
        (await client.post("/sketchgen/guess", json={"drawing": drawing})).raise_for_status()
        self.guesses.append(time.perf_counter() - began)
        hurry, done = chance.random() < HURRY, False
        question = {"drawing": drawing, "seed": chance.randrange(2**31), **SETTINGS}
        began = time.perf_counter()
        first = 0.0
        async with client.stream("POST", "/sketchgen/draw", json=question) as answer:
            answer.raise_for_status()
            async for line in answer.aiter_lines():
                message = json.loads(line)
                assert "error" not in message, message["error"]
                if not first and any(message.get("alts", ())):
                    first = time.perf_counter() - began
                    times.append(first)
                    if hurry:
                        self.counts["suggestions left early"] += 1
                        return
                done = message.get("done", False)
        assert done, "the answer has no end"
        self.whole.append(time.perf_counter() - began)

    async def session(self, number: int) -> None:
        """Open the page, look at guesses, save."""
        drawing = DRAWINGS[number % len(DRAWINGS)]
        async with self.client() as client:
            answers = [await client.get("/"), await client.get("/sketchgen/names")]
            answers.append(await client.post("/sketchgen/guess", json={"drawing": drawing}))
            answers.append(await client.post("/sketchgen/export", json={"drawing": drawing, "format": "svg"}))
        for answer in answers:
            answer.raise_for_status()
        assert "base64" in answers[-1].json(), answers[-1].text[:60]

    async def malformed(self, number: int) -> None:
        """Send what is to be refused."""
        kinds = len(MALFORMED) + len(RAW)
        if number % kinds >= len(MALFORMED):
            await self.raw(RAW[number % kinds - len(MALFORMED)])
            return
        method, path, headers, content = MALFORMED[number % kinds]
        async with self.client() as client:
            answer = await client.request(method, path, headers=headers, content=content)
        refused = 400 <= answer.status_code < 500 or (answer.status_code == 200 and "error" in answer.text)
        assert refused, f"{path} answered {answer.status_code}"

    async def raw(self, content: bytes) -> None:
        """Send bytes, and go."""
        host, port = self.url.removeprefix("http://").split(":")
        _, writer = await asyncio.open_connection(host, int(port))
        writer.write(content)
        await writer.drain()
        writer.close()

    async def spread(self, name: str, number: int, one: Any) -> None:
        """Do something so many times, at even intervals."""
        began = time.monotonic()
        for index in range(number):
            await asyncio.sleep(max(0.0, began + index * self.seconds / number - time.monotonic()))
            try:
                await one(index)
                self.counts[name] += 1
            except (httpx.HTTPError, OSError, ValueError, AssertionError) as error:
                self.errors[f"{name}: {error!r}"[:90]] += 1


async def measure(url: str, pid: int, asked: argparse.Namespace) -> None:
    """Send the load, and print what came of it."""
    load, seconds = Load(url, 60 * asked.minutes), 60 * asked.minutes
    work = [load.person(number) for number in range(asked.people)]
    work.append(load.spread("sessions", asked.sessions, load.session))
    work.append(load.spread("malformed requests", asked.malformed, load.malformed))
    memories: list[list[float]] = []

    async def watch() -> None:
        await asyncio.sleep(min(60.0, seconds / 2))
        memories.append(memory(pid))

    await asyncio.gather(watch(), *work)
    # Connections have closed by then.
    await asyncio.sleep(5)
    memories.append(memory(pid))
    medians = sorted(statistics.median(times) for times in load.first.values() if times)
    every = [each for times in load.first.values() for each in times]
    counts = {"requests for suggestions": len(every), **load.counts}
    counted = ", ".join(f"{count} {name}" for name, count in counts.items())
    rows = {
        "load": f"{asked.people} people, {asked.minutes:g} min: {counted}",
        "first point (median, worst)": f"{statistics.median(every):.2f}, {max(every):.2f} s",
        "fairness: median of the worst and of the best served person": (
            f"{medians[-1]:.2f}, {medians[0]:.2f} s ({medians[-1] / medians[0]:.1f} times)"
        ),
        "guesses (median, worst)": f"{statistics.median(load.guesses):.2f}, {max(load.guesses):.2f} s",
        "the best four are shown (median, worst)": (
            f"{statistics.median(load.whole):.1f}, {max(load.whole):.1f} s"
        ),
        "errors": f"{load.errors.total()}",
        "memory after the first minute and at the end, and of processes that read files": (
            "{:.0f}, {:.0f} MB, {:.0f}, {:.0f} MB".format(*(part[k] for k in (0, 1) for part in memories))
        ),
    }
    print("| what | figure |\n|---|---|")
    for name, value in rows.items():
        print(f"| {name} | {value} |")
    for name, count in load.errors.most_common(10):
        print(f"{count} x {name}", file=sys.stderr)


def main() -> None:
    """Start a page, and put it under load."""
    parser = argparse.ArgumentParser()
    for name, default in {"people": 32, "minutes": 10.0, "sessions": 500, "malformed": 2000}.items():
        parser.add_argument(f"--{name}", type=type(default), default=default)
    options = parser.parse_args()
    server = Server("-m", "sketchgen", "web", "--port", "0")
    try:
        asyncio.run(measure(server.url.rstrip("/"), server.process.pid, options))
    finally:
        server.stop()
        said = [server.lines.get() for _ in range(server.lines.qsize())]
        print("".join(said[-20:]), file=sys.stderr)


if __name__ == "__main__":
    main()
