"""What the commands leave behind: files of a run, a progress bar, a summary, an exit code."""

from __future__ import annotations

import json
import os
import sys
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from .._limits import Limits
from .._whole import whole_file
from ..native._compiling import COMPILING
from .recipe_file import COLUMNS, to_text

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from ..simplex.trajectory import Trajectory
    from .table import Recipe, Table

TRAJECTORY, GRAPH, PICTURE = "trajectory.npz", "graph.graphml", "picture.png"
TRAINING, NETWORK, ONNX, SUMMARY = "training.npz", "network.npz", "network.onnx", "summary.json"

PROVED, REFUSED, BAD_INPUT, PARTIAL, INTERRUPTED = 0, 1, 2, 3, 130
"""Exit codes, as EPILOG explains them."""

_ALL = (TRAJECTORY, TRAINING, NETWORK, ONNX, COLUMNS, SUMMARY, GRAPH, PICTURE)

EXIT_CODES = {
    "LOCAL_MINIMUM": PROVED,
    "GLOBAL_MINIMUM": PROVED,
    "NOT_PROVED": PARTIAL,
    "PIVOT_LIMIT": PARTIAL,
    "TIME_LIMIT": PARTIAL,
    "INTERRUPTED": INTERRUPTED,
    "LEVEL_GAP": PARTIAL,
    "STOPPED": PARTIAL,
}


def trajectory_file(result: Path) -> Path:
    """The file that RESULT, a file or a folder with one, means."""
    return result / TRAJECTORY if result.is_dir() else result


def refuse_overwrite(folder: Path, force: bool) -> None:
    """Stop before any work is done if files of an earlier run would be lost, and name them."""
    if force:
        return
    if found := [name for name in _ALL if _filled(folder / name)]:
        raise FileExistsError(
            f"--out: {folder} holds an earlier run, of which {', '.join(found)} would be "
            "overwritten; give --force to do so, or another --out"
        )


def _filled(path: Path) -> bool:
    return path.exists() and path.stat().st_size > 0


def make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except (FileExistsError, NotADirectoryError):
        raise ValueError(f"--out: expected a folder, found the file {folder}") from None
    if not os.access(folder, os.W_OK):
        raise ValueError(f"--out: expected a folder to write to, found {folder} read-only")


def note(text: str, quiet: bool = False) -> None:
    """Tell the user of something in one line, on stderr."""
    if not quiet:
        print(f"reluplex-walk: {' '.join(text.split())}", file=sys.stderr)


def note_left_out(table: Table, quiet: bool) -> None:
    """Say how many rows are left out, if any are."""
    if table.left_out:
        rows = len(table.X) + table.left_out
        note(f"{table.left_out} of {rows} rows have missing values and are left out", quiet)


