"""Coefficients of quantile regressions over the quantile, with bands."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ..regression.quantile import quantile_path
from ._axes import BLUE, VERMILION, figure_title, panels

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from ..regression.parametric.process_fit import QuantileProcess

_BANDS = np.arange(1, 20) / 20.0  # quantiles whose intervals make the bands


def plot_process(
    process: QuantileProcess,
    level: float = 0.9,
    kind: str = "nid",
    figure: Figure | None = None,
    axes: Sequence[Axes] | None = None,
    title: str | None = None,
) -> list[Axes]:
    """Each coefficient over tau, exactly, with a band of confidence intervals.

    Parameters
    ----------
    process : QuantileProcess
        As from :func:`reluplex_walk.quantile_process`.
    level : float, default 0.9
        Of the intervals, those of fits at 0.05, 0.1, ... 0.95.
    kind : {"nid", "iid", "ker", "rank", "boot"}, default "nid"
        Of intervals: see :meth:`reluplex_walk.QuantileFit.conf_int`.
    figure : matplotlib Figure, optional
        An empty figure to draw on; default: a new one.
    axes : sequence of matplotlib Axes, optional
        One for each coefficient, in place of a figure.
    title : str, optional
        Above the figure.

    Returns
    -------
    list of matplotlib Axes
        One for each coefficient, the intercept first, without those that were not fitted.

    Raises
    ------
    ValueError
        If an argument does not fit, or `process` has no quantiles.
    ImportError
        If matplotlib is not installed.

    Examples
    --------
    >>> import reluplex_walk as rw
    >>> from matplotlib.figure import Figure
    >>> data = rw.datasets.load_engel()
    >>> process = rw.quantile_process(data.X, data.y)
    >>> axes = rw.plotting.plot_process(process, figure=Figure())
    >>> len(axes), axes[0].get_xlabel()
    (2, 'tau')
    """
    if not len(process.taus):
        raise ValueError("process: expected quantiles, found none; allow it more time")
    p = process.X.shape[1]
    titles = ["Intercept", *map(str, process.names.features or [f"x{k + 1}" for k in range(p)])]
    left_out = {*(process.aliased + 1).tolist(), *([] if process.fit_intercept else [0])}
    shown = [k for k in range(p + 1) if k not in left_out]
    bands = _bands(process, level, kind)
    axes = panels(axes, len(shown), 2, figure, (3.4, 2.6))
    for ax, k in zip(axes, shown, strict=True):
        ax.fill_between(_BANDS, bands[:, k, 0], bands[:, k, 1], color=BLUE, alpha=0.2, lw=0)
        ax.step(process.taus, process.coefficients[:, k], where="post", color=VERMILION, lw=1)
        ax.set(xlabel="tau", title=titles[k])
    figure_title(axes, title)
    return axes


def _bands(process: QuantileProcess, level: float, kind: str) -> Any:
    """Intervals (taus, p + 1, 2)."""
    fits = quantile_path(
        process.X,
        process.y,
        _BANDS.tolist(),
        sample_weight=process.sample_weight,
        fit_intercept=process.fit_intercept,
    )
    return np.array([fit.conf_int(kind, level) for fit in fits])


__all__ = ["plot_process"]
