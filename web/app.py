"""Starts the drawing page; this is the file that a hosted Space runs."""

import os

from sketchgen.web import launch

if __name__ == "__main__":
    # A Space says by these variables where it wants to be asked; elsewhere the page is this machine's own.
    space = os.environ.get("SPACE_HOST")
    if space:
        # Only its proxy can ask, and tells for whom.
        os.environ.setdefault("FORWARDED_ALLOW_IPS", "*")
    launch(
        os.environ.get("SKETCHGEN_CHECKPOINT"),
        host=os.environ.get("GRADIO_SERVER_NAME", "127.0.0.1"),
        port=int(os.environ.get("GRADIO_SERVER_PORT", "7860")),
        names=[space] if space else [],
    )
