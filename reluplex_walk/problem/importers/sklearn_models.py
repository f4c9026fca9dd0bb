"""Networks that scikit-learn has trained (extra ``sklearn``)."""

from typing import Any

import numpy as np

from ..network import ReLUNetwork
from .chain import Chain


def read(model: Any) -> ReLUNetwork:
    """The network of an MLPRegressor or MLPClassifier, or of a pipeline that ends with one."""
    chain, steps = Chain(None), list(getattr(model, "steps", [("model", model)]))
    for name, scaler in steps[:-1]:
        _scale(chain, f"{name} ({type(scaler).__name__})", scaler)
    name, mlp = steps[-1]
    kind = type(mlp).__name__
    if kind not in ("MLPRegressor", "MLPClassifier"):
        raise TypeError(f"model: expected an MLPRegressor or MLPClassifier, found {kind}")
    if not hasattr(mlp, "coefs_"):
        raise ValueError("model: expected one that is fitted, found one that is not")
    if mlp.activation not in ("relu", "identity"):
        raise ValueError(f"model: expected the activation relu, found {mlp.activation}")
    if mlp.out_activation_ not in ("identity", "logistic", "softmax"):  # of logits
        raise ValueError(f"model: expected outputs as they are, found {mlp.out_activation_}")
    for layer, (w, b) in enumerate(zip(mlp.coefs_, mlp.intercepts_, strict=True)):
        if layer and mlp.activation == "relu":
            chain.activation(f"layer {layer}", 0.0)
        matrix = np.array(w.T, np.float64, order="C")
        chain.affine(f"layer {layer}", matrix, np.array(b, np.float64), (len(matrix),))
    return chain.network()


def _scale(chain: Chain, name: str, scaler: Any) -> None:
    """A step that scales the columns."""
    kind = type(scaler).__name__
    if kind == "StandardScaler" and hasattr(scaler, "scale_"):
        n = scaler.n_features_in_
        scale = 1.0 / scaler.scale_ if scaler.with_std else np.ones(n)
        shift = -scaler.mean_ * scale if scaler.with_mean else np.zeros(n)
    elif kind == "MinMaxScaler" and hasattr(scaler, "scale_") and not scaler.clip:
        scale, shift = scaler.scale_, scaler.min_
    elif scaler == "passthrough" or scaler is None:
        return
    else:
        raise ValueError(f"{name}: expected a fitted StandardScaler or MinMaxScaler before it")
    if chain.shape is None:
        chain.shape = (len(scale),)
    chain.scaled(name, scale, shift)


__all__ = ["read"]
