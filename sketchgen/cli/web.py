"""The command that serves the drawing page."""

from __future__ import annotations

import click

from sketchgen import limits
from sketchgen.cli.command import command, option
from sketchgen.errors import SettingError


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
