"""Trajectories as files: the fields of a `Trajectory` in an npz archive, and back."""

import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .._files import load_archive, write_archive
from ..ended import Ended
from ..native.arrays import FREE
from ..problem.aliased import RankWarning
from ..problem.loss import LayerLoss
from ..problem.network import ReLUNetwork
from ..proof.certificate import Certificate
from ..tolerances import Tolerances
from .records import Checkpoint, Steps, WalkOptions, WalkStatus


def write(fields: Mapping[str, Any], path: str | Path, force: bool) -> None:
    """Write the fields of a trajectory, with the data and the network, to `path`."""
    problem, options, certificate = fields["problem"], fields["options"], fields["certificate"]
    arrays: dict[str, Any] = {f"network_{k}": v for k, v in problem.network.to_arrays().items()}
    for name in ("X", "y", "sample_weight", "layer", "kind", "tau", "fit_intercept"):
        arrays[name] = getattr(problem, name)
    arrays["decimals"] = problem.decimals.any
    arrays["status"] = WalkStatus.of(fields["ended"], certificate).name
    arrays["ended"] = fields["ended"].name
    for name in ("elapsed", "theta", "tracked", "losses", "vertices", "basis", "descending"):
        arrays[name] = fields[name]
    for name in ("step", "rule", "seed", "proof", "proof_budget", "plateau"):
        arrays[f"option_{name}"] = getattr(options, name)
    arrays["option_tolerances"] = np.array(options.tolerances)
    for part, record in (
        ("steps", vars(fields["steps"])),
        ("checkpoint", vars(fields["checkpoint"])),
        ("certificate", certificate.to_arrays()),
    ):
        arrays.update({f"{part}_{name}": value for name, value in record.items()})
    write_archive(path, "trajectory", arrays, force)


def read(path: str | Path) -> dict[str, Any]:
    """The fields that :func:`write` wrote.

    Raises FileNotFoundError if there is no file, ValueError if it is another one or damaged.
    """
    return load_archive(path, "trajectory", _fields)


def _fields(arrays: Mapping[str, NDArray]) -> dict[str, Any]:
    def part(prefix: str) -> dict[str, Any]:
        return {
            name.removeprefix(prefix): value if value.ndim else value.item()
            for name, value in arrays.items()
            if name.startswith(prefix)
        }

    kind = arrays["kind"].item()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RankWarning)  # said when the walk was made
        problem = LayerLoss(
            ReLUNetwork.from_arrays(part("network_")),
            arrays["X"],
            arrays["y"],
            arrays["layer"].item(),
            kind,
            arrays["tau"].item() if kind == "pinball" else None,
            arrays["sample_weight"],
            bool(arrays.get("decimals", True)),
            arrays["fit_intercept"].item() if "fit_intercept" in arrays else True,
        )
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
    }


def _check_shapes(arrays: Mapping[str, NDArray], problem: LayerLoss) -> None:
    """ValueError if the arrays of a file do not fit together or to `problem`."""
    k, dim = len(arrays["losses"]), problem.n_free
    index = problem.index
    outputs, m = index.widths[-1], int(index.columns[-1])
    rank = len(arrays["certificate_active"])
    expected: dict[str, tuple[int, ...]] = {
        "theta": problem.shape,
        "tracked": (k,),
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
        "checkpoint_side": (index.hidden_neurons, len(problem.inputs)),
        "checkpoint_side_r": (outputs, m),
        "checkpoint_random": (1,),
        **{name: (k - 1,) for name in arrays if name.startswith("steps_")},
    }
    for name, shape in expected.items():
        if arrays[name].shape != shape:
            raise ValueError(f"{name}: expected shape {shape}, found {arrays[name].shape}")
    for name in ("basis", "checkpoint_basis", "checkpoint_tied"):
        ids = arrays[name]
        if ids.size and not (ids.min() >= FREE and ids.max() < index.size):
            raise ValueError(
                f"{name}: expected breakpoint ids below {index.size}, found {ids.max()}"
            )


__all__ = ["read", "write"]
