"""Run the notebooks of docs/notebooks in place, and write the pictures of docs/rnn.md.

    pip install nbclient ipykernel
    python benchmarks/notebooks.py [NOTEBOOK ...]

A notebook is kept with its outputs, so that it can be read without being run. Pictures are reduced to 128
colours, a third of their size. The figure of a cell tagged `figure:NAME` becomes docs/rnn-pictures/NAME.png.
"""

from __future__ import annotations

import argparse
import base64
import io
import time
from pathlib import Path
from typing import Any

from PIL import Image

DOCS = Path(__file__).resolve().parents[1] / "docs"
COLOURS = 128


def smaller(png: str) -> str:
    """Return a picture, PNG in base64, in fewer colours."""
    image = Image.open(io.BytesIO(base64.b64decode(png))).convert("RGBA")
    white = Image.new("RGBA", image.size, "white")
    reduced = (
        Image.alpha_composite(white, image)
        .convert("RGB")
        .quantize(COLOURS, Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE)
    )
    out = io.BytesIO()
    reduced.save(out, "PNG", optimize=True)
    return base64.b64encode(out.getvalue()).decode()


def tidy(cell: Any) -> None:
    """Leave nothing in a cell that differs from run to run without need, and make its pictures smaller."""
    cell.metadata.pop("execution", None)
    for output in cell.get("outputs", ()):
        data = output.get("data", {})
        if "image/png" in data:
            data["image/png"] = smaller(data["image/png"])
            # The size in the text is no use to anybody, and the address of an object changes.
            data.pop("text/plain", None)
            output.metadata.clear()


def figures(cell: Any) -> dict[str, bytes]:
    """Return the picture of a cell by the name in its tag, if it has one."""
    names = [
        tag.removeprefix("figure:") for tag in cell.metadata.get("tags", ()) if tag.startswith("figure:")
    ]
    shown = [output.get("data", {}).get("image/png") for output in cell.get("outputs", ())]
    return dict(zip(names, (base64.b64decode(each) for each in shown if each), strict=True)) if names else {}


def run(path: Path) -> None:
    """Run a notebook, and write it and its pictures."""
    import nbformat
    from nbclient import NotebookClient

    notebook = nbformat.read(path, as_version=4)
    resources = {"metadata": {"path": str(path.parent)}}
    NotebookClient(
        notebook, timeout=None, startup_timeout=600, kernel_name="python3", resources=resources
    ).execute()
    notebook.metadata = {
        "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
        "language_info": {"name": "python"},
    }
    for cell in notebook.cells:
        tidy(cell)
    nbformat.write(notebook, path)
    for cell in notebook.cells:
        for name, picture in figures(cell).items():
            (DOCS / "rnn-pictures" / f"{name}.png").write_bytes(picture)


def main() -> None:
    """Run those that are named, or all."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("notebook", nargs="*", type=Path, help="by default all")
    (DOCS / "rnn-pictures").mkdir(exist_ok=True)
    for path in parser.parse_args().notebook or sorted((DOCS / "notebooks").glob("*.ipynb")):
        began = time.monotonic()
        run(path)
        print(
            f"{path.name}: {time.monotonic() - began:.0f} s, {path.stat().st_size / 1000:.0f} kB", flush=True
        )


if __name__ == "__main__":
    main()
