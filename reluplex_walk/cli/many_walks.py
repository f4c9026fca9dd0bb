"""``ensemble``: many walks on one layer, in this process, on all cores or on a cluster."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from .._limits import Limits
from ..ended import Ended
from .options import (
    column_options,
    json_option,
    limit_options,
    missing_option,
    out_option,
    problem_options,
    seed_option,
    shared,
    step_options,
    table_options,
)
from .output import (
    INTERRUPTED,
    PARTIAL,
    PICTURE,
    PROVED,
    TRAJECTORY,
    Wanted,
    draw_picture,
    make_folder,
    note,
    note_left_out,
    print_fields,
    terminal_bar,
    warnings_as_notes,
    write_files,
    write_text,
)
from .problem import Problem
from .text import stem

if TYPE_CHECKING:
    from ..ensembles.progress import EnsembleProgress
    from ..ensembles.result import Ensemble

ENSEMBLE = "ensemble.json"  # the file that makes a folder one of an ensemble
FIGURES = "figures.csv"  # medians, intervals and quartiles of what was measured

_EVERY = 10.0  # seconds between two lines where there is no terminal
_PATIENCE = "10s"  # for a scheduler to answer
_NEEDED = ("loky", "pyarrow", "filelock")  # of the extra

_CODES = {Ended.FINISHED: PROVED, Ended.STOPPED: PROVED, Ended.INTERRUPTED: INTERRUPTED}
_MESSAGES = {
    Ended.FINISHED: "all walks are made",
    Ended.STOPPED: "a further walk is unlikely enough to end somewhere new",
    Ended.TIME_LIMIT: "the time limit was reached; the same command goes on",
    Ended.INTERRUPTED: "interrupted; the same command goes on",
}

_EPILOG = """\b
Exit codes:
  0    all walks are made, or as many as --stop asks for
  2    bad input, or no workers: one line on stderr says what is wrong
  3    the time limit was reached; the same command goes on
  130  interrupted (Ctrl-C); the same command goes on
