"""Vertex density, loss decay and level over thousands of walks, with intervals.

    python -m benchmarks studies [--walks 1000] [--problems 20] [--workers 2] [--kind teacher]
                                 [--segments 10] [--controls 1] [--out FOLDER]

The claims are those of P. Hinz, arXiv 2105.02831; the figures are those of the notebooks
vertex_density and loss_decay.  For each of three architectures (hidden layers 8, 5-4 and 5-4-2)
adjacent walks on so many problems (see _walks.py; seeds from 2000 on, apart from those that levels
were fitted and scored on), each problem one `rw.ensemble`.  Walks of less than 20 pivots are left
out.

Printed are medians over the walks, for what holds or does not the share of walks.  Intervals of
95 % are percentiles over samples of whole problems: walks on one problem are alike.  `--out` keeps
the rows; the same command then goes on where it was stopped.
"""

import argparse
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

import reluplex_walk as rw
from reluplex_walk.ensembles.measures import decay, density, level
from reluplex_walk.ensembles.statistics import statistics

from ._rivals import exponential
from ._walks import KINDS, LEAST_PIVOTS, problem

HIDDEN = [(8,), (5, 4), (5, 4, 2)]
FIRST_SEED = 2000
CHECKPOINTS = (25, 50, 75, 90)

Columns = dict[str, np.ndarray]


def plain_exponential(traj: rw.Trajectory) -> dict[str, float | None]:
    """Errors of the level by an exponential fitted to the losses, as measures.level gives its."""
    errors: dict[str, float | None] = {}
    for percent in CHECKPOINTS:
        k = round(percent / 100 * traj.n_pivots)
        to_go = traj.losses[k] - traj.loss
        known = k > 1 and to_go > 1e-9 * traj.losses[k]
        error = abs(exponential(traj, k) - traj.loss) / to_go if known else None
        errors[f"exponential_error_{percent}"] = error
    return errors


def above(name: str, than: float = 1.0) -> Callable[[Columns], np.ndarray]:
    """Whether a figure is larger, for the share of walks in which it is."""
    return lambda columns: np.where(np.isnan(columns[name]), np.nan, columns[name] > than)


DENSITY = {
    "breakpoints, end / first": "density_end_first",
    "end / first, scaled": "density_scaled",
    "end / first, scaled, above 1": above("density_scaled"),
    "breakpoints, end / control": "density_end_control",
    "end / control, above 1": above("density_end_control"),
    "end / control, with active ones": "density_end_control_all",
    "the same, above 1": above("density_end_control_all"),
    "breakpoints, first / control": "density_first_control",
    "visits, end / first": "density_visits_end_first",
    "visits, end / control": "density_visits_end_control",
    "edges, last / first tenth": "density_edges_last_first",
    "edges, last tenth / control": "density_edges_last_control",
    "length of theta, end / first": "density_norm_growth",
}
DECAY = {
    **{f"still to go at {p} %": f"decay_gap_{p}" for p in CHECKPOINTS},
    "half of the decrease made at": "decay_half",
    **{
        f"rate per D pivots, {a} to {b} %": f"decay_rate_{a}_{b}"
        for a, b in [(2, 25), (25, 50), (50, 75), (75, 90), (90, 97)]
    },
}
LEVEL = {
    **{f"error at {p} %, lookahead": f"level_error_{p}" for p in CHECKPOINTS},
    **{f"error at {p} %, record": f"level_record_error_{p}" for p in CHECKPOINTS},
    **{f"error at {p} %, exponential": f"exponential_error_{p}" for p in CHECKPOINTS},
    **{f"in the interval at {p} %, lookahead": f"level_inside_{p}" for p in CHECKPOINTS},
    **{f"in the interval at {p} %, record": f"level_record_inside_{p}" for p in CHECKPOINTS},
    "end announced": "level_announced",
    "announced at (share of the walk)": "level_announced_at",
    "announced before 80 % of the walk": "level_false_alarm",
}
TABLES = {"Vertex density": DENSITY, "Loss decay": DECAY, "Level": LEVEL}


