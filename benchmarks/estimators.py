"""Prediction by the estimators on ten real data sets, by nested cross-validation.

    OMP_NUM_THREADS=1 python -m benchmarks estimators [--folds 5] [--data NAME ...] [--save FILE]
    OMP_NUM_THREADS=1 python -m benchmarks estimators --show FILE ...
    OMP_NUM_THREADS=1 python -m benchmarks estimators --speed

Mean absolute error on outer folds, relative to that of linear LAD.  Each method goes through its
settings by inner cross-validation with three folds and is refitted with the best on the outer
fold's training rows.  Equal processor time: rivals begin no further setting once they have spent
what ours (which goes first) has spent on the same fold; the first setting is always finished.  At
the end the mean ranks (linear LAD out of the running), the worst case against linear LAD, and
the median seconds of a fold.  The defaults of ours were chosen on other data (Friedman's three
functions, anes96, macrodata, ccard, sunspots, digits, modechoice).

With --speed: QuantileRegressor against scikit-learn's (HiGHS) at 10,000 rows, processor time, and
the largest difference of coefficients.
"""

import argparse
import json
import time
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from scipy.stats import rankdata

import reluplex_walk as rw

from ._extra import need

Data = tuple[np.ndarray, np.ndarray]


def _sklearn(name: str, target: int | None = None) -> Data:
    data = getattr(need("sklearn.datasets"), f"load_{name}")()
    if target is None:
        return data.data, data.target.astype(float)
    return np.delete(data.data, target, axis=1), data.data[:, target]


def _ours(name: str) -> Data:
    data = getattr(rw.datasets, f"load_{name}")()
    return data.X, data.y


def _statsmodels(name: str) -> Data:
    data = getattr(need("statsmodels.api").datasets, name).load_pandas()
    y = np.asarray(data.endog, float)
    X = data.exog.select_dtypes("number").to_numpy(float)
    y = y if y.ndim == 1 else y[:, 0]
    some = np.random.default_rng(0).permutation(len(y))[:1000]
    return X[some], y[some]


DATA: dict[str, Callable[[], Data]] = {
    "diabetes": lambda: _sklearn("diabetes"),
    "iris": lambda: _sklearn("iris", 3),  # petal width
    "wine": lambda: _sklearn("wine", 0),  # alcohol
    "breast cancer": lambda: _sklearn("breast_cancer", 0),  # mean radius
    "engel": lambda: _ours("engel"),
    "motorcycle": lambda: _ours("motorcycle"),
    "star98": lambda: _statsmodels("star98"),
    "grunfeld": lambda: _statsmodels("grunfeld"),
    "fair": lambda: _statsmodels("fair"),
    "randhie": lambda: _statsmodels("randhie"),
}


def methods() -> dict[str, list[Any]]:
    """The settings of each method, in the order in which they are tried."""
    ensemble, linear = need("sklearn.ensemble"), need("sklearn.linear_model")
    ours = rw.estimators.ReLURegressor
    return {
        "ReLURegressor": [ours(hidden, n_nets=10) for hidden in ((32,), (8,))],
        "MLP adam": [
            _mlp(hidden_layer_sizes=(h,), alpha=a, max_iter=1000)
            for h, a in ((50, 1.0), (50, 1e-4), (100, 10.0), (16, 1.0))
        ],
        "MLP lbfgs": [
            _mlp(hidden_layer_sizes=(h,), alpha=a, solver="lbfgs", max_iter=1000)
            for h, a in ((8, 1.0), (8, 10.0), (32, 10.0), (32, 1.0), (8, 1e-4), (8, 100.0))
        ],
        "HistGB": [
            ensemble.HistGradientBoostingRegressor(
                loss="absolute_error", learning_rate=rate, max_leaf_nodes=leaves, random_state=0
            )
            for rate, leaves in ((0.1, 31), (0.1, 6), (0.03, 31), (0.03, 6))
        ],
        "RandomForest": [
            ensemble.RandomForestRegressor(max_features=share, min_samples_leaf=k, random_state=0)
            for share, k in ((1.0, 1), (0.33, 1), (1.0, 5), (0.33, 5))
        ],
        "QuantileRegr.": [linear.QuantileRegressor(alpha=a) for a in (0.0, 0.001, 0.01, 0.1, 1.0)],
    }


def _mlp(**options: Any) -> Any:
    """Of standardised features and targets, as ours has them within."""
    preprocessing, pipeline = need("sklearn.preprocessing"), need("sklearn.pipeline")
    network = need("sklearn.neural_network").MLPRegressor(random_state=0, **options)
    scaled = pipeline.make_pipeline(preprocessing.StandardScaler(), network)
    return need("sklearn.compose").TransformedTargetRegressor(
        scaled, transformer=preprocessing.StandardScaler()
    )


