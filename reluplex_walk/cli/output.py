"""What the commands leave behind: files of a run, a progress bar, a summary, an exit code."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .._whole import whole_file

if TYPE_CHECKING:
    from ..datasets import Dataset
    from ..simplex.trajectory import Trajectory

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


def refuse_overwrite(folder: Path, force: bool) -> None:
    """Stop before any work is done if a file of an earlier run would be lost."""
    for path in (folder / name for name in (TRAJECTORY, GRAPH, PICTURE)):
        if not force and path.exists() and path.stat().st_size > 0:
            raise FileExistsError(f"--out: {path} exists; give --force to overwrite it")


def make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except (FileExistsError, NotADirectoryError):
        raise ValueError(f"--out: expected a folder, found the file {folder}") from None
    if not os.access(folder, os.W_OK):
        raise ValueError(f"--out: expected a folder to write to, found {folder} read-only")


@contextmanager
def progress_bar(
    quiet: bool, total: int | None = None, before: int = 0
) -> Iterator[Callable[[Any], None] | None]:
    """The callback of a walk that draws a bar on a terminal, None elsewhere.

    `total` pivots are allowed; `before` were made by the walk that is resumed.
    """
    if quiet:
        from ..native._jit import ANNOUNCEMENT

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


def write_files(
    traj: Trajectory, folder: Path, quiet: bool, title: str = "", data: Dataset | None = None
) -> dict[str, str]:
    """Write the files of a run and return their paths by kind."""
    import networkx as nx

    paths = {"trajectory": folder / TRAJECTORY, "graph": folder / GRAPH}
    traj.save(paths["trajectory"], force=True)
    with whole_file(paths["graph"]) as stream:
        nx.write_graphml(traj.graph(), stream)
    try:
        from matplotlib.figure import Figure
    except ImportError:
        if not quiet:
            note = f'reluplex-walk: no {PICTURE}: it needs pip install "reluplex_walk[plot]"'
            print(note, file=sys.stderr)
    else:
        from ..plotting import overview

        labels = ("x", "y")
        if data is not None:
            labels = (data.label(data.feature_names[0]), data.label(data.target_name))
        title = ": ".join(filter(None, [title, traj.status.message]))
        figure = Figure(figsize=(8.0, 6.0), layout="constrained")
        paths["picture"] = folder / PICTURE
        overview(traj, title, figure, *labels)
        with whole_file(paths["picture"]) as stream:
            figure.savefig(stream, format="png", dpi=200)
    return {kind: str(path) for kind, path in paths.items()}


def report(
    traj: Trajectory,
    files: dict[str, str],
    as_json: bool,
    quiet: bool = False,
    extra: dict[str, str] | None = None,
) -> int:
    """Print the summary of a walk and return the exit code that goes with its status."""
    fields = traj.summary_dict()
    if as_json:
        print_fields({**fields, **({"files": files} if files else {})}, as_json)
    elif not quiet:
        print_fields({**fields, **(extra or {}), **files}, as_json)
    return EXIT_CODES[traj.status.name]


def print_fields(fields: dict[str, Any], as_json: bool) -> None:
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
