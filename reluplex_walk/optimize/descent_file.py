"""Descent paths as files: the fields of a `DescentPath` in an npz archive, and back."""

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .._files import check_member, load_archive, write_archive
from .._validate import integer, positive, real_array
from ..ended import Ended
from ..problem import loss_file
from ..problem.loss import LayerLoss
from .known_methods import NAMES, class_of, name_of

_RECORDS = ("theta", "best", "losses", "gradients", "clip_shares", "effective_rates")
_TEXTS = ("ended", "method", "settings", "reason")


def write(parts: Mapping[str, Any], path: str | Path, force: bool) -> None:
    """Write the fields `parts` of a path, with its loss, to `path`."""
    name = name_of(parts["method"])
    if name is None:
        raise ValueError(
            f"method: expected one of {', '.join(NAMES)}, to be saved, found {parts['method']!r}"
        )
    settings = {key: parts[key] for key in ("batch", "learning_rate", "seed", "elapsed")}
    arrays: dict[str, Any] = {
        "ended": parts["ended"].name,
        "method": name,
        "settings": json.dumps({"options": asdict(parts["method"]), **settings}),
        "reason": parts["reason"],
        **{key: parts[key] for key in _RECORDS},
    }
    for prefix, part in (
        ("loss", loss_file.to_arrays(parts["problem"])),
        ("run", parts["checkpoint"]),
    ):
        arrays.update({f"{prefix}_{key}": value for key, value in part.items()})
    write_archive(path, "descent", arrays, force)


def read(path: str | Path) -> dict[str, Any]:
    """The fields that :func:`write` wrote.

    Raises FileNotFoundError if there is no file, ValueError if it is another one or damaged.
    """
    return load_archive(path, "descent", _fields)


def _fields(arrays: Mapping[str, NDArray[Any]]) -> dict[str, Any]:
    def part(prefix: str) -> dict[str, Any]:
        return {k.removeprefix(prefix): a for k, a in arrays.items() if k.startswith(prefix)}

    for name in _TEXTS:
        check_member(arrays, name, "U", ())
    problem, settings = loss_file.from_arrays(part("loss_")), json.loads(str(arrays["settings"]))
    _check_shapes(arrays, problem.shape if isinstance(problem, LayerLoss) else (problem.dim,))
    method, checkpoint = class_of(str(arrays["method"])), part("run_")
    ended, batch, rate = Ended[str(arrays["ended"])], settings["batch"], settings["learning_rate"]
    if ended.early:
        method.restore(checkpoint)  # raises if it cannot
    return {
        "ended": ended,
        "problem": problem,
        "method": method(**settings["options"]),
        "batch": None if batch is None else integer("batch", batch, 1),
        "learning_rate": None if rate is None else positive("learning_rate", rate),
        "seed": integer("seed", settings["seed"], 0),
        **{name: arrays[name] for name in _RECORDS},
        "checkpoint": checkpoint,
        "elapsed": float(settings["elapsed"]),
        "reason": str(arrays["reason"]),
    }


def _check_shapes(arrays: Mapping[str, NDArray[Any]], shape: tuple[int, ...]) -> None:
    """ValueError if the arrays do not fit together or to parameters of that `shape`."""
    k = arrays["losses"].size
    expected: dict[str, tuple[str, tuple[int, ...]]] = {
        "theta": ("f8", shape),
        "best": ("f8", shape),
        "losses": ("f8", (k,)),
        "gradients": ("i8", (k,)),
        "clip_shares": ("f8", (k - 1,)),
        "effective_rates": ("f8", (k - 1,)),
    }
    for name, (dtype, size) in expected.items():
        check_member(arrays, name, dtype, size)
        if dtype == "f8":
            real_array(name, arrays[name], len(size), largest=float(np.finfo(float).max))
    if (np.diff(arrays["gradients"], prepend=0) < 0).any():
        raise ValueError("gradients: expected numbers that grow")


__all__ = ["read", "write"]