def folds(n: int, k: int, seed: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    fold = np.random.default_rng(seed).permutation(np.arange(n) % k)
    return ((np.flatnonzero(fold != j), np.flatnonzero(fold == j)) for j in range(k))


def error(model: Any, X: np.ndarray, y: np.ndarray, seen: Any, rest: Any) -> float:
    return float(np.abs(model.fit(X[seen], y[seen]).predict(X[rest]) - y[rest]).mean())


def nested(settings: list[Any], X: Any, y: Any, seen: Any, rest: Any, budget: float) -> Any:
    """The error on the rows `rest`, and the seconds spent."""
    began, found = time.process_time(), []
    for model in settings:
        if found and time.process_time() - began > budget:
            break
        inner = folds(len(seen), 3, seed=1)
        found.append(np.mean([error(model, X, y, seen[a], seen[b]) for a, b in inner]))
    best = settings[int(np.argmin(found))]
    return error(best, X, y, seen, rest), time.process_time() - began


def measure(name: str, n_folds: int) -> dict[str, Any]:
    """Errors and seconds of all methods on a data set."""
    X, y = DATA[name]()
    errors: dict[str, list[float]] = {"linear LAD": []}
    seconds: dict[str, list[float]] = {}
    for seen, rest in folds(len(y), n_folds, seed=0):
        errors["linear LAD"].append(error(rw.estimators.LADRegressor(), X, y, seen, rest))
        budget = np.inf
        for method, settings in methods().items():
            e, s = nested(settings, X, y, seen, rest, budget)
            budget = s if method == "ReLURegressor" else budget
            errors.setdefault(method, []).append(e)
            seconds.setdefault(method, []).append(s)
    means = {method: float(np.mean(each)) for method, each in errors.items()}
    return {"name": name, "shape": X.shape, "errors": means, "seconds": seconds}


def show(rows: list[dict[str, Any]]) -> None:
    known = list(rows[0]["seconds"])
    relative = np.array([[r["errors"][m] / r["errors"]["linear LAD"] for m in known] for r in rows])
    print(f"{'data':<14}{'n':>5}{'p':>4}{'LAD':>10}", *(f"{m:>14}" for m in known))
    for r, values in zip(rows, relative, strict=True):
        n, p = r["shape"]
        line = f"{r['name']:<14}{n:>5}{p:>4}{r['errors']['linear LAD']:>10.4g}"
        print(line, *(f"{v:>14.3f}" for v in values))
    ranks = rankdata(relative.round(9), axis=1).mean(axis=0)
    print(f"{'mean rank':<33}", *(f"{v:>14.2f}" for v in ranks))
    print(f"{'geometric mean':<33}", *(f"{v:>14.3f}" for v in np.exp(np.log(relative).mean(0))))
    print(f"{'worst against linear LAD':<33}", *(f"{v:>14.3f}" for v in relative.max(axis=0)))
    times = [np.median([s for r in rows for s in r["seconds"][m]]) for m in known]
    print(f"{'seconds of a fold (median)':<33}", *(f"{v:>14.2f}" for v in times))


def speed() -> None:
    theirs = need("sklearn.linear_model").QuantileRegressor
    print("     n   p  quantile  alpha  scikit-learn, ms  ours, ms  ratio  difference")
    for n, p in ((10_001, 4), (10_001, 20)):
        rng = np.random.default_rng(0)
        X = rng.normal(size=(n, p))
        y = X @ rng.normal(size=p) + rng.standard_t(3, n)
        for quantile in (0.5, 0.83):
            for alpha in (0.0, 0.01, 0.1, 1.0):
                fits, ms = [], []
                for kind, repeats in ((theirs, 1), (rw.estimators.QuantileRegressor, 20)):
                    model = kind(quantile=quantile, alpha=alpha)
                    if kind is not theirs:
                        model.fit(X, y)  # compiles
                    began = time.process_time()
                    for _ in range(repeats):
                        model.fit(X, y)
                    ms.append((time.process_time() - began) / repeats * 1e3)
                    fits.append(np.append(model.coef_, model.intercept_))
                gap = np.abs(fits[0] - fits[1]).max()
                print(
                    f"{n:>6} {p:>3} {quantile:>9} {alpha:>6} {ms[0]:>17.0f} {ms[1]:>9.2f} "
                    f"{ms[0] / ms[1]:>6.0f} {gap:>11.0e}",
                    flush=True,
                )


def main(argv: list[str]) -> None:
    parser = argparse.ArgumentParser(prog="benchmarks estimators", description=__doc__)
    parser.add_argument("--folds", type=int, default=5)
    parser.add_argument("--data", nargs="+", choices=list(DATA), default=list(DATA))
    parser.add_argument("--save", type=Path)
    parser.add_argument("--show", nargs="+", type=Path)
    parser.add_argument("--speed", action="store_true")
    options = parser.parse_args(argv)
    warnings.simplefilter("ignore")  # of rivals that did not converge
    if options.speed:
        return speed()
    if options.show:
        return show([row for path in options.show for row in json.loads(path.read_text())])
    rw.estimators.ReLURegressor(n_nets=1).fit(np.eye(20), np.arange(20.0))  # compiles
    rows = []
    for name in options.data:
        rows.append(measure(name, options.folds))
        print(name, {m: round(e, 4) for m, e in rows[-1]["errors"].items()}, flush=True)
        if options.save:
            options.save.write_text(json.dumps(rows))
    show(rows)
    return None
