"""The command ``reluplex-walk`` and those of its commands that take no table."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from .._errors import DamagedFileError
from .._version import __version__
from . import recipe_file
from .certifying import certify
from .fitting import fit, summary
from .many_walks import ensemble, saved_in, shown, summary as summary_of_walks, verified
from .models import load_result, source_of
from .options import (
    EPILOG,
    json_option,
    limit_options,
    out_option,
    output_options,
    seed_option,
)
from .output import (
    BAD_INPUT,
    GRAPH,
    INTERRUPTED,
    PROVED,
    REFUSED,
    Wanted,
    compile_groups,
    make_folder,
    print_fields,
    progress_bar,
    refuse_overwrite,
    report,
    trajectory_file,
    write_files,
)
from .prediction import predict
from .problem import in_units
from .recipe_file import COLUMNS
from .reporting import make_report
from .solving import minimize, solve
from .study import study
from .table import Recipe

if TYPE_CHECKING:
    from ..optimize.training.fit import TrainingFit
    from ..simplex.trajectory import Trajectory


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


@cli.command(epilog=EPILOG)
@out_option("reluplex_demo")
@seed_option(20)  # a good fit, ending at a vertex where nothing more vanishes
@output_options
def demo(
    out: Path | None,
    seed: int,
    no_picture: bool,
    graph: bool,
    force: bool,
    as_json: bool,
    quiet: bool,
) -> int:
    """Fit a 1-8-1 network to the motorcycle data.

    The first layer is trained by least absolute deviations, in the units of the data.
    """
    folder = out or Path("reluplex_demo")
    refuse_overwrite(folder, force)
    import reluplex_walk as rw

    compile_groups("data", "walk", "ties", quiet=quiet)
    data = rw.datasets.load_motorcycle()
    network = in_units(rw.ReLUNetwork.random([1, 8, 1], seed=seed), data.X, data.y)
    loss = rw.LayerLoss(network, data.X, data.y)
    make_folder(folder)
    with progress_bar(quiet) as draw:
        # From the network's own layer: its kinks lie among the samples, unlike those of a
        # random start, which does not know the units.
        traj = rw.walk(loss, network.layer_parameters(0), seed=seed, callback=draw)
    labels = (data.label(data.feature_names[0]), data.label(data.target_name))
    recipe = Recipe(((data.feature_names[0], None),), (data.target_name,))
    wanted = Wanted(not no_picture, graph, quiet)
    files = write_files(traj, folder, wanted, "Motorcycle impact", labels, recipe)
    mean = f"{traj.loss / len(data.y):.4g} {data.units[data.target_name]}"
    return report(traj, files, as_json, quiet, extra={"mean absolute error": mean})


@cli.command(epilog=EPILOG)
@click.argument("result", type=click.Path(path_type=Path))
@limit_options
@out_option("the folder of RESULT, whose files are replaced")
@output_options
def resume(
    result: Path,
    max_pivots: int | None,
    time_limit: float | None,
    out: Path | None,
    no_picture: bool,
    graph: bool,
    force: bool,
    as_json: bool,
    quiet: bool,
) -> int:
    """Go on with a saved walk.

    RESULT is a trajectory.npz or a folder with one.
    """
    if saved_in(result) is not None:
        raise ValueError(
            f"RESULT: {result} holds an ensemble, with which the same `reluplex-walk ensemble` "
            "command goes on"
        )
    source = trajectory_file(result)
    folder = out or source.parent
    if out is not None or source.name != trajectory_file(source.parent).name:
        refuse_overwrite(folder, force)
    import reluplex_walk as rw

    saved = rw.Trajectory.load(source)
    recipe = recipe_file.read(source.parent / COLUMNS, saved.problem.fingerprint)
    wanted = Wanted(not no_picture, graph or (folder / GRAPH).exists(), quiet)
    make_folder(folder)
    with progress_bar(quiet, max_pivots, saved.checkpoint.n_pivots) as draw:
        traj = rw.walk(
            saved.problem, resume=saved, max_pivots=max_pivots, time_limit=time_limit, callback=draw
        )
    return report(traj, write_files(traj, folder, wanted, recipe=recipe), as_json, quiet)


@cli.command()
@click.argument("result", type=click.Path(path_type=Path))
@json_option
def show(result: Path, as_json: bool) -> int:
    """Summarise a saved walk or fit, or the walks of an ensemble.

    RESULT is a trajectory.npz, a training.npz, or a folder with one, or of an ensemble.
    """
    from ..simplex.trajectory import Trajectory

    if (walks := saved_in(result)) is not None:
        fields = summary_of_walks(walks)
        print_fields(fields if as_json else shown(fields), as_json)
        return 0
    _, saved = load_result(result)
    if isinstance(saved, Trajectory):
        report(saved, {}, as_json)
    else:
        print_fields(summary(saved), as_json)
    return 0


@cli.command(
    epilog="""\b
Exit codes:
  0    all that is claimed holds, in floats and in rational arithmetic
  1    it does not, a file is damaged or was changed, or nothing is claimed
  2    bad input: one line on stderr says what is wrong
"""
)
@click.argument("result", type=click.Path(path_type=Path, exists=True))
@json_option
def verify(result: Path, as_json: bool) -> int:
    """Check the certificate of a saved walk, or those of a fit, again, from the data alone.

    Of an ensemble, those of all its distinct ends.  Also that the columns.json beside it, if there
    is one, is its own and unchanged.

    RESULT is a trajectory.npz, a training.npz, or a folder with one, or of an ensemble.
    """
    import reluplex_walk as rw

    try:
        if (walks := saved_in(result)) is not None:
            fields = verified(walks)
            recipe_file.read(result / COLUMNS, walks.problem.fingerprint)
        else:
            model, saved = load_result(result)
            fields = _verified(saved, as_json)
            model.recipe()
    except rw.CertificateError as error:
        raise DamagedFileError(f"{source_of(result)}: {error}") from None
    except ValueError as error:
        raise DamagedFileError(str(error)) from None
    print_fields(fields, as_json)
    return PROVED


def _verified(saved: Trajectory | TrainingFit, as_json: bool) -> dict[str, Any]:
    """What a check of all claims says."""
    from ..simplex.trajectory import Trajectory

    if not isinstance(saved, Trajectory):
        saved.verify()
        proofs = ", ".join(each.method for each in saved.certificates if each is not None)
        return {"verified": True, "layers": len(saved.layers), "proof": proofs, "loss": saved.loss}
    check = saved.verify()
    return {
        "verified": True,
        "proof": check.method,
        "loss": str(check.loss) if as_json else float(check.loss),
        "breakpoints": check.n_breakpoints,
        "vanishing": check.n_vanishing,
        "bits": check.bits,
        "seconds": check.seconds,
    }


@cli.command()
@click.option("--quiet", is_flag=True, help="Say nothing on stderr.")
def warmup(quiet: bool) -> int:
    """Compile all kernels now, on several processors, so that no later command has to.

    What is compiled is kept until the package or Numba changes.  Harmless in the background, beside
    other commands, and where there is nothing to compile.
    """
    count, compiled, seconds = compile_groups(quiet=quiet)
    print(f"{count} kernels ready, {compiled} of them compiled just now in {seconds:.1f} s")
    return 0


for command in (fit, solve, minimize, ensemble, predict, certify, study, make_report):
    cli.add_command(command)

__all__ = ["main"]
