"""LAD and quantile regression against the fastest codes, in one process and in turn.

    OMP_NUM_THREADS=1 python -m benchmarks lad [--repeats 7] [--large] [--plot lad.png]

Rivals: pyqreg2 (interior point, with and without preprocessing; the fit alone, no covariance),
pinball-qr (Frisch-Newton, the same with preprocessing, Barrodale-Roberts up to 10,000 values), and
scikit-learn's QuantileRegressor (HiGHS) at n = 10,000, d = 4.  Data: X and noise uniform; heavy
tails (Student t with 3 degrees of freedom, Cauchy noise); mixed (two integer features, Cauchy
noise, a tenth of the rows repeated).  Times are medians of wall time in ms, up to n d = 40,000 also
of five data sets; gap is our loss minus the best loss found by anyone, relative (the largest).
With --large also n = 10^6, against the two methods with preprocessing: the others take ten times
as long.  Needs the extra "bench".
"""

import argparse
import timeit
import warnings
from collections.abc import Callable

import numpy as np

import reluplex_walk as rw

from ._extra import need

SIZES = [(1000, 4), (10**4, 4), (10**5, 4), (10**4, 20), (10**5, 20), (1000, 100)]
"""(n, d)."""
LARGE = [(10**6, 4), (10**6, 9)]
KINDS = ("uniform", "heavy", "mixed")
TAUS = (0.5, 0.8)


