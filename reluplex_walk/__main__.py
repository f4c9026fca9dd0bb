"""``python -m reluplex_walk``: the same as the command ``reluplex-walk``."""

import sys

from .cli.commands import main

if __name__ == "__main__":
    sys.exit(main())
