"""`report`: a result as one HTML file."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import Any

from .._numbers import short
from .._whole import new_path, whole_file
from .head import head
from .page import GENERATOR, Page, Section
from .words import known, said

# The module that knows the sections of each kind of result; of all others there is the head.
_SECTIONS = {
    "Trajectory": "of_walk",
    "Minimization": "of_minimization",
    "Ensemble": "of_ensemble",
    "QuantileFit": "of_quantile",
    "TrainingFit": "of_training",
    "QuantileProcess": "of_process",
    "DescentPath": "of_descent",
    "MergeTree": "of_merge_tree",
    "Barrier": "of_barrier",
}


def report(result: Any, path: str | Path | None = None, *, title: str | None = None) -> Path:
    """Write `result` as a page that anybody can open: one HTML file, no network needed.

    What was searched and what is proved of it, in words; figures that can be zoomed and turned;
    for a walk a slider that plays it vertex by vertex, in an exact plane cut of the loss, on the
    terrain of that cut, and as a fit over the data; tables that sort.  It is made for narrow and
    wide windows, dark and light ones, and for the keyboard.

    Parameters
    ----------
    result : Trajectory, Minimization, Ensemble, QuantileFit, TrainingFit, MergeTree or Barrier
        Of any other result of the package the page has what notebooks show of it.
    path : str or Path, optional
        Where to; a report that is there is replaced, any other file is not.  Default: a name by
        the kind of result, such as ``trajectory.html``, in the current folder.
    title : str, optional
        Heading of the page.

    Returns
    -------
    Path
        Of the file.

    Raises
    ------
    TypeError
        If `result` is no result of the package, `path` no path, or `title` no text.
    ValueError
        If `path` names no file, or `title` is empty.
    FileNotFoundError
        If there is no such folder.
    FileExistsError
        If another file than a report is there.
    ImportError
        If plotly is not installed.

    Examples
    --------
    >>> import pathlib, tempfile, reluplex_walk as rw
    >>> net = rw.ReLUNetwork([[[0.0]]], [[0.0]])
    >>> traj = rw.walk(rw.LayerLoss(net, [[0.0], [1.0], [2.0]], [1.0, 2.0, 10.0]))
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = rw.report(traj, pathlib.Path(folder, "walk.html"), title="Three samples")
    ...     path.name, "<h1>Three samples</h1>" in path.read_text("utf-8")
    ('walk.html', True)
    """
    if not known(type(result)):
        raise TypeError(f"result: expected a result of reluplex_walk, found {short(result)}")
    if title is not None:
        _check_title(title)
    target = new_path(f"{_kind(result).lower()}.html" if path is None else path)
    _check(target)
    page = Page(
        said(result).title if title is None else title,
        head(result, titled=title is not None),
        sections_of(result),
    ).html()
    with whole_file(target) as stream:
        stream.write(page.encode("utf-8"))
    return target


def sections_of(result: Any) -> list[Section]:
    """The sections of the page of `result`, none where no module knows any."""
    module = _SECTIONS.get(_kind(result))
    if module is None:
        return []
    found: list[Section] = import_module(f".{module}", __package__).sections(result)
    return found


def _kind(result: Any) -> str:
    """The name of the first class of `result` that has sections, else of its own."""
    names = [cls.__name__ for cls in type(result).__mro__]
    return next((name for name in names if name in _SECTIONS), names[0])


def _check_title(title: Any) -> None:
    """TypeError for what is no text, ValueError for one that is empty or no Unicode."""
    if not isinstance(title, str):
        raise TypeError(f"title: expected text, found {short(title)}")
    if not title.strip():
        raise ValueError(f"title: expected a text that is not empty, found {title!r}")
    try:
        title.encode()
    except UnicodeEncodeError:
        raise ValueError(f"title: expected text of whole characters, found {title!a}") from None


def _check(target: Path) -> None:
    """FileExistsError for a file that is no report."""
    if not target.exists():
        return
    if target.is_file():
        with open(target, "rb") as stream:
            if GENERATOR.encode() in stream.read(2000):
                return
    raise FileExistsError(f"path: {target} exists and is no report; take another name")


__all__ = ["report", "sections_of"]
