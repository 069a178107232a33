"""`python -m sketchgen` is `sketchgen`; torchrun starts it that way."""

import sys

from sketchgen.cli import main

if __name__ == "__main__":
    sys.exit(main())
