"""Take pictures of the drawing page: `python benchmarks/screenshots.py [FOLDER] [--all]`.

Needs Debian's chromium. Starts `sketchgen web` by itself. Writes the pictures of the docs: canvas.png,
canvas-dark.png (while suggestions stream in), canvas-phone.png, canvas-generate.png. With --all, also empty,
drawing and finished at every size, light and dark, as SIZE-COLOURS-STATE.png.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from canvas import PAGE, Server, drawing_page

SIZES = {
    "desktop": (1920, 1080),
    "laptop": (1366, 768),
    "tablet": (1024, 768),
    "phone": (390, 844),
    "across": (844, 390),
}
HANDHELD = {"has_touch": True, "is_mobile": True}


def window(size: str, **settings: Any) -> dict[str, Any]:
    """Return the browser's settings for a size."""
    width, height = SIZES[size]
    handheld = HANDHELD if min(width, height) < 400 else {}
    return {"viewport": {"width": width, "height": height}, **handheld, **settings}


def begin(page: Any, starter: str) -> None:
    """Open a starter, which is finished at once, and wait until something of it is seen."""
    page.locator(f"[data-starter={starter}]").click()
    # However slow the machine is, something is seen of one, and none is done.
    page.wait_for_function("Sketchgen.suggestions.items.some(a => a.at[0] || a.at[1] > 5)")


def settle(page: Any) -> None:
    """Wait until every suggestion stands there whole."""
    page.wait_for_function("Sketchgen.suggestions.settled", timeout=120_000)
    page.wait_for_timeout(500)


def for_docs(url: str, folder: Path) -> None:
    """Take the pictures of the docs."""
    with drawing_page(url, **window("laptop")) as (page, _):
        begin(page, "half-a-cat")
        settle(page)
        page.screenshot(path=folder / "canvas.png")
        page.locator("[data-view=generate]").click()
        page.wait_for_timeout(1000)
        page.screenshot(path=folder / "canvas-generate.png")
    with drawing_page(url, **window("laptop", color_scheme="dark")) as (page, _):
        begin(page, "face")
        page.screenshot(path=folder / "canvas-dark.png")
    with drawing_page(url, **window("phone", device_scale_factor=2)) as (page, _):
        begin(page, "car")
        settle(page)
        page.screenshot(path=folder / "canvas-phone.png")


def everywhere(url: str, folder: Path) -> None:
    """Take pictures of the page empty, drawing and finished, at every size, light and dark."""
    for size in SIZES:
        for colours in ("light", "dark"):
            with drawing_page(url, **window(size, color_scheme=colours)) as (page, _):
                page.screenshot(path=folder / f"{size}-{colours}-empty.png")
                begin(page, "half-a-cat")
                page.screenshot(path=folder / f"{size}-{colours}-drawing.png")
                settle(page)
                page.locator("#sg-strip .take").first.click()
                page.wait_for_timeout(500)
                page.screenshot(path=folder / f"{size}-{colours}-finished.png")


def main() -> None:
    """Take the pictures."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("folder", nargs="?", type=Path, default=Path("docs"))
    parser.add_argument("--all", action="store_true", help="every size, light and dark, too")
    options = parser.parse_args()
    options.folder.mkdir(exist_ok=True)
    server = Server(*PAGE)
    try:
        for_docs(server.url, options.folder)
        if options.all:
            everywhere(server.url, options.folder)
    finally:
        server.stop()


if __name__ == "__main__":
    main()
