"""How walks on real data end: data sets that come with scikit-learn and statsmodels.

    python -m benchmarks real [--seeds 10] [--rows 300] [--hidden 3] [--step adjacent] [--data NAME]

Networks p-3-1, the first layer trained, on the numbers as they are, counts, years and dollars side
by side; of larger data sets a random 300 rows, of the digits every third pixel.  One row per data
set: walks proved and not proved, by reason, refused proofs, median of the pivots, processor time of
all walks and of their checks.  The exit code is 1 if a proof is refused.
"""

import argparse
import sys
import time
import warnings
from collections import Counter
from collections.abc import Callable
from typing import Any

import numpy as np

import reluplex_walk as rw
from benchmarks.claims import reason

Data = tuple[Any, Any]  # X (n, p), y (n,)


def _sklearn(name: str, **options: Any) -> Data:
    from sklearn import datasets

    data = getattr(datasets, f"load_{name}")(**options)
    return data.data, data.target


def _digits() -> Data:
    X, y = _sklearn("digits")
    return X[:, X.std(axis=0) > 0][:, ::3], y


def _linnerud() -> Data:
    X, y = _sklearn("linnerud")
    return X, y[:, 0]


def _statsmodels(name: str) -> Data:
    from statsmodels import datasets

    data = getattr(datasets, name).load_pandas()
    return data.exog.select_dtypes("number"), data.endog


def _columns(name: str, target: str, *features: str) -> Data:
    from statsmodels import datasets

    data = getattr(datasets, name).load_pandas().data
    return data[list(features)], data[target]


def _star98() -> Data:
    X, y = _statsmodels("star98")
    return X, y.iloc[:, 0]


DATA: dict[str, Callable[[], Data]] = {
    "iris": lambda: _sklearn("iris"),
    "wine": lambda: _sklearn("wine"),
    "diabetes": lambda: _sklearn("diabetes", scaled=False),
    "breast cancer": lambda: _sklearn("breast_cancer"),
    "linnerud": _linnerud,
    "digits": _digits,
    **{
        name: lambda name=name: _statsmodels(name)  # type: ignore[misc]
        for name in (
            "anes96", "cancer", "ccard", "committee", "copper", "cpunish", "engel", "fair",
            "grunfeld", "longley", "modechoice", "randhie", "scotland", "spector", "stackloss",
            "statecrime", "strikes",
        )
    },
    "star98": _star98,
    "macrodata": lambda: _columns("macrodata", "infl", "year", "quarter", "realgdp", "unemp"),
    "nile": lambda: _columns("nile", "volume", "year"),
    "sunspots": lambda: _columns("sunspots", "SUNACTIVITY", "YEAR"),
}  # fmt: skip


def load(name: str, rows: int) -> tuple[np.ndarray, np.ndarray]:
    """X and y of a data set, at most `rows` rows."""
    X, y = (np.asarray(part, float) for part in DATA[name]())
    if len(X) > rows:
        some = np.sort(np.random.default_rng(0).permutation(len(X))[:rows])
        X, y = X[some], y[some]
    return X, y


def main(argv: list[str]) -> None:
    parser = argparse.ArgumentParser(prog="benchmarks real", description=__doc__)
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--rows", type=int, default=300)
    parser.add_argument("--hidden", type=int, default=3)
    parser.add_argument("--step", default="adjacent", choices=["adjacent", "long"])
    parser.add_argument("--data", nargs="+", choices=list(DATA), default=list(DATA))
    options = parser.parse_args(argv)
    warnings.simplefilter("ignore", getattr(rw, "RankWarning", UserWarning))
    print(
        "data              n   p  proved  not  refused  pivots  walk, s  verify, s"
        "  not proved, by reason"
    )
    walks, every, refusals = 0, Counter[str](), 0
    for name in options.data:
        X, y = load(name, options.rows)
        reasons, refused, pivots, walking, checking = Counter[str](), 0, [], 0.0, 0.0
        for seed in range(options.seeds):
            network = rw.ReLUNetwork.random([X.shape[1], options.hidden, 1], seed=seed)
            loss, began = rw.LayerLoss(network, X, y), time.process_time()
            traj = rw.walk(loss, step=options.step, seed=seed)
            walking += time.process_time() - began
            pivots.append(traj.n_pivots)
            if not traj.status.proved:
                reasons[reason(traj.certificate)] += 1
                continue
            began = time.process_time()
            try:
                traj.verify()
            except rw.CertificateError as error:
                refused += 1
                print(f"{name}, seed {seed}: {error}")
            checking += time.process_time() - began
        walks, every, refusals = walks + options.seeds, every + reasons, refusals + refused
        left = sum(reasons.values())
        print(
            f"{name:<14} {len(X):>4} {X.shape[1]:>3} {options.seeds - left:>7} {left:>4} "
            f"{refused:>8} {np.median(pivots):>7g} {walking:>7.1f} {checking:>9.1f}  "
            + ", ".join(f"{key} {n}" for key, n in reasons.items()),
            flush=True,
        )
    left = sum(every.values())
    each = ", ".join(f"{key} {n}" for key, n in every.items())
    print(f"all: {left} of {walks} not proved ({left / walks:.2%}): {each}; {refusals} refused")
    sys.exit(refusals > 0)
