"""Training fits as files: the fields of a `TrainingFit` in an npz archive, and back."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..._files import check_member, load_archive, write_archive
from ..._validate import integer, real, real_array
from ...ended import Ended
from ...problem.network import ReLUNetwork
from ...proof.certificate import Certificate
from .search import Round

_DATA = ("X", "y", "sample_weight")
_SETTINGS = ("kind", "tau", "penalty", "layers", "validation_loss", "seed", "elapsed", "loss")


def write(parts: Mapping[str, Any], path: str | Path, force: bool) -> None:
    """Write the fields `parts` of a fit to `path`."""
    arrays: dict[str, Any] = {name: parts[name] for name in _DATA}
    arrays |= {f"network_{name}": a for name, a in parts["network"].to_arrays().items()}
    arrays["ended"] = parts["ended"].name
    arrays["settings"] = json.dumps({name: parts[name] for name in _SETTINGS})
    rounds = parts["rounds"]
    arrays["starts"] = np.array([each.start for each in rounds], "U8")
    arrays["rounds"] = np.array([each[2:] for each in rounds], float).reshape(len(rounds), 4)
    for layer, certificate in enumerate(parts["certificates"]):
        if certificate is not None:
            prefix = f"certificate{layer}_"
            arrays |= {f"{prefix}{name}": a for name, a in certificate.to_arrays().items()}
    write_archive(path, "training", arrays, force)


def read(path: str | Path) -> dict[str, Any]:
    """The fields that :func:`write` wrote.

    Raises FileNotFoundError if there is no file, ValueError if it is another one or damaged.
    """
    return load_archive(path, "training", _fields)


def _fields(arrays: Mapping[str, NDArray[Any]]) -> dict[str, Any]:
    def part(prefix: str) -> dict[str, Any]:
        return {k.removeprefix(prefix): a for k, a in arrays.items() if k.startswith(prefix)}

    for name in ("ended", "settings"):
        check_member(arrays, name, "U", ())
    network = ReLUNetwork.from_arrays(part("network_"))
    settings = json.loads(str(arrays["settings"]))
    layers = tuple(integer("layers", each, 0, network.n_layers - 1) for each in settings["layers"])
    found: list[Certificate | None] = []
    for layer in range(network.n_layers):
        fields = {k: a if a.ndim else a.item() for k, a in part(f"certificate{layer}_").items()}
        found.append(Certificate.from_arrays(fields) if fields else None)
    held_out = settings["validation_loss"]
    return {
        "network": network,
        "loss": real("loss", settings["loss"]),
        "certificates": tuple(found),
        "kind": str(settings["kind"]),
        "tau": None if settings["tau"] is None else real("tau", settings["tau"]),
        "penalty": real("penalty", settings["penalty"]),
        "layers": layers,
        "rounds": _rounds(arrays),
        "validation_loss": None if held_out is None else real("validation_loss", held_out),
        "seed": integer("seed", settings["seed"], 0),
        "ended": Ended[str(arrays["ended"])],
        "elapsed": real("elapsed", settings["elapsed"]),
        **_data(arrays, network),
    }


def _rounds(arrays: Mapping[str, NDArray[Any]]) -> tuple[Round, ...]:
    check_member(arrays, "starts", "U")
    starts = arrays["starts"].tolist()
    check_member(arrays, "rounds", "f8", (len(starts), 4))
    found = []
    for number, (start, row) in enumerate(zip(starts, arrays["rounds"].tolist(), strict=True)):
        loss, best, held_out, elapsed = row
        known = None if np.isnan(held_out) else held_out
        found.append(Round(number, start, loss, best, known, elapsed))
    return tuple(found)


def _data(arrays: Mapping[str, NDArray[Any]], network: ReLUNetwork) -> dict[str, NDArray[Any]]:
    n = len(arrays["X"])
    shapes = ((n, network.widths[0]), (n, network.widths[-1]), (n,))
    for name, shape in zip(_DATA, shapes, strict=True):
        check_member(arrays, name, "f8", shape)
        real_array(name, arrays[name], len(shape))
    return {name: arrays[name] for name in _DATA}


__all__ = ["read", "write"]
