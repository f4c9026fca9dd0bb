"""What all estimators check alike: data, weights, quantiles, loss figures."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import d2_pinball_score
from sklearn.utils.validation import _check_sample_weight, check_is_fitted, validate_data

from .._validate import real_array, share

Floats = NDArray[np.float64]
_SPARSE = ["csc", "csr", "coo"]
Weighted = tuple[Any, Floats, Floats | None]  # X, y and weights


def training_data(estimator: Any, X: Any, y: Any, weight: Any, sparse: bool) -> Weighted:
    """X, y and weights of a regression, as scikit-learn checks them."""
    X, y = validate_data(
        estimator, X, y, accept_sparse=sparse and _SPARSE, y_numeric=True, dtype=np.float64
    )
    if weight is not None:
        weight = _check_sample_weight(weight, X, dtype=np.float64, ensure_non_negative=True)
    return X, np.asarray(y, float), weight


def inputs(estimator: Any, X: Any, sparse: bool = False) -> Any:
    """X of a prediction."""
    check_is_fitted(estimator)
    return validate_data(
        estimator, X, accept_sparse=sparse and _SPARSE, reset=False, dtype=np.float64
    )


def levels(name: str, value: Any) -> tuple[list[float], bool]:
    """One or several quantiles, strictly ascending, and whether it is several."""
    if np.ndim(value) == 0:
        return [share(name, value)], False
    taus = [share(f"{name}[{k}]", tau) for k, tau in enumerate(real_array(name, value, 1).tolist())]
    if not taus or (np.diff(taus) <= 0.0).any():
        raise ValueError(f"{name}: expected quantiles in ascending order, found {value}")
    return taus, True


def shares_explained(y: Any, predicted: Floats, taus: list[float], weight: Any) -> float:
    """Mean over quantiles of the share of the pinball loss that is explained (D^2)."""
    scores = [
        d2_pinball_score(y, predicted[:, k], sample_weight=weight, alpha=tau)
        for k, tau in enumerate(taus)
    ]
    return float(np.mean(scores))


__all__ = ["Weighted", "inputs", "levels", "shares_explained", "training_data"]
