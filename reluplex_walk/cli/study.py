"""``study``: one of the studies, with a figure and a table of what it found."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click

from .._limits import Limits
from .._whole import whole_file
from ..ended import Ended
from .known_studies import STUDIES, Outcome
from .options import json_option, time_option
from .output import (
    INTERRUPTED,
    PARTIAL,
    PROVED,
    make_folder,
    note,
    print_fields,
    terminal_bar,
)

_EPILOG = (
    "\b\nStudies:\n"
    + "\n".join(f"  {name:<12} {study.about}" for name, study in STUDIES.items())
    + """

\b
Exit codes:
  0    the study is done
  2    bad input: one line on stderr says what is wrong
  3    the time limit was reached; what was found until then is saved
  130  interrupted (Ctrl-C); what was found until then is saved
"""
)


@click.command(epilog=_EPILOG)
@click.argument("name", type=click.Choice(list(STUDIES)), metavar="NAME")
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Folder for NAME.csv and NAME.png. [default: NAME_study]",
)
@click.option("--seed", type=click.IntRange(min=0), default=0, help="Of all that is random.")
@time_option
@click.option("--no-picture", is_flag=True, help="Do not draw NAME.png.")
@click.option("--force", is_flag=True, help="Overwrite files of an earlier study.")
@json_option
@click.option("--quiet", is_flag=True, help="No progress bar, table or notes.")
def study(
    name: str,
    out: Path | None,
    seed: int,
    time_limit: float | None,
    no_picture: bool,
    force: bool,
    as_json: bool,
    quiet: bool,
) -> int:
    """Run the study NAME and leave its figure and its numbers."""
    folder, known = out or Path(f"{name}_study"), STUDIES[name]
    table, picture = folder / f"{name}.csv", folder / f"{name}.png"
    if not force and (found := [path.name for path in (table, picture) if path.exists()]):
        raise FileExistsError(
            f"--out: {folder} holds an earlier study, of which {', '.join(found)} would be "
            "overwritten; give --force to do so, or another --out"
        )
    make_folder(folder)
    with _bar(name, known.total(), quiet) as draw, Limits.asked(time_limit, draw) as limits:
        outcome = known.run(seed, limits)
    _write(outcome.columns, table)
    picture.unlink(missing_ok=True)  # with --force: that of an earlier study, beside a new table
    fields: dict[str, Any] = {"study": name, "ended": outcome.ended.message, "table": str(table)}
    if not no_picture and _drawn(outcome, picture, name, quiet):
        fields["picture"] = str(picture)
    if as_json or not quiet:
        print_fields(fields, as_json)
    early = {Ended.FINISHED: PROVED, Ended.INTERRUPTED: INTERRUPTED}
    return early.get(outcome.ended, PARTIAL)


def _write(columns: Mapping[str, Sequence[Any]], path: Path) -> None:
    """A CSV file; what is masked is empty, floats are written in full."""
    import numpy as np

    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    for row in zip(*columns.values(), strict=True):
        writer.writerow(["" if each is np.ma.masked else _plain(each) for each in row])
    with whole_file(path) as stream:
        stream.write(text.getvalue().encode())


def _plain(value: Any) -> Any:
    """A NumPy number as that of Python, which is written without its type."""
    return value.item() if hasattr(value, "item") else value


def _drawn(outcome: Outcome, path: Path, name: str, quiet: bool) -> bool:
    """Draw the picture; without matplotlib or where there is too little to draw, say so."""
    if outcome.draw is None:
        note(f"no {path.name}: the study was stopped before there was enough to draw", quiet)
        return False
    try:
        from matplotlib.figure import Figure
    except ImportError:
        note(f'no {path.name}: it needs pip install "reluplex_walk[plot]"', quiet)
        return False
    figure = Figure(figsize=(9.0, 4.5), layout="constrained")
    outcome.draw(figure)
    figure.suptitle(STUDIES[name].about)
    with whole_file(path) as stream:
        figure.savefig(stream, dpi=150, format="png")
    return True


@contextmanager
def _bar(name: str, total: int, quiet: bool) -> Iterator[Callable[[int], None] | None]:
    """What is told how much is done and draws a bar on a terminal, None elsewhere."""
    with terminal_bar(quiet, (name, "{task.percentage:>3.0f}%"), total) as show:
        yield None if show is None else lambda done: show(completed=done)


__all__ = ["study"]