@contextmanager
def warnings_as_notes(quiet: bool) -> Iterator[None]:
    """Warnings of the library, such as of columns that depend on others, as notes."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        yield
    for text in dict.fromkeys(str(warning.message) for warning in caught):
        note(f"note: {text}", quiet)


@contextmanager
def told(tell: Callable[[str | None], None]) -> Iterator[None]:
    """What is compiled meanwhile is told to `tell`."""
    before, COMPILING.tell = COMPILING.tell, tell
    try:
        yield
    finally:
        COMPILING.tell = before


def compile_groups(*groups: str, quiet: bool) -> tuple[int, int, float]:
    """Have the kernels of these groups (none: all) ready, on several processors.

    Returns how many these are, how many had to be compiled, and the seconds that took.
    """
    from ..native import _jit
    from ..native._workers import GROUPS

    wanted = [_jit.find(name) for group in groups for name in GROUPS[group]] or _jit.entries()
    began = COMPILING.seconds
    with told(_nothing if quiet else COMPILING.tell), Limits() as limits:
        compiled = _jit.warm_up(wanted, lambda: limits.interrupted)
    limits.pass_on()
    return len(wanted), compiled, COMPILING.seconds - began


def _nothing(text: str | None) -> None:
    """Told of what is compiled, where nobody wants to know."""


@contextmanager
def progress_bar(
    quiet: bool, total: int | None = None, before: int = 0, unit: str = "pivots"
) -> Iterator[Callable[[Any], None] | None]:
    """The callback of a walk or a search that draws a bar on a terminal, None elsewhere.

    `total` pivots are allowed; `before` were made by the walk that is resumed.
    """
    sides = (
        "{task.completed} " + unit,
        "loss {task.fields[loss]}, {task.fields[rate]} " + unit + "/s",
    )
    clock = Limits()
    with terminal_bar(quiet, sides, total, before, loss="-", rate="-") as show:
        if show is None:
            yield None
            return

        def update(progress: Any) -> None:
            done = getattr(progress, f"n_{unit}")
            rate = (done - before) / max(clock.elapsed, 1e-9)
            show(completed=done, loss=f"{progress.loss:.6g}", rate=f"{rate:.3g}")

        yield update


@contextmanager
def terminal_bar(
    quiet: bool, sides: tuple[str, str], total: int | None, done: int = 0, **fields: str
) -> Iterator[Callable[..., None] | None]:
    """What updates a bar, with a text on either `side`, on a terminal; None elsewhere.

    The texts are rich's, of the task and its `fields`.  The clock beside them, and what is being
    compiled, are the bar's own.
    """
    if quiet or not sys.stderr.isatty():
        with told(_nothing if quiet else COMPILING.tell):
            yield None
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn

    bar = Progress(
        TextColumn(sides[0]),
        BarColumn(),
        TextColumn(sides[1]),
        TextColumn("{task.fields[clock]}"),
        TextColumn("{task.fields[compiling]}"),
        console=Console(stderr=True),
        transient=True,
    )
    shown: dict[str, Any] = {**fields, "clock": "", "compiling": ""}
    task, clock = bar.add_task("", total=total, completed=done, **shown), Limits()

    def show(**changed: Any) -> None:
        bar.update(task, **changed, clock=f"{clock.elapsed:.0f} s")

    with told(lambda text: bar.update(task, compiling=text or "")), bar:
        yield show


class Wanted(NamedTuple):
    """Which files besides the trajectory a run leaves, and whether they are spoken of."""

    picture: bool = True
    graph: bool = False
    quiet: bool = False


def remove_others(folder: Path, kept: str) -> None:
    """Remove the files of an earlier run but the one called `kept`: they belong to that run."""
    for name in _ALL:
        if name != kept:
            (folder / name).unlink(missing_ok=True)


def write_text(path: Path, text: str) -> None:
    with whole_file(path) as stream:
        stream.write(text.encode())


def write_files(
    traj: Trajectory,
    folder: Path,
    wanted: Wanted,
    title: str = "",
    labels: tuple[str, str] = ("x", "y"),
    recipe: Recipe | None = None,
) -> dict[str, str]:
    """Write the files of a run and return their paths by kind.

    The trajectory comes first: what was found is safe before anything is drawn.  What an earlier
    run left of the other kinds would not belong to it, and goes.
    """
    paths = {"trajectory": folder / TRAJECTORY}
    traj.save(paths["trajectory"], force=True)
    remove_others(folder, TRAJECTORY)
    if recipe is not None:
        paths["columns"] = folder / COLUMNS
        write_text(paths["columns"], to_text(recipe, traj.problem.fingerprint))
    interrupted = traj.status.name == "INTERRUPTED"
    try:
        if wanted.graph:
            _write_graph(traj, folder / GRAPH)
            paths["graph"] = folder / GRAPH
        if wanted.picture and not interrupted and _drawn(traj, folder, wanted, title, labels):
            paths["picture"] = folder / PICTURE
    except KeyboardInterrupt:
        note(f"interrupted; {paths['trajectory']} is saved, other files are left out", wanted.quiet)
    return {kind: str(path) for kind, path in paths.items()}


def _write_graph(traj: Trajectory, path: Path) -> None:
    import networkx as nx

    with whole_file(path) as stream:
        nx.write_graphml(traj.graph(), stream)


def _drawn(
    traj: Trajectory, folder: Path, wanted: Wanted, title: str, labels: tuple[str, str]
) -> bool:
    def draw() -> Figure:
        from matplotlib.figure import Figure

        from ..plotting import overview
        from ..plotting.overview import size_of

        figure = Figure(figsize=size_of(traj), layout="constrained")
        overview(traj, ": ".join(filter(None, [title, traj.status.message])), figure, *labels)
        return figure

    return draw_picture(draw, folder, TRAJECTORY, wanted.quiet)


def draw_picture(draw: Callable[[], Figure], folder: Path, saved: str, quiet: bool) -> bool:
    """Write the figure that `draw` makes, after the file `saved`; without matplotlib, say so."""
    try:
        import matplotlib.figure  # noqa: F401
    except ImportError:
        note(f'no {PICTURE}: it needs pip install "reluplex_walk[plot]"', quiet)
        return False
    note(f"{folder / saved} saved; drawing the picture (Ctrl-C leaves it out)", quiet)
    figure = draw()
    with whole_file(folder / PICTURE) as stream:
        figure.savefig(stream, dpi=200, format="png")
    return True


def report(
    traj: Trajectory,
    files: dict[str, str],
    as_json: bool,
    quiet: bool = False,
    beside: dict[str, Any] | None = None,
    extra: dict[str, Any] | None = None,
) -> int:
    """Print the summary of a walk and return the exit code that goes with its status.

    What is to be seen `beside` the loss follows it, what is `extra` the summary.
    """
    fields: dict[str, Any] = {}
    for name, value in traj.summary_dict().items():
        fields[name] = value
        fields.update((beside or {}) if name == "loss" else {})
    fields.update(extra or {})
    if as_json:
        print_fields({**fields, **({"files": files} if files else {})}, as_json)
    elif not quiet:
        print_fields({**fields, **files}, as_json)
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
