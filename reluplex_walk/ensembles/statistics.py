"""Figures of many walks in a table: medians, quartiles, shares, and how sure they are.

Nothing is assumed of how figures are distributed: many are ratios with heavy tails, some of them
infinite.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.stats import binom

from .._extras import need
from .._numbers import short
from .._validate import integer
from .unseen import LEVEL, share_interval

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

_TAIL = (1.0 - LEVEL) / 2.0
_AT_ONCE = 2**20  # numbers that are summed up together

NAMES = (
    *("n", "median", "low", "high", "lower_quartile", "upper_quartile"),
    *("share", "share_low", "share_high"),
)


def statistics(
    columns: Mapping[str, ArrayLike],
    groups: ArrayLike | None = None,
    seed: int = 0,
    replications: int = 2000,
) -> Any:
    """Medians and quartiles of several figures, with intervals of 95 %.

    Without `groups` walks are independent.  The interval of a median then lies between two order
    statistics and holds with at least 95 %, whatever the distribution is; below 6 walks there is
    none.  The interval of a share is that of Clopper and Pearson (1934).

    With `groups` only the groups are independent: walks on the same problem are alike.  The
    intervals are percentiles over `replications` samples of whole groups, drawn with replacement
    (cluster bootstrap); with fewer than some 20 groups they are too short, with one there are none.

    Parameters
    ----------
    columns : mapping of str to array_like (W,)
        Figures of W walks, None or NaN where one is not defined; those are left out.
    groups : array_like (W,), optional
        The problem of each walk, or whatever else makes walks alike.
    seed : int, default 0
        Of the bootstrap.
    replications : int, default 2000

    Returns
    -------
    pandas.DataFrame
        A row for each figure.  ``n`` walks have it; ``median`` with the interval ``low`` to
        ``high``; ``lower_quartile`` and ``upper_quartile``; and where all are 0 or 1 the ``share``
        of ones with ``share_low`` and ``share_high``.  NaN where there is no such number.  With
        `groups` also ``groups``, how many of them have the figure.

    Raises
    ------
    ValueError, TypeError
        If an argument does not fit.
    ImportError
        If pandas is not installed.

    Examples
    --------
    >>> import reluplex_walk as rw
    >>> rate = [0.3, 0.1, None, 0.2, 0.5, 0.4, 0.7]
    >>> table = rw.measures.statistics({"rate": rate, "met": [1, 1, 0, 1, 1, 0, 1]})
    >>> table.loc["rate", ["n", "median", "low", "high"]].tolist()
    [6.0, 0.35, 0.1, 0.7]
    >>> table.loc["met", ["share", "share_low", "share_high"]].round(2).tolist()
    [0.71, 0.29, 0.96]
    """
    pd = need("pandas", "statistics:")
    seed, replications = integer("seed", seed, 0), integer("replications", replications, 1)
    named = _columns(columns)
    lengths = {len(values) for values in named.values()}
    cluster = None if groups is None else _clusters(groups, max(lengths, default=0))
    rows = {name: _row(values, cluster, seed, replications) for name, values in named.items()}
    names = NAMES if cluster is None else (*NAMES, "groups")
    table = pd.DataFrame.from_dict(rows, orient="index", columns=names)
    counts = [name for name in names if name in ("n", "groups")]
    return table.astype(dict.fromkeys(counts, np.int64))


def median_ranks(n: int) -> tuple[int, int] | None:
    """Which of n sorted values, from 0, hold their median between them with at least 95 %.

    None if not even the least and the largest do.
    """
    below = int(binom.ppf(_TAIL, n, 0.5)) if n else 0  # fewer are below the median with < 2.5 %
    return (below - 1, n - below) if below else None


# ---------------------------------------------------------------- one figure


def _row(values: Floats, cluster: Ints | None, seed: int, replications: int) -> list[float]:
    defined = ~np.isnan(values)
    order = np.argsort(values[defined], kind="stable")
    x = values[defined][order]
    if not x.size:
        return [0, *[np.nan] * (len(NAMES) - 1), *([] if cluster is None else [0])]
    yes_no = bool(np.isin(x, (0.0, 1.0)).all())
    share = float(x.mean()) if yes_no else np.nan
    middle = [_quantile(x, q) for q in (0.25, 0.5, 0.75)]
    if cluster is None:
        ranks, few = median_ranks(x.size), []
        interval = (np.nan, np.nan) if ranks is None else (x[ranks[0]], x[ranks[1]])
        low, high = share_interval([x.sum() if yes_no else 0.0], x.size)
        shares = (low[0], high[0])
    else:
        _, members = np.unique(cluster[defined][order], return_inverse=True)
        few = [int(members.max()) + 1]
        interval, shares = _bootstrap(x, members, seed, replications)
    shares = shares if yes_no else (np.nan, np.nan)
    return [x.size, middle[1], *interval, middle[0], middle[2], share, *shares, *few]


def _quantile(x: Floats, q: float) -> float:
    """Of sorted numbers, linear between two of them; these may be infinite."""
    place = q * (x.size - 1)
    k = int(place)
    if place == k or x[k] == x[k + 1] or np.isinf(x[k]):
        return float(x[k])
    return float(x[k] + (place - k) * (x[k + 1] - x[k]))


def _bootstrap(
    x: Floats, members: Ints, seed: int, replications: int
) -> tuple[tuple[float, float], tuple[float, float]]:
    """Percentile intervals of the median and of the mean of sorted `x` with its group `members`."""
    n_groups = int(members.max()) + 1
    if n_groups < 2:
        return (np.nan, np.nan), (np.nan, np.nan)
    rng = np.random.default_rng(seed)
    often = rng.multinomial(n_groups, np.full(n_groups, 1.0 / n_groups), replications)
    medians, step = np.empty(replications), max(1, _AT_ONCE // x.size)
    for start in range(0, replications, step):
        some = slice(start, start + step)
        until = np.cumsum(often[some][:, members], axis=1)  # values up to each, repeated ones too
        total = until[:, -1:]
        lower = x[(until <= (total - 1) // 2).sum(axis=1)]
        upper = x[(until <= total // 2).sum(axis=1)]
        medians[some] = np.where(lower == upper, lower, lower / 2.0 + upper / 2.0)
    sums = np.bincount(members, np.where(np.isfinite(x), x, 0.0))
    means = often @ sums / (often @ np.bincount(members))
    return _percentiles(medians), _percentiles(means)


def _percentiles(found: Floats) -> tuple[float, float]:
    found = np.sort(found)
    return _quantile(found, _TAIL), _quantile(found, 1.0 - _TAIL)


# ---------------------------------------------------------------- what is given


def _columns(columns: Any) -> dict[str, Floats]:
    if not isinstance(columns, Mapping):
        raise TypeError(f"columns: expected a dict of arrays, found {short(columns)}")
    named = {name: _column(str(name), values) for name, values in columns.items()}
    lengths = {name: values.size for name, values in named.items()}
    first = next(iter(lengths), None)
    for name, n in lengths.items():
        if first is not None and n != lengths[first]:
            raise ValueError(
                f"columns: expected one length, found {lengths[first]} for {first!r} and {n} for "
                f"{name!r}"
            )
    return named


def _column(name: str, values: Any) -> Floats:
    """Numbers, NaN where one is missing."""
    try:
        column = np.asarray([np.nan if each is None else each for each in values], np.float64)
    except (TypeError, ValueError):
        raise TypeError(f"columns[{name!r}]: expected numbers or None, found others") from None
    if column.ndim != 1:
        raise ValueError(
            f"columns[{name!r}]: expected an array of shape (W,), found shape {column.shape}"
        )
    return column


def _clusters(groups: ArrayLike, n: int) -> Ints:
    """The number of the group of each walk, (W,)."""
    labels = np.asarray(groups)
    if labels.shape != (n,):
        raise ValueError(f"groups: expected an array of shape ({n},), found shape {labels.shape}")
    return np.asarray(np.unique(labels, return_inverse=True)[1], np.int64)


__all__ = ["NAMES", "median_ranks", "statistics"]
