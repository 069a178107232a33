"""The command that writes models for programs without Python."""

from __future__ import annotations

from pathlib import Path

import click

from sketchgen.cli.command import command, option


@command(
    "export",
    "Web",
    """
    sketchgen export web tiny -o model/
    sketchgen export onnx quickdraw345 -o model/ --precision float16
    """,
)
@click.argument("form", type=click.Choice(("onnx", "web")), metavar="onnx|web")
@click.argument("checkpoint", metavar="CHECKPOINT")
@option("-o --output FOLDER", Path, "Folder to write.", required=True)
@option(
    "--precision",
    ("float32", "float16", "int8"),
    "Type of the weights.",
    default="float16",
    show_default=True,
)
@option("--force", False, "Replace what is there.")
def export(form: str, checkpoint: str, output: Path, precision: str, force: bool) -> None:
    """Write a model for programs without Python.

    CHECKPOINT is a bundled name or a folder. onnx: encoder and decoder step as graphs for ONNX runtimes. web:
    a folder for the engine in JavaScript. docs/javascript.md tells how both are used.
    """
    if form == "onnx":
        from sketchgen.completion.onnx_export import write_onnx

        write_onnx(checkpoint, output, precision, force=force)
        return
    from sketchgen.completion.portable import write_web_model

    write_web_model(checkpoint, output, precision, force=force)
