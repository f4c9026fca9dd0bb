"""``solve`` and ``minimize``: one layer of a random network trained on the columns of a table."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from .._limits import Limits
from .classes import accuracy
from .comparison import above_of
from .options import (
    EPILOG,
    column_options,
    limit_options,
    missing_option,
    out_option,
    output_options,
    problem_options,
    seed_option,
    step_options,
    table_options,
    time_option,
)
from .output import (
    INTERRUPTED,
    Wanted,
    make_folder,
    note,
    note_left_out,
    progress_bar,
    refuse_overwrite,
    report,
    warnings_as_notes,
    write_files,
)
from .problem import Problem
from .text import stem

if TYPE_CHECKING:
    from ..problem.loss import LayerLoss
    from ..simplex.trajectory import Trajectory

_SECONDS = 10.0  # of `minimize`, where nothing else is asked for


@click.command(epilog=EPILOG)
@problem_options
@seed_option(0)
@click.option(
    "--restarts",
    type=click.IntRange(min=1),
    default=1,
    help="Walks from so many networks, of seed, seed + 1, ...; the lowest end is kept.",
)
@step_options
@limit_options
@out_option("DATA_walk")
@output_options
@table_options
@missing_option
@column_options
def solve(**given: Any) -> int:
    """Train one layer of a random network on the columns of DATA.csv.

    DATA.csv may be packed with gzip, a Parquet file, or - for stdin.
    """
    if given["time_limit"] is not None:
        from .._validate import positive

        positive("time_limit", given["time_limit"])
    with _Run.of(given) as run:
        made: list[Trajectory] = []
        stopped = _walks(run, made)
    traj = min(made, key=lambda each: (each.loss, not each.status.proved))
    extra: dict[str, Any] = {"walks": len(made)} if len(made) > 1 else {}
    remedy = "--restarts 20, `reluplex-walk minimize` or more neurons may lead lower"
    if traj.ended.early:
        remedy = f"`reluplex-walk resume {run.folder}` goes on"
    return run.finish(traj, extra, remedy, stopped)


def _walks(run: _Run, made: list[Trajectory]) -> bool:
    """Make the walks, and say whether Ctrl-C stopped them.

    If all end above the best linear function, another one starts from there.
    """
    import reluplex_walk as rw

    given, problem = run.given, run.problem
    with (
        Limits(given["restarts"], given["time_limit"]) as limits,
        progress_bar(given["quiet"], given["max_pivots"]) as draw,
    ):

        def walk(loss: LayerLoss, seed: int) -> None:
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

        walk(run.loss, given["seed"])
        while limits.look(len(made)) is None:
            seed = given["seed"] + len(made)
            walk(problem.loss(seed), seed)
        above = min(traj.loss for traj in made) > run.beside["best_linear"] * (1.0 + 1e-9)
        wanted = above and problem.output == "fitted" and problem.room_for_a_line
        if wanted and not made[-1].ended.early and limits.look() is None:
            walk(problem.loss(given["seed"], line=True), given["seed"])
        return limits.interrupted


@click.command(epilog=EPILOG)
@problem_options
@seed_option(0)
@click.option("--max-walks", type=click.IntRange(min=1), help="Stop after so many walks.")
@time_option
@out_option("DATA_walk")
@output_options
@table_options
@missing_option
@column_options
def minimize(**given: Any) -> int:
    """Search for the lowest minimum of one layer of a random network on DATA.csv.

    Many walks, from several starts and from kicked earlier minima, for 10 seconds where neither
    --time-limit nor --max-walks is given.  DATA.csv may be packed with gzip, a Parquet file, or -
    for stdin.
    """
    walks, seconds = given["max_walks"], given["time_limit"]
    if walks is None and seconds is None:
        seconds = _SECONDS
    with _Run.of(given) as run:
        import reluplex_walk as rw

        with progress_bar(given["quiet"], walks, unit="walks") as draw:
            found = rw.minimize(
                run.loss,
                seconds,
                given["seed"],
                max_walks=walks,
                start=run.loss.theta,
                callback=draw,
            )
    extra = {"walks": len(found.losses), "levels": len(found.levels), "search": found.status}
    lowest = min([found.loss, *found.levels.tolist()])
    if lowest < found.loss * (1.0 - 1e-9):
        extra["lowest_not_proved"] = lowest
    remedy = "a longer --time-limit, another --seed or more neurons may lead lower"
    return run.finish(found.best, extra, remedy, found.status == "interrupted")


class _Run(NamedTuple):
    """What comes before and after the training."""

    folder: Path
    title: str
    problem: Problem
    loss: LayerLoss  # of the first network
    beside: dict[str, float]  # losses to compare with
    given: dict[str, Any]

    @classmethod
    @contextmanager
    def of(cls, given: dict[str, Any]) -> Iterator[_Run]:
        """Read the table and make the network; during the training warnings become notes."""
        title, quiet = stem(given["data"]), given["quiet"]
        folder = given.pop("out") or Path(f"{title}_walk")
        refuse_overwrite(folder, given["force"])
        problem = Problem.of(given)
        with warnings_as_notes(quiet):
            note_left_out(problem.table, quiet)
            loss, beside = problem.loss(given["seed"]), problem.beside()
            make_folder(folder)
            yield cls(folder, title, problem, loss, beside, given)

    def finish(self, traj: Trajectory, extra: dict[str, Any], remedy: str, stopped: bool) -> int:
        """Write the files and print the summary of the lowest walk; `stopped` by Ctrl-C."""
        table, given = self.problem.table, self.given
        axes = table.recipe.features[0], table.recipe.targets[0]
        wanted = Wanted(not (given["no_picture"] or stopped), given["graph"], given["quiet"])
        files = write_files(traj, self.folder, wanted, self.title, axes, table.recipe)
        if table.left_out:
            extra["rows_left_out"] = table.left_out
        if self.problem.kind == "hinge":
            outputs = traj.network(table.X)
            extra["accuracy"] = accuracy(outputs, table.y, table.recipe.labels)
        code = report(traj, files, given["as_json"], given["quiet"], dict(self.beside), extra)
        self._warn(traj, remedy)
        return INTERRUPTED if stopped else code

    def _warn(self, traj: Trajectory, remedy: str) -> None:
        """Say so where the network is no better than what needs none."""
        off = len(traj.dead_neurons)
        if off == traj.theta.shape[0]:
            note(
                f"warning: {off} of {off} neurons of layer {self.problem.layer} are off for every "
                "sample; --restarts 20 or another --seed starts elsewhere"
            )
        if above := above_of(self.beside, traj.loss, traj.problem.target_size):
            note(f"warning: the loss {traj.loss:.6g} is above that of {above}; {remedy}")


__all__ = ["minimize", "solve"]