def main(argv: list[str]) -> None:
    parser = argparse.ArgumentParser(prog="benchmarks studies", description=__doc__)
    parser.add_argument("--walks", type=int, default=1000, help="of each architecture")
    parser.add_argument("--problems", type=int, default=20)
    parser.add_argument("--workers", type=int, default=2, help="0: this process")
    parser.add_argument("--kind", choices=KINDS, default="teacher")
    parser.add_argument("--segments", type=int, default=10)
    parser.add_argument("--controls", type=int, default=1)
    parser.add_argument("--out", type=Path)
    options = parser.parse_args(argv)
    around = partial(density, segments=options.segments, controls=options.controls)
    tables = {}
    for hidden in HIDDEN:
        name, began = "-".join(map(str, hidden)), time.perf_counter()
        folder = f"{options.kind}-{name}-{options.segments}-{options.controls}"
        out = options.out and options.out / folder
        measures = [around, decay, level, plain_exponential]
        columns, groups = gather(hidden, options, measures, out)
        made = len(groups)
        columns, groups = long_enough(columns, groups)
        tables[name] = table(columns, groups)
        spent = time.perf_counter() - began
        print(
            f"hidden {name}: {made} walks on {options.problems} problems, {spent:.0f} s; "
            f"{len(groups)} of {LEAST_PIVOTS} pivots and more, "
            f"median {np.median(columns['pivots']):.0f}",
            flush=True,
        )
    for title, rows in TABLES.items():
        show(title, rows, tables)


def gather(
    hidden: tuple[int, ...], options: argparse.Namespace, measures: list[Any], out: Path | None
) -> tuple[Columns, np.ndarray]:
    """Figures of all walks of an architecture, and the problem of each."""
    parts: list[Columns] = []
    shares = np.full(options.problems, options.walks // options.problems)
    shares[: options.walks % options.problems] += 1
    for seed, walks in enumerate(shares.tolist(), FIRST_SEED):
        found = rw.ensemble(
            problem(options.kind, hidden, seed),
            walks,
            executor=options.workers or None,
            out=out and out / str(seed),
            proof="off",
            measures=measures,
        )
        pivots = found.to_frame()["pivots"].to_numpy()
        parts.append({**found.figures, "pivots": pivots, "problem": np.full(len(found), seed)})
    columns = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    return columns, columns.pop("problem")


def long_enough(columns: Columns, groups: np.ndarray) -> tuple[Columns, np.ndarray]:
    """Without the walks of less than 20 pivots."""
    kept = columns["pivots"] >= LEAST_PIVOTS
    return {name: values[kept] for name, values in columns.items()}, groups[kept]


def table(columns: Columns, groups: np.ndarray) -> Any:
    """The statistics of all figures that are printed."""
    asked = {}
    for title, rows in TABLES.items():
        for label, figure in rows.items():
            values = columns[figure] if isinstance(figure, str) else figure(columns)
            asked[f"{title}: {label}"] = values
    return statistics(asked, groups)


def show(title: str, rows: dict[str, Any], tables: dict[str, Any]) -> None:
    """A table of Markdown, a column for each architecture."""
    print(f"\n| {title} | " + " | ".join(f"hidden {name}" for name in tables) + " |")
    print("|---" * (1 + len(tables)) + "|")
    for label in rows:
        cells = [cell(found.loc[f"{title}: {label}"]) for found in tables.values()]
        print(f"| {label} | " + " | ".join(cells) + " |", flush=True)


def cell(row: Any) -> str:
    """The median with its interval, or the share."""
    if not np.isnan(row["share"]):
        return "{share:.0%} [{share_low:.0%}, {share_high:.0%}]".format(**row)
    return "{median:.3g} [{low:.3g}, {high:.3g}]".format(**row)
