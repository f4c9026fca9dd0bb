"""The command ``reluplex-walk``."""

from .commands import main

__all__ = ["main"]
