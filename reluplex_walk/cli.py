"""The command ``reluplex-walk``: demo, solve, resume, show, verify; for people and programs."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from ._version import __version__

if TYPE_CHECKING:
    from .datasets import Dataset
    from .problem.network import ReLUNetwork
    from .simplex.trajectory import Trajectory

TRAJECTORY, GRAPH, PICTURE = "trajectory.npz", "graph.graphml", "picture.png"

PROVED, REFUSED, BAD_INPUT, PARTIAL, INTERRUPTED = 0, 1, 2, 3, 130
"""Exit codes, as EPILOG explains them."""

EXIT_CODES = {
    "LOCAL_MINIMUM": PROVED,
    "GLOBAL_MINIMUM": PROVED,
    "NOT_PROVED": PARTIAL,
    "PIVOT_LIMIT": PARTIAL,
    "TIME_LIMIT": PARTIAL,
    "INTERRUPTED": INTERRUPTED,
    "LEVEL_GAP": PARTIAL,
}

EPILOG = """\b
Exit codes:
  0    the walk ended at a proved local or global minimum
  2    bad input: one line on stderr says what is wrong
  3    not proved, or the pivot or time limit was reached; the result so far is saved
  130  interrupted (Ctrl-C); the result so far is saved, `resume` goes on from it
"""

Command = TypeVar("Command", bound=Callable[..., Any])


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line `argv` (default: that of the process) and return its exit code.

    Examples
    --------
    >>> from reluplex_walk.cli import main
    >>> main(["solve", "no-such-file.csv", "--target", "y"])
    2
    """
    try:
        return cli.main(argv, prog_name="reluplex-walk", standalone_mode=False) or 0
    except click.Abort:
        print("reluplex-walk: interrupted before the walk began or ended", file=sys.stderr)
        return INTERRUPTED
    except click.ClickException as error:
        message = error.format_message()
    except BrokenPipeError:  # the reader of stdout has gone: nobody is left to tell
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return BAD_INPUT
    except (ValueError, TypeError, OSError) as error:
        message = str(error)
    print(f"reluplex-walk: error: {' '.join(message.split())}", file=sys.stderr)
    return BAD_INPUT


@click.group(epilog=EPILOG, no_args_is_help=False, context_settings={"show_default": True})
@click.version_option(__version__, prog_name="reluplex-walk")
def cli() -> None:
    """Walk the vertices of a ReLU network's piecewise affine loss to a proved local minimum."""


def _shared(*options: Callable[[Command], Command]) -> Callable[[Command], Command]:
    """One decorator for several options."""

    def decorate(command: Command) -> Command:
        for option in reversed(options):
            command = option(command)
        return command

    return decorate


_json_option = click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
_output_options = _shared(
    click.option("--force", is_flag=True, help="Overwrite files of an earlier run."),
    _json_option,
    click.option("--quiet", is_flag=True, help="No progress bar, table or notes."),
)
_limit_options = _shared(
    click.option(
        "--max-pivots",
        type=click.IntRange(min=0),
        help="Stop after so many pivots, from the start on.",
    ),
    click.option("--time-limit", type=float, metavar="SECONDS", help="Stop after so many seconds."),
)


def _seed_option(default: int) -> Callable[[Command], Command]:
    return click.option(
        "--seed", type=click.IntRange(min=0), default=default, help="Of the network and the walk."
    )


def _out_option(default: str) -> Callable[[Command], Command]:
    return click.option(
        "--out",
        type=click.Path(path_type=Path),
        metavar="DIR",
        help=f"Folder for the files of the run. [default: {default}]",
    )


def _widths(context: click.Context, option: click.Parameter, text: str) -> tuple[int, ...]:
    """Neurons of the hidden layers in ``8,4``; none in ``none`` or an empty text."""
    if text.strip() in ("", "none"):
        return ()
    words = text.split(",")
    if not all(word.strip().isdecimal() and int(word) > 0 for word in words):
        raise click.BadParameter(f"expected widths such as 8,4 or none, found {text!r}")
    return tuple(int(word) for word in words)


@cli.command(epilog=EPILOG)
@_out_option("reluplex_demo")
@_seed_option(20)  # a good fit, ending at a vertex where nothing more vanishes
@_output_options
def demo(out: Path | None, seed: int, force: bool, as_json: bool, quiet: bool) -> int:
    """Fit a 1-8-1 network to the motorcycle data.

    The first layer is trained by least absolute deviations, in the units of the data.
    """
    folder = out or Path("reluplex_demo")
    _refuse_overwrite(folder, force)
    import reluplex_walk as rw

    data = rw.datasets.load_motorcycle()
    network = _in_units(rw.ReLUNetwork.random([1, 8, 1], seed=seed), data)
    loss = rw.LayerLoss(network, data.X, data.y)
    _make_folder(folder)
    with _progress(quiet) as draw:
        # From the network's own layer: its kinks lie among the samples, unlike those of a
        # random start, which does not know the units.
        traj = rw.walk(loss, network.layer_parameters(0), seed=seed, callback=draw)
    files = _write(traj, folder, quiet, title="Motorcycle impact", data=data)
    mean = f"{traj.loss / len(data.y):.4g} {data.units[data.target_name]}"
    return _report(traj, files, as_json, quiet, {"mean absolute error": mean})


