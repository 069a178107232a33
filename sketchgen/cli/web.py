"""The command that serves the drawing page."""

from __future__ import annotations

import click

from sketchgen import limits
from sketchgen.cli.command import command, option


@command(
    "web",
    "Web",
    """
    sketchgen web --open
    sketchgen web run/best --port 8000
    sketchgen web --host 0.0.0.0     # for everybody in the network
    """,
)
@click.argument("checkpoint", required=False)
@option("--host ADDRESS", "127.0.0.1", "Address to listen on.")
@option("-p --port", 7860, "Port to listen on; 0 for any free one.")
@option("--public-name NAME", str, "Name under which a proxy serves it; repeat for more.", multiple=True)
@option("--open browser", False, "Open the page in a browser.")
def web(checkpoint: str | None, host: str, port: int, public_name: tuple[str, ...], browser: bool) -> None:
    """Draw in the browser, and let the model complete with you.

    CHECKPOINT is a bundled name or a folder; without it, quickdraw345. The page asks no other machine for
    anything and keeps nothing that is drawn. Programs find the same completions at /complete, and agents,
    after pip install 'sketchgen[mcp]', as a tool.
    """
    limits.check_range("port", port, 0, limits.MAX_PORT)

    from sketchgen.web import launch

    launch(checkpoint, host=host, port=port, browser=browser, names=public_name)
