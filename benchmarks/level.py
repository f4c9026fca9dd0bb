"""How well the level of a walk is estimated before it is reached.

    python -m benchmarks level            # scores data/level.npz on walks it was not fitted to
    python -m benchmarks level --train    # fits data/level.npz anew (needs scikit-learn)

Error: median over walks of |estimate - final| / (current - final), at 25, 50, 75 and 90 % of the
walk; 1.0 is no better than the current loss.  Coverage: share of walks whose end lies in the 80 %
interval.  Walks (see _walks.py): seeds 0..59 to fit, two thirds of them, and to calibrate the
interval, one third; seeds from 1000 on to score.
"""

import argparse
import time
from pathlib import Path

import numpy as np

import reluplex_walk as rw
from reluplex_walk._files import write_archive
from reluplex_walk.simplex import level
from reluplex_walk.simplex.trees import Trees

from . import _rivals
from ._extra import need
from ._walks import KINDS, Walk, walks

DESIGN, FIRST_SCORED = range(60), 1000
CHECKPOINTS = (0.25, 0.5, 0.75, 0.9)
FITTED_AT = (0.03, 0.1, 0.18, 0.25, 0.32, 0.4, 0.5, 0.58)
FITTED_AT += (0.66, 0.75, 0.8, 0.85, 0.9, 0.93, 0.95, 0.97)
RIVALS = {
    "exponential": _rivals.exponential,
    "Aitken": _rivals.aitken,
    "Shanks, order 2": _rivals.shanks,
    "window, LAD": _rivals.window,
    "linearised (LAD)": _rivals.linearised,
}
DEAR = {"cell (LP)": _rivals.cell, "long walk to its end": _rivals.to_the_end}
DEAR_EVERY = 4  # walks


def entries(traj: rw.Trajectory, shares: tuple[float, ...]) -> np.ndarray:
    """Entries at those shares of the walk at which a decrease is still to come."""
    k = np.unique(np.round(np.array(shares) * traj.n_pivots).astype(int))
    return k[traj.losses[k] - traj.loss > 1e-9 * traj.losses[k]]


def main(argv: list[str]) -> None:
    parser = argparse.ArgumentParser(prog="benchmarks level", description=__doc__)
    parser.add_argument("--train", action="store_true")
    parser.add_argument("--seeds", type=int, default=30, help="walks scored per cell of 12")
    options = parser.parse_args(argv)
    if options.train:
        train()
    else:
        score(list(walks(range(FIRST_SCORED, FIRST_SCORED + options.seeds))))


# ---------------------------------------------------------------- fitting


def train() -> None:
    """Boosted quantile trees on the design walks, written to the package's data."""
    samples: dict[str, list[np.ndarray]] = {method: [] for method in level.METHODS}
    target, held_out = [], []
    for walk in walks(DESIGN):
        at = entries(walk.traj, FITTED_AT)
        for method in level.METHODS:
            samples[method].append(level.features(walk.traj._visited, at, method))
        target.append(np.log1p(-walk.traj.loss / walk.traj.losses[at]))
        held_out.append(np.full(len(at), walk.seed % 3 == 0))
    t, held = np.concatenate(target), np.concatenate(held_out)
    arrays: dict[str, object] = {}
    for method in level.METHODS:
        x = np.concatenate(samples[method])
        for quantile in level.QUANTILES:
            trees = _grow(x[~held], t[~held], quantile)
            if quantile != 0.5:  # conformal: as wide as 80 % of the held-out walks need it
                misses = t[held] - trees(x[held])
                trees = trees._replace(offset=trees.offset + np.quantile(misses, quantile))
            for field, value in trees._asdict().items():
                arrays[f"{method}_{quantile}_{field}"] = value
    path = Path(rw.__file__).parent / "data" / "level.npz"
    write_archive(path, "level model", arrays, force=True)
    print(f"{len(target)} walks, {len(t)} entries: {path.name}, {path.stat().st_size} bytes")


def _grow(x: np.ndarray, t: np.ndarray, quantile: float) -> Trees:
    depth, rate = 4, 0.08
    model = (
        need("sklearn.ensemble")
        .GradientBoostingRegressor(
            loss="quantile",
            alpha=quantile,
            n_estimators=120,
            learning_rate=rate,
            max_depth=depth,
            min_samples_leaf=20,
            subsample=0.5,
            max_features=0.3,
            random_state=0,
        )
        .fit(x.astype(np.float32), t)
    )
    inner, leaves = 2**depth - 1, 2**depth
    trees = [fitted.tree_ for fitted in model.estimators_[:, 0]]
    feature = np.zeros((len(trees), inner), np.int16)
    threshold = np.full((len(trees), inner), np.inf, np.float32)
    leaf = np.zeros((len(trees), leaves), np.float32)
    for k, tree in enumerate(trees):
        place = {0: 0}  # where the nodes of this tree go in the complete one
        for node in range(tree.node_count):
            at, left = place[node], tree.children_left[node]
            if left >= 0:
                feature[k, at], threshold[k, at] = tree.feature[node], tree.threshold[node]
                place[left], place[tree.children_right[node]] = 2 * at + 1, 2 * at + 2
            else:
                while at < inner:  # a leaf higher up: always to the left
                    at = 2 * at + 1
                leaf[k, at - inner] = rate * tree.value[node, 0, 0]
    return Trees(feature, threshold, leaf, float(model.init_.constant_.ravel()[0]))


