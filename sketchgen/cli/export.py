"""The command that writes models, and the page around one, for programs without Python."""

from __future__ import annotations

from pathlib import Path

import click

from sketchgen.cli.command import command, emit, option, say


@command(
    "export",
    "Web",
    """
    sketchgen export web tiny -o page/
    sketchgen export onnx quickdraw345 -o model/ --precision float16
    """,
)
@click.argument("form", type=click.Choice(("onnx", "web")), metavar="onnx|web")
@click.argument("checkpoint", metavar="CHECKPOINT")
@option("-o --out FOLDER", Path, "Folder to write.", required=True)
@option(
    "--precision",
    ("float32", "float16", "int8"),
    "Type of the weights.",
    default="float16",
    show_default=True,
)
@option("--force", False, "Replace what is there.")
def export(form: str, checkpoint: str, out: Path, precision: str, force: bool) -> None:
    """Write a model for programs without Python.

    CHECKPOINT is a bundled name or a folder. onnx: encoder and decoder step as graphs for ONNX runtimes. web:
    the drawing page, for any host of static files; its model/ and engine/ serve pages of your own, too.
    docs/javascript.md tells how both are used.
    """
    if form == "onnx":
        from sketchgen.completion.onnx_export import write_onnx

        write_onnx(checkpoint, out, precision, force=force)
        return
    from sketchgen.web.static import export_page

    size = export_page(checkpoint, out, precision=precision, force=force)
    emit(str(out))
    say(f"{size / 1e6:.1f} MB; look at it by sketchgen web {out} --static --open")
