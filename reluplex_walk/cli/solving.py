"""``solve`` and ``minimize``: one layer of a random network trained on the columns of a table."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import click
import numpy as np
from numpy.typing import NDArray

from .._limits import Limits
from .._validate import positive
from .options import (
    EPILOG,
    column_options,
    limit_options,
    missing_option,
    options_of,
    out_option,
    output_options,
    seed_option,
    shared,
    table_options,
    time_option,
)
from .output import (
    INTERRUPTED,
    Wanted,
    make_folder,
    note,
    progress_bar,
    refuse_overwrite,
    report,
    warnings_as_notes,
    write_files,
)
from .table import Table, read_table
from .text import stem

if TYPE_CHECKING:
    from ..problem.loss import LayerLoss
    from ..problem.network import ReLUNetwork
    from ..simplex.trajectory import Trajectory

Floats = NDArray[np.float64]

_SECONDS = 10.0  # of `minimize`, where nothing else is asked for
_NOTHING, _FAINT = 1e-12, 1e-2  # of output weights: rounding; those of neurons that do not help


def _widths(context: click.Context, option: click.Parameter, text: str) -> tuple[int, ...]:
    """Neurons of the hidden layers in ``8,4``; none in ``none`` or an empty text."""
    if text.strip() in ("", "none"):
        return ()
    words = text.split(",")
    if not all(word.strip().isdecimal() and int(word) > 0 for word in words):
        raise click.BadParameter(f"expected widths such as 8,4 or none, found {text!r}")
    return tuple(int(word) for word in words)


_problem_options = shared(
    click.argument("data", metavar="DATA.csv"),
    click.option(
        "--target",
        required=True,
        multiple=True,
        metavar="COLUMNS",
        help="What to predict: a, or a,b for several outputs (may be repeated).",
    ),
    click.option(
        "--hidden",
        default="8",
        callback=_widths,
        metavar="WIDTHS",
        help='Neurons of the hidden layers, as 8,4; "none" is linear regression.',
    ),
    click.option("--layer", type=int, default=0, help="The trained layer, counted from 0."),
    click.option("--loss", "kind", type=click.Choice(["l1", "pinball", "hinge"]), default="l1"),
    click.option("--tau", type=float, help="Quantile of the pinball loss. [default: 0.5]"),
    click.option(
        "--negative-slope",
        type=float,
        default=0.0,
        help="Of the activation below 0: leaky ReLU.",
    ),
    click.option(
        "--init",
        type=click.Choice(["uniform", "he", "xavier"]),
        default="uniform",
        help="Of the network.",
    ),
    click.option(
        "--output",
        type=click.Choice(["fitted", "random"]),
        default="fitted",
        help="Start with neurons that bend among the data and the best output layer for them, "
        "or with the random network as it is.",
    ),
    seed_option(0),
)


class Problem(NamedTuple):
    """What a network is made and trained for."""

    table: Table
    hidden: Sequence[int]
    layer: int
    kind: str
    tau: float | None
    negative_slope: float
    init: str
    output: str

    @classmethod
    def of(cls, given: dict[str, Any]) -> Problem:
        """Read the table; the options of the problem are taken out of those `given`."""
        source, target = given.pop("data"), given.pop("target")
        table = read_table(source, target, options_of(given))
        return cls(table, *(given.pop(name) for name in cls._fields[1:]))

    def loss(self, seed: int) -> LayerLoss:
        """The loss of a random network, which starts at its own layer."""
        import reluplex_walk as rw

        X, y = self.table.X, self.table.y
        widths = [X.shape[1], *self.hidden, y.shape[1]]
        network = rw.ReLUNetwork.random(widths, seed, self.init, self.negative_slope)
        if self.output == "fitted" and self.hidden:
            network = _bending(in_units(network, X, y), X, seed)
            if self.layer != network.n_layers - 1:
                fitted = rw.with_fitted_output(network, X, y, self.kind, self.tau)
                network = _all_heard(fitted, network)
        return rw.LayerLoss(network, X, y, self.layer, self.kind, self.tau)

    def beside(self) -> dict[str, float]:
        """What the loss of the network has to be compared with."""
        import reluplex_walk as rw

        found = rw.baselines(self.table.X, self.table.y, self.kind, self.tau)
        return {"best_constant": found.constant, "best_linear": found.linear}


def in_units(network: ReLUNetwork, X: Floats, y: Floats) -> ReLUNetwork:
    """`network`, made for standardised data, as the same network on data in their own units."""
    x_mean, x_scale = X.mean(axis=0), X.std(axis=0)
    x_scale = np.where(x_scale > 0.0, x_scale, 1.0)
    y_mean, y_scale = y.mean(axis=0), y.std(axis=0)
    weights, biases = list(network.weights), list(network.biases)
    weights[0] = weights[0] / x_scale
    biases[0] = biases[0] - weights[0] @ x_mean
    weights[-1] = weights[-1] * np.reshape(y_scale, (-1, 1))
    biases[-1] = biases[-1] * y_scale + y_mean
    return type(network)(weights, biases, network.negative_slope)


def _bending(network: ReLUNetwork, X: Floats, seed: int) -> ReLUNetwork:
    """`network` with all neurons of its first layer bending among the data: others are shifted."""
    theta = network.layer_parameters(0)
    values = X @ theta[:, :-1].T + theta[:, -1]
    rng = np.random.default_rng(seed)
    for j in np.flatnonzero((values >= 0.0).all(axis=0) | (values <= 0.0).all(axis=0)):
        share, (a, b) = rng.uniform(), rng.integers(len(X), size=2)
        theta[j, -1] -= share * values[a, j] + (1.0 - share) * values[b, j]
    return network.with_layer(0, theta)


def _all_heard(fitted: ReLUNetwork, drawn: ReLUNetwork) -> ReLUNetwork:
    """`fitted` with a faint output of the neurons that it ignores: they could not be trained."""
    last = fitted.n_layers - 1
    theta, given = fitted.layer_parameters(last), drawn.layer_parameters(last)
    ignored = (np.abs(theta) <= _NOTHING * np.abs(given)).all(axis=0)
    ignored[-1] = False
    theta[:, ignored] = _FAINT * given[:, ignored]
    return fitted.with_layer(last, theta)


@click.command(epilog=EPILOG)
@_problem_options
@click.option(
    "--restarts",
    type=click.IntRange(min=1),
    default=1,
    help="Walks from so many networks, of seed, seed + 1, ...; the lowest end is kept.",
)
@click.option(
    "--step",
    type=click.Choice(["adjacent", "long"]),
    default="adjacent",
    help="To the next vertex, or to the lowest point along the edge.",
)
@click.option(
    "--rule",
    type=click.Choice(["steepest", "dantzig", "greatest", "sequential", "random"]),
    default="steepest",
    help="The pivot rule.",
)
@limit_options
@out_option("DATA_walk")
@output_options
@table_options
@missing_option
@column_options
def solve(out: Path | None, force: bool, quiet: bool, **given: Any) -> int:
    """Train one layer of a random network on the columns of DATA.csv.

    DATA.csv may be packed with gzip, a Parquet file, or - for stdin.
    """
    folder, title = out or Path(f"{stem(given['data'])}_walk"), stem(given["data"])
    refuse_overwrite(folder, force)
    if given["time_limit"] is not None:
        positive("time_limit", given["time_limit"])
    problem = Problem.of(given)
    made: list[Trajectory] = []
    with warnings_as_notes(quiet):
        _say_left_out(problem.table, quiet)
        first, beside = problem.loss(given["seed"]), problem.beside()
        make_folder(folder)
        stopped = _walks(problem, first, given, made, quiet)
    traj = min(made, key=lambda each: (each.loss, not each.status.proved))
    extra: dict[str, Any] = {"restarts": len(made)} if given["restarts"] > 1 else {}
    remedy = "--restarts 20, `reluplex-walk minimize` or more neurons may lead lower"
    if traj.ended.early:
        remedy = f"`reluplex-walk resume {folder}` goes on"
    code = _finish(problem, traj, (folder, title), beside, extra, remedy, given, quiet)
    return INTERRUPTED if stopped else code


def _walks(
    problem: Problem,
    loss: LayerLoss,
    given: dict[str, Any],
    made: list[Trajectory],
    quiet: bool,
) -> bool:
    """Make the walks, and say whether Ctrl-C stopped them."""
    import reluplex_walk as rw

    with (
        Limits(given["restarts"], given["time_limit"]) as limits,
        progress_bar(quiet, given["max_pivots"]) as draw,
    ):
        while not made or limits.look(len(made)) is None:
            seed = given["seed"] + len(made)
            made.append(
                rw.walk(
                    loss,
                    loss.theta,
                    step=given["step"],
                    rule=given["rule"],
                    max_pivots=given["max_pivots"],
                    time_limit=max(limits.left, 1e-9) if given["time_limit"] else None,
                    seed=seed,
                    callback=draw,
                )
            )
            if limits.look(len(made)) is None:
                loss = problem.loss(seed + 1)
        return limits.interrupted


@click.command(epilog=EPILOG)
@_problem_options
@click.option("--max-walks", type=click.IntRange(min=1), help="Stop after so many walks.")
@time_option
@out_option("DATA_walk")
@output_options
@table_options
@missing_option
@column_options
def minimize(out: Path | None, force: bool, quiet: bool, **given: Any) -> int:
    """Search for the lowest minimum of one layer of a random network on DATA.csv.

    Many walks, from several starts and from kicked earlier minima, for 10 seconds where neither
    --time-limit nor --max-walks is given.  DATA.csv may be packed with gzip, a Parquet file, or -
    for stdin.
    """
    folder, title = out or Path(f"{stem(given['data'])}_walk"), stem(given["data"])
    refuse_overwrite(folder, force)
    problem = Problem.of(given)
    import reluplex_walk as rw

    with warnings_as_notes(quiet):
        _say_left_out(problem.table, quiet)
        loss, beside = problem.loss(given["seed"]), problem.beside()
        make_folder(folder)
        walks, seconds = given["max_walks"], given["time_limit"]
        if walks is None and seconds is None:
            seconds = _SECONDS
        with progress_bar(quiet, walks, unit="walks") as draw:
            found = rw.minimize(
                loss, seconds, given["seed"], max_walks=walks, start=loss.theta, callback=draw
            )
    extra = {"walks": len(found.losses), "levels": len(found.levels), "search": found.status}
    lowest = min([found.loss, *found.levels.tolist()])
    if lowest < found.loss * (1.0 - 1e-9):
        extra["lowest_not_proved"] = lowest
    remedy = "a longer --time-limit, another --seed or more neurons may lead lower"
    code = _finish(problem, found.best, (folder, title), beside, extra, remedy, given, quiet)
    return INTERRUPTED if found.status == "interrupted" else code


def _say_left_out(table: Table, quiet: bool) -> None:
    if table.left_out:
        rows = len(table.X) + table.left_out
        note(f"{table.left_out} of {rows} rows have missing values and are left out", quiet)


def _finish(
    problem: Problem,
    traj: Trajectory,
    place: tuple[Path, str],
    beside: dict[str, float],
    extra: dict[str, Any],
    remedy: str,
    given: dict[str, Any],
    quiet: bool,
) -> int:
    """Write the files, print the summary, and say so where the network is worse than a line."""
    recipe = problem.table.recipe
    labels = recipe.features[0], recipe.targets[0]
    wanted = Wanted(not given["no_picture"], given["graph"], quiet)
    files = write_files(traj, *place[:1], wanted, place[1], labels, recipe)
    if problem.table.left_out:
        extra["rows_left_out"] = problem.table.left_out
    if problem.kind == "hinge":
        right = np.sign(traj.network(problem.table.X)) == problem.table.y
        extra["accuracy"] = float(right.mean())
    if off := _off(traj):
        extra["neurons_off"] = off
    code = report(traj, files, given["as_json"], quiet, dict(beside), extra)
    if off == traj.theta.shape[0]:
        note(
            f"warning: {off} of {off} neurons of layer {problem.layer} are off for every sample; "
            "--restarts 20 or another --seed starts elsewhere"
        )
    above = [
        f"{what} ({value:.6g})"
        for what, value in zip(
            ("the best constant", "the best linear function"), beside.values(), strict=True
        )
        if traj.loss > value * (1.0 + 1e-9) + 1e-12 * traj.problem.target_size
    ]
    if above:
        note(f"warning: the loss {traj.loss:.6g} is above that of {' and '.join(above)}; {remedy}")
    return code


def _off(traj: Trajectory) -> int:
    """How many neurons of the trained layer are off for every sample."""
    loss = traj.problem
    if loss.n_hidden == 0 or loss.network.negative_slope > 0.0:
        return 0
    return int((loss.breakpoints(traj.theta)[0] <= 0.0).all(axis=0).sum())


__all__ = ["in_units", "minimize", "solve"]