# ---------------------------------------------------------------- scoring


def score(scored: list[Walk]) -> None:
    """All tables, for walks that nothing was fitted to."""
    counts = {kind: sum(walk.kind == kind for walk in scored) for kind in KINDS}
    print(f"{len(scored)} walks: {counts}; 80 % intervals\n")
    levels = _estimates(scored)
    print(f"{'error at':<34}" + "".join(f"{c:>8.0%}" for c in CHECKPOINTS))
    for name, table in levels.items():
        _print_row(name, np.nanmedian(_errors(scored, table), axis=0), ".2f")
    for method in level.METHODS:
        errors = _errors(scored, levels[method])
        for kind in KINDS:
            part = np.array([walk.kind == kind for walk in scored])
            _print_row(f"  {method}, {kind}", np.nanmedian(errors[part], axis=0), ".2f")
    print()
    for method in level.METHODS:
        inside = np.array([_inside(walk.traj, method) for walk in scored])
        _print_row(f"coverage, {method}", np.nanmean(inside, axis=0), ".0%")
    _print_proximity(scored)
    _print_cost(scored[:: max(1, len(scored) // 40)])


def _estimates(scored: list[Walk]) -> dict[str, np.ndarray]:
    """Levels (walks, checkpoints) by each estimator."""
    tables: dict[str, np.ndarray] = {}
    for method in level.METHODS:
        tables[method] = np.array(
            [[walk.traj.level(k, method).level for k in _at(walk.traj)] for walk in scored]
        )
    for name, rival in RIVALS.items():
        tables[name] = np.array([[rival(walk.traj, k) for k in _at(walk.traj)] for walk in scored])
    for name, rival in DEAR.items():
        table = np.full((len(scored), len(CHECKPOINTS)), np.nan)
        for i in range(0, len(scored), DEAR_EVERY):
            table[i] = [rival(scored[i].traj, k) for k in _at(scored[i].traj)]
        tables[f"{name} (1 walk in {DEAR_EVERY})"] = table
    return tables


def _at(traj: rw.Trajectory) -> list[int]:
    return [round(share * traj.n_pivots) for share in CHECKPOINTS]


def _errors(scored: list[Walk], levels: np.ndarray) -> np.ndarray:
    """|estimate - final| / (current - final) (walks, checkpoints), NaN where the end is reached."""
    out = np.full(levels.shape, np.nan)
    for i, walk in enumerate(scored):
        current, final = walk.traj.losses[_at(walk.traj)], walk.traj.loss
        open_ = current - final > 1e-9 * current
        out[i, open_] = np.abs(levels[i, open_] - final) / (current[open_] - final)
    return out


def _print_row(name: str, values: np.ndarray, form: str) -> None:
    print(f"{name:<34}" + "".join(f"{value:>8{form}}" for value in values), flush=True)


def _inside(traj: rw.Trajectory, method: str) -> list[float]:
    """Whether the end lies in the interval at each checkpoint, NaN where it is reached."""
    out = []
    for k in _at(traj):
        estimate = traj.level(k, method)
        open_ = traj.losses[k] - traj.loss > 1e-9 * traj.losses[k]
        out.append(float(estimate.low <= traj.loss <= estimate.high) if open_ else np.nan)
    return out


def _print_proximity(scored: list[Walk]) -> None:
    first = []
    for walk in scored:
        near = np.flatnonzero(walk.traj.proximity()[:-1] >= level.ANNOUNCE)
        first.append(near[0] / walk.traj.n_pivots if near.size else np.nan)
    shares = np.array(first)
    said = shares[np.isfinite(shares)]
    early, late = np.percentile(said, [25, 75])
    print(
        f"\nproximity >= {level.ANNOUNCE}: announced before the end in "
        f"{len(said) / len(shares):.0%} of the walks,\nat {np.median(said):.0%} of the walk "
        f"(median; quartiles {early:.0%}, {late:.0%}); false alarms:\n"
        f"{(said < 0.9).mean():.0%} before 90 %, {(said < 0.8).mean():.0%} before 80 %"
    )


def _print_cost(some: list[Walk]) -> None:
    for method in level.METHODS:
        ratios = []
        for walk in some:
            began = time.perf_counter()
            walk.traj.levels(method)
            ratios.append((time.perf_counter() - began) / walk.traj.n_pivots * 1e6)
        print(f"levels({method!r}): {np.median(ratios):.0f} us per entry (median of {len(some)})")
