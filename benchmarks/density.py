"""Is the loss denser in breakpoints and vertices at the ends of walks than elsewhere?

    python -m benchmarks density [--walks 24] [--segments 100] [--controls 3]

The claim is that of P. Hinz, arXiv 2105.02831.  `--walks` adjacent walks on each of five problems:
figures at the end of each walk over those at its first vertex, and over those at norm-matched
controls (random parameters whose rows are as long).  Medians over the walks, quartiles in
brackets.  Radii are shares of |theta| at the point.

* breakpoints: crossed on random chords of spheres around the point, counted exactly, without
  those that vanish at the point itself (last columns: with them), per unit length; `scaled` per
  unit of |theta|, since lengths stretch with |theta| where nothing but the scale changes;
* vertices: visited within the radius (the control: around the first vertex of a walk from there);
* steps: median edge length in the last tenth of the walk, over that of its first tenth, and over
  that of as many first edges of walks from controls of the end; `norm` is |theta| at the end over
  |theta| at the first vertex.
"""

import argparse

import numpy as np
from numpy.typing import ArrayLike, NDArray

import reluplex_walk as rw
from reluplex_walk.landscape.density import breakpoint_density, vertex_density

from .instances import instance

Floats = NDArray[np.float64]

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


def ratio(a: ArrayLike, b: ArrayLike) -> Floats:
    """Quotients; infinite for b = 0, undefined (NaN) for 0 / 0."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.divide(a, b)


def cell(values: list[float]) -> str:
    """Median [quartiles], of those that are defined."""
    defined = np.array(values)[~np.isnan(values)]
    if not defined.size:
        return f"{'0 / 0':^25}"
    low, middle, high = np.quantile(defined, [0.25, 0.5, 0.75], method="higher")
    return f"{middle:.3g} [{low:.3g}, {high:.3g}]".rjust(25)


def measure(traj: rw.Trajectory, seed: int, segments: int, controls: int) -> dict[str, Floats]:
    """Every ratio of one walk, one for each radius."""
    loss, first = traj.problem, traj.vertices[traj.phase1]
    radii, radii_first = (np.multiply(RADII, np.linalg.norm(x)) for x in (traj.theta, first))
    norm = radii[0] / radii_first[0]
    at_end = [breakpoint_density(loss, traj.theta, r, segments, seed) for r in radii]
    at_first = [breakpoint_density(loss, first, r, segments, seed) for r in radii_first]
    near = vertex_density(traj, np.append(radii, radii_first), controls, seed)
    tenth = max(1, len(near.lengths) // 10)
    step = np.median(near.lengths[-tenth:])
    control_steps = np.concatenate([lengths[:tenth] for lengths in near.control_lengths])

    end = np.array([each.inactive for each in at_end])
    begin = np.array([each.inactive for each in at_first])
    control = [each.control for each in at_end]
    visits, visits_first = near.at_end[: len(RADII)], near.at_first[len(RADII) :]
    return {
        "end/first": ratio(end, begin),
        "scaled": ratio(norm * end, begin),
        "end/control": ratio(end, control),
        "first/control": ratio(begin, [each.control for each in at_first]),
        "visits end/first": ratio(visits, visits_first),
        "visits end/control": ratio(visits, np.median(near.control, axis=0)[: len(RADII)]),
        "all end/first": ratio([each.value for each in at_end], [each.value for each in at_first]),
        "all end/control": ratio([each.value for each in at_end], control),
        "steps end/first": ratio([step], [np.median(near.lengths[:tenth])]),
        "steps end/control": ratio(
            [step], [np.median(control_steps) if control_steps.size else np.nan]
        ),
        "norm": np.array([norm]),
    }


def main(argv: list[str]) -> None:
    parser = argparse.ArgumentParser(prog="benchmarks density", description=__doc__)
    parser.add_argument("--walks", type=int, default=24)
    parser.add_argument("--segments", type=int, default=100)
    parser.add_argument("--controls", type=int, default=3)
    options = parser.parse_args(argv)
    everything: list[dict[str, Floats]] = []
    for name, problem in PROBLEMS.items():
        walks = [rw.walk(problem(seed), seed=seed) for seed in range(options.walks)]
        walks = [traj for traj in walks if traj.n_pivots - traj.phase1 >= 10]
        rows = [measure(t, s, options.segments, options.controls) for s, t in enumerate(walks)]
        everything += rows
        proved = sum(traj.status.proved for traj in walks)
        print(
            f"\n{name}: {len(walks)} walks of 10 edges and more, {proved} end at a proved minimum"
        )
        table(rows)
    print(f"\nall {len(everything)} walks")
    table(everything)


def table(rows: list[dict[str, Floats]]) -> None:
    """The medians over `rows`: a line for each radius, and one for the steps."""
    steps = ["steps end/first", "steps end/control", "norm"]
    names = [name for name in rows[0] if name not in steps]
    print(" radius " + "".join(name.rjust(25) for name in names))
    for k, share in enumerate(RADII):
        print(f"{share:>7} " + "".join(cell([row[name][k] for row in rows]) for name in names))
    for name in steps:
        print(f"{name:>18} {cell([row[name][0] for row in rows])}", flush=True)
