"""The commands that serve the drawing page, and write models, and the page, for programs without Python."""

from __future__ import annotations

from pathlib import Path

import click

from sketchgen import limits
from sketchgen.cli.command import command, emit, option, say
from sketchgen.errors import SettingError


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


@command(
    "web",
    "Web",
    """
    sketchgen web --open
    sketchgen web run/best --port 8000
    sketchgen web --host 0.0.0.0     # for everybody in the network
    sketchgen web tiny --static      # the browser draws; see sketchgen export web
    """,
)
@click.argument("checkpoint", required=False)
@option("--host ADDRESS", "127.0.0.1", "Address to listen on.")
@option("-p --port", 7860, "Port to listen on; 0 for any free one.")
@option("--public-name NAME", str, "Name under which a proxy serves it; repeat for more.", multiple=True)
@option("--static", False, "Serve files only, with which the browser draws by itself.")
@option("--open browser", False, "Open the page in a browser.")
def web(
    checkpoint: str | None, host: str, port: int, public_name: tuple[str, ...], static: bool, browser: bool
) -> None:
    """Draw in the browser, and let the model complete with you.

    CHECKPOINT is a bundled name or a folder; without it, quickdraw345. The page asks no other machine for
    anything and keeps nothing that is drawn. Programs find the same completions at /complete, and agents,
    after pip install 'sketchgen[mcp]', as a tool. With --static it may be a folder that sketchgen export web
    wrote.
    """
    limits.check_range("port", port, 0, limits.MAX_PORT)
    if static:
        if public_name:
            raise SettingError("--static serves under any name; leave out --public-name")
        from sketchgen.web.static import launch_static

        launch_static(checkpoint, host=host, port=port, browser=browser)
        return

    from sketchgen.web import launch

    launch(checkpoint, host=host, port=port, browser=browser, names=public_name)
