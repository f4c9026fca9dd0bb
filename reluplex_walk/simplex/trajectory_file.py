"""The file of a trajectory: its fields, with the data and the network, as a versioned archive."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .._files import open_archive, write_archive
from ..ended import Ended
from ..native.arrays import FREE
from ..problem.loss import LayerLoss
from ..problem.network import ReLUNetwork
from ..proof.certificate import Certificate
from ..tolerances import Tolerances
from .records import Checkpoint, Steps, WalkOptions, WalkStatus

_RECORDS = {"steps": Steps, "certificate": Certificate, "checkpoint": Checkpoint}


def write(path: str | Path, fields: Mapping[str, Any], force: bool) -> None:
    """Write the fields of a trajectory; FileExistsError if `path` exists, unless `force`."""
    loss, options = fields["problem"], fields["options"]
    arrays = {f"network_{name}": value for name, value in loss.network.to_arrays().items()}
    for name in ("X", "y", "sample_weight", "layer", "kind", "tau"):
        arrays[name] = getattr(loss, name)
    for name in ("elapsed", "losses", "vertices", "basis", "descending"):
        arrays[name] = fields[name]
    arrays["ended"] = fields["ended"].name
    arrays["status"] = WalkStatus.of(fields["ended"], fields["certificate"]).name
    for name in ("step", "rule", "seed", "proof_budget", "plateau"):
        arrays[f"option_{name}"] = getattr(options, name)
    arrays["option_tolerances"] = np.array(options.tolerances)
    for part in _RECORDS:
        arrays.update({f"{part}_{name}": value for name, value in vars(fields[part]).items()})
    write_archive(path, "trajectory", arrays, force)


def read(path: str | Path) -> dict[str, Any]:
    """The fields of a trajectory that :func:`write` wrote; ValueError if the file is damaged."""
    arrays = open_archive(path, "trajectory")
    try:
        return _fields(arrays)
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError(f"path: damaged trajectory file {path} ({error})") from None


def _fields(arrays: Mapping[str, NDArray]) -> dict[str, Any]:
    def part(prefix: str) -> dict[str, Any]:
        return {
            name.removeprefix(prefix): value if value.ndim else value.item()
            for name, value in arrays.items()
            if name.startswith(prefix)
        }

    kind = arrays["kind"].item()
    loss = LayerLoss(
        ReLUNetwork.from_arrays(part("network_")),
        arrays["X"],
        arrays["y"],
        arrays["layer"].item(),
        kind,
        arrays["tau"].item() if kind == "pinball" else None,
        arrays["sample_weight"],
    )
    options = part("option_")
    options["tolerances"] = Tolerances(*map(float, options["tolerances"]))
    _check_shapes(arrays, loss)
    return {
        "ended": _ended(arrays),
        "problem": loss,
        "options": WalkOptions(**options),
        "elapsed": arrays["elapsed"].item(),
        **{name: arrays[name] for name in ("losses", "vertices", "basis", "descending")},
        **{name: record(**part(f"{name}_")) for name, record in _RECORDS.items()},
    }


def _ended(arrays: Mapping[str, NDArray]) -> Ended:
    """Why the walk of a file stopped; older files tell it by the status alone."""
    if "ended" in arrays:
        return Ended[arrays["ended"].item()]
    status = WalkStatus[arrays["status"].item()]
    if status is WalkStatus.PIVOT_LIMIT:
        return Ended.WORK_LIMIT
    return Ended.__members__.get(status.name, Ended.FINISHED)


def _check_shapes(arrays: Mapping[str, NDArray], problem: LayerLoss) -> None:
    """ValueError if the arrays of a file do not fit together or to `problem`."""
    k, dim = len(arrays["losses"]), problem.dim
    native = problem.problem
    n, m = native.x.shape[1], native.owner.size
    hidden = int(native.row[problem.n_hidden])
    rank = len(arrays["certificate_active"])
    expected: dict[str, tuple[int, ...]] = {
        "losses": (k,),
        "vertices": (k, *problem.shape),
        "basis": (k, dim),
        "descending": (k,),
        "certificate_slopes": (2 * rank,),
        "certificate_slope_tolerances": (2 * rank,),
        "certificate_active": (rank, 3),
        "certificate_theta": problem.shape,
        "certificate_sides": (rank + len(arrays["certificate_tied"]),),
        "checkpoint_theta": (dim,),
        "checkpoint_basis": (dim,),
        "checkpoint_side": (hidden, n),
        "checkpoint_side_r": (problem.network.widths[-1], m),
        "checkpoint_random": (1,),
        **{name: (k - 1,) for name in arrays if name.startswith("steps_")},
    }
    for name, shape in expected.items():
        if arrays[name].shape != shape:
            raise ValueError(f"{name}: expected shape {shape}, found {arrays[name].shape}")
    limit = hidden * n + problem.network.widths[-1] * m
    for name in ("basis", "checkpoint_basis", "checkpoint_tied"):
        ids = arrays[name]
        if ids.size and not (ids.min() >= FREE and ids.max() < limit):
            raise ValueError(f"{name}: expected breakpoint ids below {limit}, found {ids.max()}")


__all__ = ["read", "write"]
