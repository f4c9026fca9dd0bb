"""Hashes of what defines a loss, by which certificates and files know theirs."""

import hashlib
from collections.abc import Mapping
from typing import Any

import numpy as np

from .network import ReLUNetwork


def digests(network: ReLUNetwork, **arrays: Any) -> dict[str, str]:
    """A digest of the `network` and of each of the `arrays`, by name."""
    parts = {f"network.{name}": value for name, value in network.to_arrays().items()}
    return {
        "network": _digest(parts),
        **{name: _digest({name: array}) for name, array in arrays.items()},
    }


def _digest(arrays: Mapping[str, Any]) -> str:
    """Of names, shapes and contents."""
    digest = hashlib.sha256()
    for name in sorted(arrays):
        array = np.ascontiguousarray(arrays[name])
        digest.update(f"{name}{array.shape}".encode() + array.tobytes())
    return digest.hexdigest()[:32]


def as_text(parts: Mapping[str, str]) -> str:
    """All `parts` in one line: ``layer=0 kind=l1 ...``."""
    return " ".join(f"{name}={value}" for name, value in parts.items())


__all__ = ["as_text", "digests"]