def data(n: int, d: int, kind: str, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """X (n, d) and y (n,)."""
    rng = np.random.default_rng(seed)
    if kind == "uniform":
        X, noise = rng.uniform(-1, 1, (n, d)), rng.uniform(-1, 1, n)
    else:
        X, noise = rng.standard_t(3, (n, d)), rng.standard_cauchy(n)
    if kind == "mixed":
        X[:, 0], X[:, 1] = rng.integers(0, 2, n), rng.integers(0, 10, n)
    y = X @ rng.normal(size=d) + 1.0 + noise
    if kind == "mixed":
        again = rng.integers(0, n, n // 10)
        X[again], y[again] = X[again - 1], y[again - 1]
    return X, y


def loss(X: np.ndarray, y: np.ndarray, tau: float, coefficients: np.ndarray) -> float:
    """The pinball loss (intercept first)."""
    r = y - X @ coefficients[1:] - coefficients[0]
    return float(np.where(r > 0, tau * r, (tau - 1.0) * r).sum())


Fit = Callable[[], np.ndarray]


def rivals(X: np.ndarray, y: np.ndarray, tau: float) -> dict[str, Fit]:
    """What to time, by name: each returns coefficients, intercept first."""
    pyqreg = need("pyqreg")
    solvers = need("pinball.linear.solvers")
    rng_generator = need("pyqreg.utils").rng_generator
    Z = np.asfortranarray(np.column_stack([np.ones(len(y)), X]))

    def interior() -> np.ndarray:
        return np.ravel(pyqreg.QuantReg(y, Z).fit_ipm(tau, 1e-6))

    def preprocessed() -> np.ndarray:
        options = {"eps": 1e-6, "Mm_factor": 0.8, "max_bad_fixup": 3, "kappa_eps": 1e-6}
        found = pyqreg.QuantReg(y, Z).fit_preproc_ipm(tau, rng_generator(0), **options)
        return np.ravel(found)

    def pinball(name: str) -> Fit:
        return lambda: solvers.get_solver(name).solve(Z, y, tau).coefficients

    fits = {
        "pyqreg2 ipm": interior,
        "pyqreg2 pre": preprocessed,
        "pinball fnb": pinball("fnb"),
        "pinball pfn": pinball("pfn"),
    }
    if len(y) >= 10**6:
        fits = {name: fits[name] for name in ("pyqreg2 pre", "pinball pfn")}
    if X.size <= 10_000:
        fits["pinball br"] = pinball("br")
    return fits


def scikit_learn(X: np.ndarray, y: np.ndarray, tau: float) -> Fit:
    linear = need("sklearn.linear_model")

    def fit() -> np.ndarray:
        found = linear.QuantileRegressor(quantile=tau, alpha=0.0, solver="highs").fit(X, y)
        return np.append(found.intercept_, found.coef_)

    return fit


def timed(fits: dict[str, Fit], repeats: int) -> tuple[dict[str, float], dict[str, np.ndarray]]:
    """Median milliseconds of each, in turn after a warm-up, and its coefficients.

    A fit of less than 20 ms is repeated until they are full, as timeit does.
    """
    found = {name: fit() for name, fit in fits.items()}
    number = {}
    for name, fit in fits.items():
        number[name] = max(1, round(0.02 / timeit.timeit(fit, number=1)))
    times: dict[str, list[float]] = {name: [] for name in fits}
    for _ in range(repeats):
        for name, fit in fits.items():
            times[name].append(timeit.timeit(fit, number=number[name]) / number[name] * 1e3)
    return {name: float(np.median(t)) for name, t in times.items()}, found


def compare(
    X: np.ndarray, y: np.ndarray, tau: float, repeats: int
) -> tuple[float, str, float, float, bool]:
    """Our milliseconds, the fastest rival and its, our gap to the best loss, whether proved."""
    fits = {"ours": lambda: rw.quantile(X, y, tau).coefficients}
    ms, found = timed(fits | rivals(X, y, tau), repeats)
    losses = {name: loss(X, y, tau, found[name]) for name in found}
    best, ours = min(losses.values()), ms.pop("ours")
    fastest = min(ms, key=lambda name: ms[name])
    proved = rw.quantile(X, y, tau).status is rw.WalkStatus.GLOBAL_MINIMUM
    return ours, fastest, ms[fastest], (losses["ours"] - best) / best, proved


def main(argv: list[str]) -> None:
    parser = argparse.ArgumentParser(prog="benchmarks lad", description=__doc__)
    parser.add_argument("--repeats", type=int, default=7)
    parser.add_argument("--large", action="store_true")
    parser.add_argument("--plot", metavar="FILE")
    options = parser.parse_args(argv)
    warnings.simplefilter("ignore")  # of rivals
    print(
        "      n    d  data     tau   ours ms   fastest rival         ms   ratio      gap  proved"
    )
    rows = []
    for n, d in SIZES + LARGE * options.large:
        for kind in KINDS:
            for tau in TAUS:
                seeds = range(5 if n * d <= 40_000 else 1)
                row = [compare(*data(n, d, kind, seed), tau, options.repeats) for seed in seeds]
                ours, fastest, theirs, gaps, proved = zip(*row, strict=True)
                ratio = np.median(np.divide(ours, theirs))
                rows.append((f"{n}, {d}", kind, tau, float(ratio)))
                print(
                    f"{n:>7} {d:>4}  {kind:<8}{tau:<5}{np.median(ours):>8.2f}   {fastest[0]:<14}"
                    f"{np.median(theirs):>10.2f} {ratio:>7.2f} {max(gaps):>8.0e}  {all(proved)}",
                    flush=True,
                )
    X, y = data(10**4, 4, "uniform")
    ours = timed({"ours": lambda: rw.quantile(X, y, 0.5).coefficients}, options.repeats)[0]["ours"]
    theirs = timed({"scikit-learn": scikit_learn(X, y, 0.5)}, 1)[0]["scikit-learn"]
    print(
        f"n = 10,000, d = 4: ours {ours:.2f} ms, scikit-learn {theirs:.0f} ms, {theirs / ours:.0f}x"
    )
    if options.plot:
        draw(rows, options.plot)


def draw(rows: list[tuple[str, str, float, float]], path: str) -> None:
    """Our time over the fastest rival's, one line for each kind of data and tau."""
    plt = need("matplotlib.pyplot")
    figure, axes = plt.subplots(figsize=(8, 4.5), layout="constrained")
    for kind in KINDS:
        for tau in TAUS:
            mine = [(size, ratio) for size, k, t, ratio in rows if (k, t) == (kind, tau)]
            axes.plot(*zip(*mine, strict=True), marker="o", label=f"{kind}, tau={tau}")
    axes.axhline(1.0, color="0.4", linewidth=1)
    axes.set(xlabel="n, d", ylabel="time / fastest rival's", ylim=(0, None))
    axes.legend()
    figure.savefig(path)