"""

_ensemble_options = shared(
    click.option("--walks", type=click.IntRange(min=1), default=1000, help="Of seeds 0, 1, ..."),
    click.option(
        "--workers",
        type=click.IntRange(min=1),
        help="Processes on this machine. [default: this one alone]",
    ),
    click.option(
        "--scheduler", metavar="ADDRESS", help="Of a Dask cluster, as tcp://10.0.0.1:8786."
    ),
    click.option(
        "--keep",
        type=click.Choice(["ends", "trajectories"]),
        default="ends",
        help="What is kept of each walk.",
    ),
    click.option(
        "--proof",
        type=click.Choice(["distinct", "all", "off"]),
        default="distinct",
        help="Prove each distinct end once, every walk on its own, or nothing.",
    ),
    click.option(
        "--stop",
        type=float,
        metavar="SHARE",
        help="Stop when so small a share of further walks is estimated to end somewhere new.",
    ),
    click.option(
        "--measure",
        "measures",
        type=click.Choice(["density", "decay", "level"]),
        multiple=True,
        help="Figures of each walk, as columns of its row; medians with intervals in figures.csv "
        "(may be repeated).",
    ),
    click.option("--no-resume", is_flag=True, help="Refuse to go on with an earlier run in --out."),
)


@click.command(epilog=_EPILOG)
@problem_options
@_ensemble_options
@step_options
@limit_options
@seed_option(0, "Of the network.")
@out_option("DATA_ensemble")
@click.option("--no-picture", is_flag=True, help="Do not draw picture.png.")
@json_option
@click.option("--quiet", is_flag=True, help="No progress, table or notes.")
@table_options
@missing_option
@column_options
def ensemble(**given: Any) -> int:
    """Make many walks on one layer of a random network, and say what minima they found.

    Each walk from a start of its own, on the columns of DATA.csv.  A row for each is in DIR/walks,
    as Parquet files; what is there is not made again, whatever stopped an earlier run.  The walk
    to the lowest end is left as trajectory.npz.  DATA.csv may be packed with gzip, a Parquet file,
    or - for stdin.
    """
    _check(given)
    title, quiet = stem(given["data"]), given["quiet"]
    folder = given["out"] or Path(f"{title}_ensemble")
    if given["no_resume"] and (folder / ENSEMBLE).exists():
        raise FileExistsError(
            f"--out: {folder} holds an ensemble; leave out --no-resume to go on with it, or give "
            "another --out"
        )
    problem = Problem.of(given)
    with warnings_as_notes(quiet):
        note_left_out(problem.table, quiet)
        beside = problem.beside()
        make_folder(folder)
        found = _made(problem, folder, given)
    fields = summary(found, beside)
    files = {"rows": str(folder / "walks")}
    if found.ended is not Ended.INTERRUPTED and len(found):
        files |= _write(found, folder, problem, given)
    if given["as_json"]:
        print_fields({**fields, "files": files}, True)
    elif not quiet:
        print_fields({**shown(fields), **files}, False)
    return _CODES.get(found.ended, PARTIAL)


def _check(given: dict[str, Any]) -> None:
    """What can be said before the table is read."""
    from .._validate import positive, share

    if given["time_limit"] is not None:
        positive("time_limit", given["time_limit"])
    if given["stop"] is not None:
        share("stop", given["stop"])
    if given["workers"] and given["scheduler"]:
        raise ValueError(
            "--workers: expected nothing beside --scheduler, whose cluster has its own workers"
        )
    if any(find_spec(name) is None for name in _NEEDED):
        raise ValueError('ensemble: it needs pip install "reluplex_walk[ensemble]"')
    if given["scheduler"] and find_spec("distributed") is None:
        raise ValueError('--scheduler: it needs pip install "reluplex_walk[dask]"')


def _made(problem: Problem, folder: Path, given: dict[str, Any]) -> Ensemble:
    import reluplex_walk as rw

    from ..ensembles.store import read_manifest

    loss = problem.loss(given["seed"])
    if (folder / ENSEMBLE).exists() and read_manifest(folder)["loss"] != loss.fingerprint:
        raise FileExistsError(
            f"--out: {folder} holds walks on other data, another network or another loss; give "
            "another --out"
        )
    names = ("keep", "stop", "proof", "time_limit", "measures", "step", "rule", "max_pivots")
    asked = {name: given[name] for name in names}
    quiet, walks = given["quiet"], given["walks"]
    executor = _executor(given["workers"], given["scheduler"], quiet)
    with executor as workers, _progress(walks, quiet) as draw:
        try:
            return rw.ensemble(loss, walks, None, workers, folder, callback=draw, **asked)
        except RuntimeError as error:  # workers die, or another process writes to the folder
            raise click.ClickException(str(error)) from None


@contextmanager
def _executor(workers: int | None, scheduler: str | None, quiet: bool) -> Iterator[Any]:
    """What :func:`reluplex_walk.ensemble` takes as `executor`."""
    if scheduler is None:
        yield workers
        return
    from distributed import Client

    try:
        client = Client(scheduler, timeout=_PATIENCE)
    except (OSError, ValueError) as error:
        raise ValueError(f"--scheduler: no scheduler answers at {scheduler} ({error})") from None
    with client:
        if not client.nthreads():
            note(f"the scheduler at {scheduler} has no workers yet: waiting for them", quiet)
        yield client


# ---------------------------------------------------------------- what is told


@contextmanager
def _progress(total: int, quiet: bool) -> Iterator[Callable[[EnsembleProgress], None] | None]:
    """What is told how far the walks are: a bar on a terminal, elsewhere a line now and then."""
    sides = ("{task.fields[far]}", "{task.fields[low]}")
    with terminal_bar(quiet, sides, total, far=_done(0, total), low="") as show:
        if show is None:
            yield None if quiet else _lines()
            return

        def update(told: EnsembleProgress) -> None:
            proving = told.n_to_prove > 0
            show(
                completed=told.n_proofs if proving else told.n_walks,
                total=told.n_to_prove if proving else told.n_total,
                far=_how_far(told),
                low=_how_low(told),
            )

        yield update


def _lines() -> Callable[[EnsembleProgress], None]:
    """Writes a line every few seconds."""
    clock, due = Limits(), _EVERY

    def update(told: EnsembleProgress) -> None:
        nonlocal due
        if clock.elapsed >= due:
            due = clock.elapsed + _EVERY
            note(f"{_how_far(told)}, {_how_low(told)}")

    return update


def _how_far(told: EnsembleProgress) -> str:
    if told.n_to_prove:
        return f"{told.n_proofs} of {told.n_to_prove} ends proved"
    return _done(told.n_walks, told.n_total)


def _done(made: int, total: int) -> str:
    return f"{made} of {total} walks"


def _how_low(told: EnsembleProgress) -> str:
    best = f"{told.loss:.6g}" if math.isfinite(told.loss) else "-"
    rate = "" if told.n_to_prove else f"{told.rate:.3g} walks/s, "
    return f"{rate}{told.n_minima} distinct ends, best level {best}"


def saved_in(result: Path) -> Ensemble | None:
    """The ensemble that RESULT, a folder with one, means; None if it means something else."""
    if not (result / ENSEMBLE).is_file():
        return None
    import reluplex_walk as rw

    return rw.Ensemble.load(result)


def summary(found: Ensemble, beside: dict[str, float] | None = None) -> dict[str, Any]:
    """What `ensemble` and `show` say of an ensemble; losses to compare with stand `beside`."""
    minima, unseen = found.minima(), found.unseen()
    key = found.lowest_key  # None of a walk that was cut short
    k = minima.keys.index(key) if key is not None else None
    proved = k is not None and bool(minima.proved[k])
    high = unseen.total_high if math.isfinite(unseen.total_high) else None
    return {
        "ended": found.ended.name,
        "message": _MESSAGES.get(found.ended, found.ended.message),
        "loss": found.loss if len(found) else None,
        "best_level_proved": proved if len(found) else None,
        **(beside or {}),
        "walks": len(found),
        "walks_to_their_end": unseen.n_walks,
        "walks_to_the_best_level": int(minima.counts[k]) if k is not None else 0,
        "distinct_ends": unseen.n_distinct,
        "proved": int(minima.proved.sum()),
        "coverage": 1.0 - unseen.share,
        "coverage_interval": [1.0 - unseen.share_high, 1.0 - unseen.share_low],
        "ends_estimated": unseen.total,
        "ends_estimated_interval": [unseen.total_low, high],
        "seconds": found.elapsed,
    }


def verified(found: Ensemble) -> dict[str, Any]:
    """What a check of the proofs of an ensemble says; ValueError where one does not hold."""
    proofs = found.verify()
    if not proofs:
        raise ValueError("no end of the ensemble is proved: nothing is claimed")
    ends = len(found.minima())
    return {"verified": True, "proofs": proofs, "distinct_ends": ends, "loss": found.loss}


def shown(fields: dict[str, Any]) -> dict[str, Any]:
    """The same for people: intervals beside their estimates, the level by its name."""
    table: dict[str, Any] = {}
    for name, value in fields.items():
        if name == "walks_to_their_end" and value == fields["walks"]:
            continue
        if name.endswith("_interval"):
            low, high = (f"{each:.4g}" if each is not None else "any number" for each in value)
            estimate = name.removesuffix("_interval")
            table[estimate] = f"{table[estimate]:.4g} (95 %: {low} to {high})"
        else:
            table["best_level" if name == "loss" else name] = value
    return table


def _write(
    found: Ensemble, folder: Path, problem: Problem, given: dict[str, Any]
) -> dict[str, str]:
    """The lowest walk, what its columns are, and a picture of all; their paths by kind."""
    quiet = given["quiet"]
    try:
        files = write_files(
            found.best, folder, Wanted(False, False, quiet), recipe=problem.table.recipe
        )
        if given["measures"]:
            files["figures"] = str(folder / FIGURES)
            write_text(folder / FIGURES, found.statistics().to_csv())
        wanted = not given["no_picture"]
        if wanted and draw_picture(found.plot, folder, TRAJECTORY, quiet):
            files["picture"] = str(folder / PICTURE)
    except KeyboardInterrupt:
        note(f"interrupted; the rows in {folder} are saved, other files are left out", quiet)
        return {}
    return files


__all__ = ["ensemble", "saved_in", "shown", "summary", "verified"]
