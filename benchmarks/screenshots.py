"""Take pictures of the drawing page for the docs: `python benchmarks/screenshots.py [folder]`.

Needs Debian's chromium. Starts `sketchgen web` by itself. canvas.png, canvas-dark.png (while completions
stream in), canvas-accepted.png, canvas-phone.png, canvas-generate.png.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from canvas import PAGE, Server, drawing_page

DESKTOP = {"viewport": {"width": 1280, "height": 860}}
PHONE = {
    "viewport": {"width": 390, "height": 844},
    "device_scale_factor": 2,
    "has_touch": True,
    "is_mobile": True,
}


def begun(page: Any, starter: str) -> None:
    """Open a bundled beginning, whose category the picker then shows, and let it be finished."""
    page.locator(f"[data-starter={starter}]").click()
    page.wait_for_function("Sketchgen.pad.strokes.length > 0")
    page.wait_for_timeout(1000)
    page.locator("[data-do=finish]").click()


def settled(page: Any) -> None:
    """Wait until every alternative stands there whole."""
    page.wait_for_function(
        "!Sketchgen.pad.running && Sketchgen.completions.alternatives.every(a => a.complete)"
    )
    page.wait_for_timeout(300)


def main(folder: Path) -> None:
    """Take the pictures."""
    folder.mkdir(exist_ok=True)
    server = Server(*PAGE)
    url = server.url
    try:
        with drawing_page(url, **DESKTOP) as (page, _):
            begun(page, "half-a-cat")
            settled(page)
            page.screenshot(path=folder / "canvas.png")
            page.locator("#sketchgen-completions .alternative").first.click()
            page.wait_for_timeout(300)
            page.screenshot(path=folder / "canvas-accepted.png")
            page.get_by_role("tab", name="Generate").click()
            page.locator("#sketchgen-draw").click()
            page.wait_for_function("Sketchgen.gallery.alternatives.length && Sketchgen.gallery.done")
            page.wait_for_timeout(6000)
            page.screenshot(path=folder / "canvas-generate.png")
        with drawing_page(url, **DESKTOP, color_scheme="dark") as (page, _):
            begun(page, "face")
            # Some have been begun, none is done, however slow the machine is.
            page.wait_for_function(
                "Sketchgen.completions.alternatives.some(a => a.visible().flat().length > 20)"
            )
            page.screenshot(path=folder / "canvas-dark.png")
        with drawing_page(url, **PHONE) as (page, _):
            begun(page, "face")
            settled(page)
            page.screenshot(path=folder / "canvas-phone.png", full_page=True)
    finally:
        server.stop()


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "docs"))
