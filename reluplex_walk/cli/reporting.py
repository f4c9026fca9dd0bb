"""``report``: what was saved, as one HTML file that anybody can open."""

from __future__ import annotations

import webbrowser
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import click

from .many_walks import saved_in
from .models import source_of
from .options import json_option
from .output import PROVED, note, print_fields

REPORT = "report.html"

_EPILOG = """\b
Exit codes:
  0    the report is written
  1    RESULT is damaged or was changed
  2    bad input: one line on stderr says what is wrong
"""


@click.command("report", epilog=_EPILOG)
@click.argument("result", type=click.Path(path_type=Path, exists=True))
@click.option(
    "-o",
    "--out",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help=f"[default: {REPORT} in the folder RESULT, or RESULT with the ending .html]",
)
@click.option("--title", help="Heading of the page. [default: what the result is]")
@click.option("--open", "show", is_flag=True, help="Open it in the browser.")
@json_option
@click.option("--quiet", is_flag=True, help="Print nothing.")
def make_report(
    result: Path, out: Path | None, title: str | None, show: bool, as_json: bool, quiet: bool
) -> int:
    """Write a saved result as a page of HTML: figures, tables and what is proved, in words.

    The file holds all it shows and needs no network.  A walk is played on it vertex by vertex.  A
    report that is there is replaced; any other file is refused.

    RESULT is a folder of `solve`, `minimize`, `fit` or `ensemble`, or a file that one of them or
    `save` in Python wrote: of a walk, a trained network, a quantile regression or a process of
    them, a gradient descent, or a certificate.
    """
    if find_spec("plotly") is None:
        raise ValueError('report: it needs pip install "reluplex_walk[report]"')
    loaded = load_any(result)
    from ..reports.report import report

    target = out or (result / REPORT if result.is_dir() else result.with_suffix(".html"))
    try:
        path = report(loaded, target, title=title)
    except (FileExistsError, FileNotFoundError) as error:
        raise ValueError(str(error).replace("path:", "--out:", 1)) from None
    size = path.stat().st_size
    if as_json:
        print_fields({"report": str(path), "bytes": size}, True)
    elif not quiet:
        print(f"{path}  {size / 1e6:.2f} MB")
    if show and not webbrowser.open(path.resolve().as_uri()):
        note("no browser was found to open it in", quiet)
    return PROVED


def load_any(result: Path) -> Any:
    """The result that was saved as `result`; ValueError if it is none."""
    import reluplex_walk as rw

    from .._files import kind_of

    if (walks := saved_in(result)) is not None:
        return walks
    source = source_of(result)
    if not source.is_file():
        raise ValueError(f"RESULT: the folder {result} holds no result")
    loaders = {
        "training": rw.TrainingFit.load,
        "fit": rw.QuantileFit.load,
        "process": rw.QuantileProcess.load,
        "descent": rw.DescentPath.load,
        "certificate": rw.Certificate.load,
    }
    kind = kind_of(source)
    if kind == "network":
        raise ValueError(f"RESULT: {source} is a network alone, of which nothing is claimed")
    return loaders.get(str(kind), rw.Trajectory.load)(source)


__all__ = ["make_report"]
