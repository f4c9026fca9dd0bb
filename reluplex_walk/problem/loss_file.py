"""A loss in a file: network, data and options, among the arrays of what was found on it."""

import warnings
from collections.abc import Mapping
from typing import Any

from .._files import check_member
from .aliased import RankWarning
from .either import Loss
from .loss import LayerLoss
from .network import ReLUNetwork
from .network_loss import NetworkLoss

_NAMES = ("X", "y", "sample_weight", "kind", "tau")


def to_arrays(loss: Loss) -> dict[str, Any]:
    """All that defines `loss`, by name."""
    arrays: dict[str, Any] = {f"network_{k}": v for k, v in loss.network.to_arrays().items()}
    arrays.update({name: getattr(loss, name) for name in _NAMES})
    if isinstance(loss, NetworkLoss):
        return {**arrays, "block": loss.block}
    arrays.update(layer=loss.layer, fit_intercept=loss.fit_intercept)
    if loss.penalty:
        arrays["penalty"] = loss.penalty
    return {**arrays, "decimals": loss.decimals.any}


def from_arrays(arrays: Mapping[str, Any]) -> Loss:
    """The loss of which :func:`to_arrays` gave the `arrays`; ValueError if they are not such."""
    check_member(arrays, "kind", "U", ())
    check_member(arrays, "tau", "f8", ())
    prefix = "network_"
    network = ReLUNetwork.from_arrays(
        {name.removeprefix(prefix): a for name, a in arrays.items() if name.startswith(prefix)}
    )
    X, y, weight, kind = arrays["X"], arrays["y"], arrays["sample_weight"], arrays["kind"].item()
    tau = arrays["tau"].item() if kind == "pinball" else None
    if "block" in arrays:
        check_member(arrays, "block", "i8")
        return NetworkLoss(network, X, y, kind, arrays["block"].tolist(), tau, weight)
    check_member(arrays, "layer", "i", ())
    decimals = bool(arrays.get("decimals", True))
    intercept = arrays["fit_intercept"].item() if "fit_intercept" in arrays else True
    if "penalty" in arrays:
        check_member(arrays, "penalty", "f8", ())
    penalty = float(arrays["penalty"].item()) if "penalty" in arrays else 0.0
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RankWarning)  # said when the loss was made
        layer = arrays["layer"].item()
        return LayerLoss(network, X, y, layer, kind, tau, weight, decimals, intercept, penalty)


__all__ = ["from_arrays", "to_arrays"]
