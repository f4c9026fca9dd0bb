"""What MODEL means on the command line: a file of ours, a folder with one, or an ONNX file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from . import recipe_file
from .output import NETWORK, ONNX, TRAINING, TRAJECTORY
from .recipe_file import COLUMNS
from .table import Recipe

if TYPE_CHECKING:
    from ..optimize.training.fit import TrainingFit
    from ..problem.network import ReLUNetwork
    from ..simplex.trajectory import Trajectory


class Model(NamedTuple):
    """A network, and what is known of it."""

    source: Path
    network: ReLUNetwork
    result: Trajectory | TrainingFit | None = None  # whose network it is

    @property
    def fingerprint(self) -> str | None:
        """That of the loss that ``columns.json`` belongs to, None for a network alone."""
        from ..simplex.trajectory import Trajectory

        if self.result is None:
            return None
        if isinstance(self.result, Trajectory):
            return self.result.problem.fingerprint
        return fingerprint_of(self.result)

    def trained_for(self) -> dict[str, Any]:
        """Kind, tau and penalty of the loss it was trained for, if that is known."""
        from ..simplex.trajectory import Trajectory

        found = self.result
        if found is None:
            return {}
        loss = found.problem if isinstance(found, Trajectory) else found
        return {"kind": loss.kind, "tau": loss.tau, "penalty": getattr(loss, "penalty", 0.0)}

    def recipe(self) -> Recipe | None:
        """Which columns the network reads, if ``columns.json`` beside it says so."""
        return recipe_file.read(self.source.parent / COLUMNS, self.fingerprint)


def fingerprint_of(fit: TrainingFit) -> str:
    """Of the loss of the last layer, by which ``columns.json`` names a fit."""
    return fit.layer_loss(fit.network.n_layers - 1).fingerprint


def source_of(result: Path) -> Path:
    """The file that RESULT, a file or a folder with one, means."""
    if not result.is_dir():
        return result
    found = [name for name in (TRAJECTORY, TRAINING) if (result / name).exists()]
    if len(found) > 1:
        raise ValueError(f"{result} holds {' and '.join(found)}: name the one that is meant")
    found += [name for name in (NETWORK, ONNX) if (result / name).exists()]
    return result / (found[0] if found else TRAJECTORY)


def load(result: Path) -> Model:
    """The model that `result` means; ValueError or FileNotFoundError if it is none."""
    import reluplex_walk as rw

    from .._files import kind_of

    source = source_of(result)
    if source.suffix.lower() == ".onnx":
        try:
            return Model(source, rw.ReLUNetwork.from_onnx(source))
        except ImportError as error:
            raise ValueError(f"{source}: {error}") from None
    kind = kind_of(source)
    if kind == "network":
        return Model(source, rw.ReLUNetwork.load(source))
    load = rw.TrainingFit.load if kind == "training" else rw.Trajectory.load
    found: Trajectory | TrainingFit = load(source)
    return Model(source, found.network, found)


def load_result(result: Path) -> tuple[Model, Trajectory | TrainingFit]:
    """The same where a walk or a fit is meant: a network alone claims nothing."""
    model = load(result)
    if model.result is None:
        raise ValueError(
            f"expected a {TRAJECTORY}, a {TRAINING} or a folder with one, "
            f"found a network alone at {model.source}"
        )
    return model, model.result


__all__ = ["Model", "fingerprint_of", "load", "load_result", "source_of"]
