"""What is not installed by default: imported where it is asked for, with an error that says how."""

from importlib import import_module
from typing import Any


def need(module: str, what: str, extra: str = "ensemble") -> Any:
    """The `module`, which `what` needs; ImportError that names the `extra` to install."""
    try:
        return import_module(module)
    except ImportError:
        raise ImportError(
            f'{what} needs {module}; install it: pip install "reluplex_walk[{extra}]"'
        ) from None


__all__ = ["need"]
