"""Trajectories as files: the fields of a `Trajectory` in an npz archive, and back."""

from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .._files import check_member, load_archive, write_archive
from .._validate import real_array
from ..ended import Ended
from ..native.arrays import FREE
from ..problem import loss_file
from ..problem.loss import LayerLoss
from ..proof.certificate import Certificate
from ..tolerances import Tolerances
from .held_out import HeldOutLosses
from .records import Checkpoint, Steps, WalkOptions, WalkStatus

_HELD_OUT = ("at", "losses")
_WORDS = ("step", "rule", "proof", "plateau")


def write(parts: Mapping[str, Any], path: str | Path, force: bool) -> None:
    """Write the fields `parts` of a trajectory, with the data and the network, to `path`."""
    write_archive(path, "trajectory", to_arrays(parts), force)


def to_arrays(parts: Mapping[str, Any]) -> dict[str, Any]:
    """The fields `parts` of a trajectory, with the data and the network, as files hold them."""
    options, certificate = parts["options"], parts["certificate"]
    arrays = loss_file.to_arrays(parts["problem"])
    arrays["status"] = WalkStatus.of(parts["ended"], certificate).name
    arrays["ended"] = parts["ended"].name
    for name in ("elapsed", "theta", "tracked", "losses", "vertices", "basis", "descending"):
        arrays[name] = parts[name]
    for name in ("step", "rule", "seed", "proof", "proof_budget", "plateau"):
        arrays[f"option_{name}"] = getattr(options, name)
    arrays["option_tolerances"] = np.array(options.tolerances)
    for part, record in (
        ("steps", vars(parts["steps"])),
        ("checkpoint", vars(parts["checkpoint"])),
        ("certificate", certificate.to_arrays()),
    ):
        arrays.update({f"{part}_{name}": value for name, value in record.items()})
    if parts["held_out"] is not None:
        arrays.update({f"held_out_{name}": getattr(parts["held_out"], name) for name in _HELD_OUT})
    return arrays


def read(path: str | Path) -> dict[str, Any]:
    """The fields that :func:`write` wrote.

    Raises FileNotFoundError if there is no file, ValueError if it is another one or damaged.
    """
    return load_archive(path, "trajectory", from_arrays)


def from_arrays(arrays: Mapping[str, NDArray]) -> dict[str, Any]:
    """The fields of which :func:`to_arrays` gave the `arrays`; ValueError if they are not such."""

    def part(prefix: str) -> dict[str, Any]:
        return {
            name.removeprefix(prefix): value if value.ndim else value.item()
            for name, value in arrays.items()
            if name.startswith(prefix)
        }

    _check_options(arrays)
    problem = loss_file.from_arrays(arrays)
    if not isinstance(problem, LayerLoss):
        raise ValueError("the loss is not one of one layer")
    options = part("option_")
    options["tolerances"] = Tolerances(*map(float, options["tolerances"]))
    _check_shapes(arrays, problem)
    return {
        "ended": Ended[arrays["ended"].item()],
        "problem": problem,
        "options": WalkOptions(**options),
        "theta": arrays["theta"],
        "tracked": arrays["tracked"],
        "losses": arrays["losses"],
        "vertices": arrays["vertices"],
        "basis": arrays["basis"],
        "descending": arrays["descending"],
        "steps": Steps(**part("steps_")),
        "certificate": Certificate.from_arrays(part("certificate_")),
        "checkpoint": Checkpoint(**part("checkpoint_")),
        "elapsed": arrays["elapsed"].item(),
        "held_out": _held_out(arrays, problem),
    }


def _held_out(arrays: Mapping[str, NDArray], problem: LayerLoss) -> HeldOutLosses | None:
    """The held-out losses of a file, if there are any; ValueError if they do not fit."""
    if "held_out_at" not in arrays:
        return None
    length = arrays["held_out_at"].shape
    for name, dtype in zip(_HELD_OUT, ("i8", "f8"), strict=True):
        check_member(arrays, f"held_out_{name}", dtype, length)
    at, losses, vertices = arrays["held_out_at"], arrays["held_out_losses"], arrays["vertices"]
    if len(length) != 1 or not at.size:
        raise ValueError(f"held_out_at: expected some entries, found shape {length}")
    if at[0] < 0 or at[-1] >= len(vertices) or (np.diff(at) < 1).any():
        raise ValueError(f"held_out_at: expected ascending entries below {len(vertices)}")
    if np.isnan(losses).any():
        raise ValueError("held_out_losses: expected numbers, found nan")
    return HeldOutLosses.of(at, losses, vertices, problem)


def _check_options(arrays: Mapping[str, NDArray]) -> None:
    """ValueError if what a walk is resumed with is not of its kind."""
    for name in ("status", "ended", *(f"option_{name}" for name in _WORDS)):
        check_member(arrays, name, "U", ())
    for name, dtype in (("elapsed", "f8"), ("option_seed", "i")):
        check_member(arrays, name, dtype, ())
    check_member(arrays, "option_proof_budget", "f8", ())
    check_member(arrays, "option_tolerances", "f8", (len(Tolerances._fields),))


def _check_shapes(arrays: Mapping[str, NDArray], problem: LayerLoss) -> None:
    """ValueError if the arrays of a file do not fit together or to `problem`."""
    k, dim = len(arrays["losses"]), problem.n_free
    index = problem.index
    outputs, m = index.widths[index.residuals], int(index.slots[index.residuals])
    steps = {"length": "f8", "slope": "f8", "flipped": "b1"}
    expected: dict[str, tuple[str, tuple[int, ...]]] = {
        "theta": ("f8", problem.shape),
        "tracked": ("f8", (k,)),
        "losses": ("f8", (k,)),
        "vertices": ("f8", (k, *problem.shape)),
        "basis": ("i8", (k, dim)),
        "descending": ("i8", (k,)),
        "certificate_theta": ("f8", problem.shape),
        "checkpoint_n_pivots": ("i", ()),
        "checkpoint_theta": ("f8", (dim,)),
        "checkpoint_basis": ("i8", (dim,)),
        "checkpoint_side": ("b1", (index.hidden_neurons, len(problem.inputs) + index.weights)),
        "checkpoint_side_r": ("b1", (outputs, m)),
        "checkpoint_tied": ("i8", arrays["checkpoint_tied"].shape),
        "checkpoint_tied_w": ("f8", arrays["checkpoint_tied"].shape),
        "checkpoint_random": ("u8", (1,)),
        **{f"steps_{each.name}": (steps.get(each.name, "i8"), (k - 1,)) for each in fields(Steps)},
    }
    for name, (dtype, shape) in expected.items():
        check_member(arrays, name, dtype, shape)
    for name in ("theta", "vertices", "checkpoint_theta"):
        real_array(name, arrays[name], arrays[name].ndim)
    done = int(arrays["checkpoint_n_pivots"])
    if not 0 <= done < k:
        raise ValueError(f"checkpoint_n_pivots: expected one of {k} entries, found {done}")
    for name in ("basis", "checkpoint_basis", "checkpoint_tied", "steps_leaving", "steps_entering"):
        ids = arrays[name]
        if ids.size and not (ids.min() >= FREE and ids.max() < index.size):
            raise ValueError(
                f"{name}: expected breakpoint ids below {index.size}, found {ids.max()}"
            )


__all__ = ["from_arrays", "read", "to_arrays", "write"]
