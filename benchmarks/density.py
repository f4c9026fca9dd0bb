"""Is the loss denser in breakpoints and vertices at the ends of walks than elsewhere?

    python -m benchmarks density [--walks 24] [--segments 100] [--controls 3]

The claim is that of P. Hinz, arXiv 2105.02831.  `--walks` adjacent walks on each of five problems:
figures at the end of each walk over those at its first vertex, and over those at norm-matched
controls (random parameters whose rows are as long).  Medians over the walks, quartiles in
brackets.  Radii are shares of |theta| at the point.

* breakpoints: crossed on random chords of spheres around the point, counted exactly, without
  those that vanish at the point itself (`all`: with them), per unit length; `scaled` per unit of
  |theta|, since lengths stretch with |theta| where nothing but the scale changes;
* vertices: visited within the radius (the control: around the first vertex of a walk from there);
* edges: median edge length in the last tenth of the walk, over that of its first tenth, and over
  that of as many first edges of walks from controls of the end; `norm_growth` is |theta| at the
  end over |theta| at the first vertex.
"""

import argparse

import numpy as np

import reluplex_walk as rw
from reluplex_walk.ensembles.measures import density

from .instances import instance

RADII = (0.01, 0.03, 0.1)


def teacher(widths: list[int], n: int, seed: int) -> rw.LayerLoss:
    """Targets of a random network of the same shape plus a tenth of their spread as noise."""
    rng = np.random.default_rng(seed)
    X = rng.uniform(-3, 3, (n, widths[0]))
    y = rw.ReLUNetwork.random(widths, seed=seed + 1_000_000)(X)
    y += 0.1 * y.std() * rng.normal(size=y.shape)
    return rw.LayerLoss(rw.ReLUNetwork.random(widths, seed=seed), X, y)


def motorcycle(seed: int) -> rw.LayerLoss:
    """A 1-8-1 network on the motorcycle data, both columns standardised."""
    data = rw.datasets.load_motorcycle()
    X, y = ((a - a.mean(axis=0)) / a.std(axis=0) for a in (data.X, data.y))
    return rw.LayerLoss(rw.ReLUNetwork.random([1, 8, 1], seed=seed), X, y)


PROBLEMS = {
    "noise 4-5-4-2-1, n = 100": lambda seed: instance([4, 5, 4, 2, 1], 100, seed),
    "noise 4-5-4-2-1, n = 500": lambda seed: instance([4, 5, 4, 2, 1], 500, seed),
    "noise 2-10-1, n = 100": lambda seed: instance([2, 10, 1], 100, seed),
    "teacher 3-6-4-1, n = 200": lambda seed: teacher([3, 6, 4, 1], 200, seed),
    "motorcycle 1-8-1": motorcycle,
}


AT_RADII = ("end_first", "scaled", "end_control", "first_control", "end_control_all")
AT_RADII += ("visits_end_first", "visits_end_control")
ONCE = ("edges_last_first", "edges_last_control", "norm_growth")


def cell(rows: list[dict[str, float | None]], name: str) -> str:
    """Median [quartiles], of those that are defined."""
    defined = [row[f"density_{name}"] for row in rows if row[f"density_{name}"] is not None]
    if not defined:
        return f"{'0 / 0':^25}"
    low, middle, high = np.quantile(defined, [0.25, 0.5, 0.75], method="higher")
    return f"{middle:.3g} [{low:.3g}, {high:.3g}]".rjust(25)


def measure(traj: rw.Trajectory, segments: int, controls: int) -> list[dict[str, float | None]]:
    """Every ratio of one walk, for each radius."""
    return [density(traj, radius, radius, segments, controls) for radius in RADII]


def main(argv: list[str]) -> None:
    parser = argparse.ArgumentParser(prog="benchmarks density", description=__doc__)
    parser.add_argument("--walks", type=int, default=24)
    parser.add_argument("--segments", type=int, default=100)
    parser.add_argument("--controls", type=int, default=3)
    options = parser.parse_args(argv)
    everything: list[list[dict[str, float | None]]] = []
    for name, problem in PROBLEMS.items():
        walks = [rw.walk(problem(seed), seed=seed) for seed in range(options.walks)]
        walks = [traj for traj in walks if traj.n_pivots - traj.phase1 >= 10]
        rows = [measure(traj, options.segments, options.controls) for traj in walks]
        everything += rows
        proved = sum(traj.status.proved for traj in walks)
        print(
            f"\n{name}: {len(walks)} walks of 10 edges and more, {proved} end at a proved minimum"
        )
        table(rows)
    print(f"\nall {len(everything)} walks")
    table(everything)


def table(rows: list[list[dict[str, float | None]]]) -> None:
    """The medians over `rows`: a line for each radius, and one for what does not depend on it."""
    print(" radius " + "".join(name.rjust(25) for name in AT_RADII))
    for k, share in enumerate(RADII):
        print(f"{share:>7} " + "".join(cell([row[k] for row in rows], name) for name in AT_RADII))
    for name in ONCE:
        print(f"{name:>18} {cell([row[0] for row in rows], name)}", flush=True)