@cli.command(epilog=EPILOG)
@click.argument("data", type=click.Path(path_type=Path), metavar="DATA.csv")
@click.option("--target", required=True, metavar="COLUMN", help="The column to predict.")
@click.option(
    "--hidden",
    default="8",
    callback=_widths,
    metavar="WIDTHS",
    help='Neurons of the hidden layers, as 8,4; "none" is linear regression.',
)
@click.option("--layer", type=int, default=0, help="The trained layer, counted from 0.")
@click.option("--loss", "kind", type=click.Choice(["l1", "pinball", "hinge"]), default="l1")
@click.option("--tau", type=float, help="Quantile of the pinball loss. [default: 0.5]")
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
@click.option(
    "--init",
    type=click.Choice(["uniform", "he", "xavier"]),
    default="uniform",
    help="Of the network.",
)
@_seed_option(0)
@_limit_options
@_out_option("DATA_walk")
@_output_options
def solve(
    data: Path,
    target: str,
    hidden: tuple[int, ...],
    layer: int,
    kind: str,
    tau: float | None,
    step: str,
    rule: str,
    init: str,
    seed: int,
    max_pivots: int | None,
    time_limit: float | None,
    out: Path | None,
    force: bool,
    as_json: bool,
    quiet: bool,
) -> int:
    """Train one layer of a random network on the columns of DATA.csv."""
    folder = out or Path(f"{data.stem}_walk")
    _refuse_overwrite(folder, force)
    import reluplex_walk as rw

    table = rw.datasets.read_csv(data, target)
    network = rw.ReLUNetwork.random([table.X.shape[1], *hidden, 1], seed=seed, init=init)
    loss = rw.LayerLoss(network, table.X, table.y, layer=layer, kind=kind, tau=tau)
    _make_folder(folder)
    with _progress(quiet, max_pivots) as draw:
        traj = rw.walk(
            loss,
            loss.theta,
            step=step,
            rule=rule,
            max_pivots=max_pivots,
            time_limit=time_limit,
            seed=seed,
            callback=draw,
        )
    files = _write(traj, folder, quiet, title=table.name, data=table)
    return _report(traj, files, as_json, quiet)


@cli.command(epilog=EPILOG)
@click.argument("result", type=click.Path(path_type=Path))
@_limit_options
@_out_option("the folder of RESULT, whose files are replaced")
@_output_options
def resume(
    result: Path,
    max_pivots: int | None,
    time_limit: float | None,
    out: Path | None,
    force: bool,
    as_json: bool,
    quiet: bool,
) -> int:
    """Go on with a saved walk.

    RESULT is a trajectory.npz or a folder with one.
    """
    source = _trajectory_file(result)
    folder = out or source.parent
    if out is not None or source.name != TRAJECTORY:
        _refuse_overwrite(folder, force)
    import reluplex_walk as rw

    saved = rw.Trajectory.load(source)
    _make_folder(folder)
    with _progress(quiet, max_pivots, saved.checkpoint.n_pivots) as draw:
        traj = rw.walk(
            saved.problem, resume=saved, max_pivots=max_pivots, time_limit=time_limit, callback=draw
        )
    return _report(traj, _write(traj, folder, quiet), as_json, quiet)


@cli.command()
@click.argument("result", type=click.Path(path_type=Path))
@_json_option
def show(result: Path, as_json: bool) -> int:
    """Summarise a saved walk.

    RESULT is a trajectory.npz or a folder with one.
    """
    source = _trajectory_file(result)
    import reluplex_walk as rw

    _report(rw.Trajectory.load(source), {}, as_json)
    return 0


@cli.command(
    epilog="""\b
Exit codes:
  0    all that is claimed holds, in floats and in rational arithmetic
  1    it does not, the file is damaged or was changed, or nothing is claimed
  2    bad input: one line on stderr says what is wrong
"""
)
@click.argument("result", type=click.Path(path_type=Path, exists=True))
@click.option(
    "--budget", type=float, default=60.0, help="Seconds a proof at a degenerate end may take."
)
@_json_option
def verify(result: Path, budget: float, as_json: bool) -> int:
    """Check the certificate of a saved walk again, from its data alone.

    RESULT is a trajectory.npz or a folder with one.
    """
    source = _trajectory_file(result)
    import reluplex_walk as rw

    if budget <= 0:
        raise ValueError(f"--budget: expected a number > 0, found {budget}")
    try:
        check = rw.Trajectory.load(source).verify(budget)
    except ValueError as error:
        print(f"reluplex-walk: refused: {error}", file=sys.stderr)
        return REFUSED
    fields = {
        "verified": True,
        "proof": check.method,
        "loss": str(check.loss) if as_json else float(check.loss),
        "breakpoints": check.n_breakpoints,
        "vanishing": check.n_vanishing,
        "bits": check.bits,
        "seconds": check.seconds,
    }
    _print(fields, as_json)
    return PROVED


