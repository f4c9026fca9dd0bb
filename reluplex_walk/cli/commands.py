"""The command ``reluplex-walk``: demo, solve, resume, show, verify; for people and programs."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from .._errors import DamagedFileError
from .._version import __version__
from .output import (
    BAD_INPUT,
    INTERRUPTED,
    PROVED,
    REFUSED,
    TRAJECTORY,
    make_folder,
    print_fields,
    progress_bar,
    refuse_overwrite,
    report,
    write_files,
)

if TYPE_CHECKING:
    from ..datasets import Dataset
    from ..problem.network import ReLUNetwork

EPILOG = """\b
Exit codes:
  0    the walk ended at a proved local or global minimum
  1    the saved walk is damaged or was changed
  2    bad input: one line on stderr says what is wrong
  3    not proved, or the pivot or time limit was reached; the result so far is saved
  130  interrupted (Ctrl-C); the result so far is saved, `resume` goes on from it
"""

Command = TypeVar("Command", bound=Callable[..., Any])


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line `argv` (default: that of the process) and return its exit code.

    Examples
    --------
    >>> from reluplex_walk.cli.commands import main
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
    except DamagedFileError as error:
        print(f"reluplex-walk: refused: {' '.join(str(error).split())}", file=sys.stderr)
        return REFUSED
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
    refuse_overwrite(folder, force)
    import reluplex_walk as rw

    data = rw.datasets.load_motorcycle()
    network = _in_units(rw.ReLUNetwork.random([1, 8, 1], seed=seed), data)
    loss = rw.LayerLoss(network, data.X, data.y)
    make_folder(folder)
    with progress_bar(quiet) as draw:
        # From the network's own layer: its kinks lie among the samples, unlike those of a
        # random start, which does not know the units.
        traj = rw.walk(loss, network.layer_parameters(0), seed=seed, callback=draw)
    files = write_files(traj, folder, quiet, title="Motorcycle impact", data=data)
    mean = f"{traj.loss / len(data.y):.4g} {data.units[data.target_name]}"
    return report(traj, files, as_json, quiet, {"mean absolute error": mean})


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
    refuse_overwrite(folder, force)
    import reluplex_walk as rw

    table = rw.datasets.read_csv(data, target)
    network = rw.ReLUNetwork.random([table.X.shape[1], *hidden, 1], seed=seed, init=init)
    loss = rw.LayerLoss(network, table.X, table.y, layer=layer, kind=kind, tau=tau)
    make_folder(folder)
    with progress_bar(quiet, max_pivots) as draw:
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
    files = write_files(traj, folder, quiet, title=table.name, data=table)
    return report(traj, files, as_json, quiet)


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
        refuse_overwrite(folder, force)
    import reluplex_walk as rw

    saved = rw.Trajectory.load(source)
    make_folder(folder)
    with progress_bar(quiet, max_pivots, saved.checkpoint.n_pivots) as draw:
        traj = rw.walk(
            saved.problem, resume=saved, max_pivots=max_pivots, time_limit=time_limit, callback=draw
        )
    return report(traj, write_files(traj, folder, quiet), as_json, quiet)


@cli.command()
@click.argument("result", type=click.Path(path_type=Path))
@_json_option
def show(result: Path, as_json: bool) -> int:
    """Summarise a saved walk.

    RESULT is a trajectory.npz or a folder with one.
    """
    source = _trajectory_file(result)
    import reluplex_walk as rw

    report(rw.Trajectory.load(source), {}, as_json)
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
@_json_option
def verify(result: Path, as_json: bool) -> int:
    """Check the certificate of a saved walk again, from its data alone.

    RESULT is a trajectory.npz or a folder with one.
    """
    source = _trajectory_file(result)
    import reluplex_walk as rw

    try:
        check = rw.Trajectory.load(source).verify()
    except rw.CertificateError as error:
        raise DamagedFileError(f"{source}: {error}") from None
    except ValueError as error:
        raise DamagedFileError(str(error)) from None
    fields = {
        "verified": True,
        "proof": check.method,
        "loss": str(check.loss) if as_json else float(check.loss),
        "breakpoints": check.n_breakpoints,
        "vanishing": check.n_vanishing,
        "bits": check.bits,
        "seconds": check.seconds,
    }
    print_fields(fields, as_json)
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


__all__ = ["main"]