def _trajectory_file(result: Path) -> Path:
    return result / TRAJECTORY if result.is_dir() else result


def _in_units(network: ReLUNetwork, data: Dataset) -> ReLUNetwork:
    """`network`, made for standardised data, as the same network on data in their own units."""
    x_mean, x_scale = data.X.mean(axis=0), data.X.std(axis=0)
    y_mean, y_scale = data.y.mean(), data.y.std()
    weights, biases = list(network.weights), list(network.biases)
    weights[0] = weights[0] / x_scale
    biases[0] = biases[0] - weights[0] @ x_mean
    weights[-1], biases[-1] = weights[-1] * y_scale, biases[-1] * y_scale + y_mean
    return type(network)(weights, biases, network.negative_slope)


def _refuse_overwrite(folder: Path, force: bool) -> None:
    """Stop before any work is done if a file of an earlier run would be lost."""
    for path in (folder / name for name in (TRAJECTORY, GRAPH, PICTURE)):
        if not force and path.exists() and path.stat().st_size > 0:
            raise FileExistsError(f"--out: {path} exists; give --force to overwrite it")


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except (FileExistsError, NotADirectoryError):
        raise ValueError(f"--out: expected a folder, found the file {folder}") from None
    if not os.access(folder, os.W_OK):
        raise ValueError(f"--out: expected a folder to write to, found {folder} read-only")


@contextmanager
def _progress(
    quiet: bool, total: int | None = None, before: int = 0
) -> Iterator[Callable[[Any], None] | None]:
    """The callback of a walk that draws a bar on a terminal, None elsewhere.

    `total` pivots are allowed; `before` were made by the walk that is resumed.
    """
    if quiet:
        from .native._jit import ANNOUNCEMENT

        ANNOUNCEMENT.silent = True  # of the compilation
    if quiet or not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    bar = Progress(
        TextColumn("{task.completed} pivots"),
        BarColumn(),
        TextColumn("loss {task.fields[loss]}, {task.fields[rate]} pivots/s"),
        TimeElapsedColumn(),
        console=Console(stderr=True),
        transient=True,
    )
    task = bar.add_task("walk", total=total, completed=before, loss="-", rate="-")
    began = time.monotonic()

    def update(progress: Any) -> None:
        rate = (progress.n_pivots - before) / max(time.monotonic() - began, 1e-9)
        bar.update(
            task, completed=progress.n_pivots, loss=f"{progress.loss:.6g}", rate=f"{rate:.0f}"
        )

    with bar:
        yield update


def _write(
    traj: Trajectory, folder: Path, quiet: bool, title: str = "", data: Dataset | None = None
) -> dict[str, str]:
    """Write the files of a run and return their paths by kind."""
    import networkx as nx

    paths = {"trajectory": folder / TRAJECTORY, "graph": folder / GRAPH}
    traj.save(paths["trajectory"], force=True)
    nx.write_graphml(traj.graph(), paths["graph"])
    try:
        from matplotlib.figure import Figure
    except ImportError:
        if not quiet:
            note = f'reluplex-walk: no {PICTURE}: it needs pip install "reluplex_walk[plot]"'
            print(note, file=sys.stderr)
    else:
        from .plotting import overview

        labels = ("x", "y")
        if data is not None:
            labels = (data.label(data.feature_names[0]), data.label(data.target_name))
        title = ": ".join(filter(None, [title, traj.status.message]))
        figure = Figure(figsize=(8.0, 6.0), layout="constrained")
        paths["picture"] = folder / PICTURE
        overview(traj, title, figure, *labels).savefig(paths["picture"], dpi=200)
    return {kind: str(path) for kind, path in paths.items()}


def _report(
    traj: Trajectory,
    files: dict[str, str],
    as_json: bool,
    quiet: bool = False,
    extra: dict[str, str] | None = None,
) -> int:
    """Print the summary of a walk and return the exit code that goes with its status."""
    fields = traj.summary_dict()
    if as_json:
        _print({**fields, **({"files": files} if files else {})}, as_json)
    elif not quiet:
        _print({**fields, **(extra or {}), **files}, as_json)
    return EXIT_CODES[traj.status.name]


def _print(fields: dict[str, Any], as_json: bool) -> None:
    """Print names and values, as JSON or as a table."""
    if as_json:
        print(json.dumps(fields, indent=2))
        return
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table.grid(padding=(0, 2))
    for name, value in fields.items():
        table.add_row(name.replace("_", " "), Text(_words(value), overflow="fold"))
    Console(highlight=False).print(table)


def _words(value: object) -> str:
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:.6g}" if isinstance(value, float) else str(value)


__all__ = ["main"]
