"""Options that several commands share, and what they stand for."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from .cells import Notation
from .rows import SEPARATORS, Dialect
from .table import TableOptions

Command = TypeVar("Command", bound=Callable[..., Any])

EPILOG = """\b
Exit codes:
  0    the walk ended at a proved local or global minimum
  1    the saved walk is damaged or was changed
  2    bad input: one line on stderr says what is wrong
  3    not proved, or the pivot or time limit was reached; the result so far is saved
  130  interrupted (Ctrl-C); what walks found is saved, `resume` goes on from it
"""


def shared(*options: Callable[[Command], Command]) -> Callable[[Command], Command]:
    """One decorator for several options."""

    def decorate(command: Command) -> Command:
        for option in reversed(options):
            command = option(command)
        return command

    return decorate


json_option = click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
output_options = shared(
    click.option("--no-picture", is_flag=True, help="Do not draw picture.png."),
    click.option("--graph", is_flag=True, help="Write graph.graphml, too."),
    click.option("--force", is_flag=True, help="Overwrite files of an earlier run."),
    json_option,
    click.option("--quiet", is_flag=True, help="No progress bar, table or notes."),
)
time_option = click.option(
    "--time-limit",
    type=float,
    metavar="SECONDS",
    help="Stop after so many seconds, with what was found until then.",
)
limit_options = shared(
    click.option(
        "--max-pivots",
        type=click.IntRange(min=0),
        help="Stop after so many pivots, from the start on.",
    ),
    time_option,
)


def _widths(context: click.Context, option: click.Parameter, text: str) -> tuple[int, ...]:
    """Neurons of the hidden layers in ``8,4``; none in ``none`` or an empty text."""
    if text.strip() in ("", "none"):
        return ()
    words = text.split(",")
    if not all(word.strip().isdecimal() and int(word) > 0 for word in words):
        raise click.BadParameter(f"expected widths such as 8,4 or none, found {text!r}")
    return tuple(int(word) for word in words)


def target_option(required: bool, more: str = "") -> Callable[[Command], Command]:
    return click.option(
        "--target",
        required=required,
        multiple=True,
        metavar="COLUMNS",
        help="What to predict: a, or a,b for several outputs (may be repeated)." + more,
    )


data_options = shared(
    click.argument("data", metavar="DATA.csv"),
    target_option(True),
    click.option(
        "--hidden",
        default="8",
        callback=_widths,
        metavar="WIDTHS",
        help='Neurons of the hidden layers, as 8,4; "none" is linear regression.',
    ),
)


def loss_options(default: str | None, more: str = "") -> Callable[[Command], Command]:
    """The loss; where there is no `default`, `more` says what it depends on."""
    kinds = click.Choice(["l1", "pinball", "hinge"])
    return shared(
        click.option("--loss", "kind", type=kinds, default=default, help=more or None),
        click.option("--tau", type=float, help="Quantile of the pinball loss. [default: 0.5]"),
    )


slope_option = click.option(
    "--negative-slope",
    type=float,
    default=0.0,
    help="Of the activation below 0: leaky ReLU.",
)

problem_options = shared(
    data_options,
    click.option("--layer", type=int, default=0, help="The trained layer, counted from 0."),
    loss_options("l1"),
    slope_option,
    click.option(
        "--init",
        type=click.Choice(["uniform", "he", "xavier"]),
        default="uniform",
        help="Of the network.",
    ),
    click.option(
        "--output",
        type=click.Choice(["fitted", "random"]),
        default="fitted",
        help="Start with neurons that bend among the data and the best output layer for them, "
        "or with the random network as it is.",
    ),
)
step_options = shared(
    click.option(
        "--step",
        type=click.Choice(["adjacent", "long"]),
        default="adjacent",
        help="To the next vertex, or to the lowest point along the edge.",
    ),
    click.option(
        "--rule",
        type=click.Choice(["steepest", "dantzig", "greatest", "sequential", "random"]),
        default="steepest",
        help="The pivot rule.",
    ),
)


def seed_option(
    default: int, of: str = "Of the network and the walk."
) -> Callable[[Command], Command]:
    return click.option("--seed", type=click.IntRange(min=0), default=default, help=of)


def out_option(default: str) -> Callable[[Command], Command]:
    return click.option(
        "--out",
        type=click.Path(path_type=Path),
        metavar="DIR",
        help=f"Folder for the files of the run. [default: {default}]",
    )


# ---------------------------------------------------------------- tables


def _separator(context: click.Context, option: click.Parameter, text: str) -> str:
    sep = SEPARATORS.get(text.lower(), text)
    if len(sep) != 1 or sep in '"\r\n\0':
        raise click.BadParameter(
            f"expected one character, or tab, space, comma, semicolon or pipe, found {text!r}"
        )
    return sep


def _comment(context: click.Context, option: click.Parameter, text: str | None) -> str | None:
    if text is not None and not text.strip():
        raise click.BadParameter("expected what comments begin with, such as '#', found nothing")
    return text


table_options = shared(
    click.option(
        "--sep",
        default=",",
        callback=_separator,
        metavar="CHAR",
        help="Between columns: a character, tab, or space for any run of blanks.",
    ),
    click.option("--decimal", type=click.Choice([".", ","]), default=".", help="Decimal sign."),
    click.option(
        "--thousands",
        type=click.Choice([",", ".", "'", "_", "space"]),
        help="Sign between groups of three digits.",
    ),
    click.option(
        "--encoding",
        metavar="NAME",
        help="Such as latin-1, cp1252, utf-16. [default: that of the byte order mark, or utf-8]",
    ),
    click.option("--comment", callback=_comment, metavar="MARK", help="Leave out lines with it."),
    click.option("--no-header", is_flag=True, help="Columns are called 1, 2, ..."),
)
column_options = shared(
    click.option(
        "--drop", multiple=True, metavar="COLUMNS", help="No inputs: a,b (may be repeated)."
    ),
    click.option(
        "--features",
        multiple=True,
        metavar="COLUMNS",
        help="The inputs: a,b (may be repeated). [default: all others]",
    ),
    click.option(
        "--onehot",
        multiple=True,
        metavar="COLUMNS",
        help="Categories: an input of 0 and 1 for each value but the first.",
    ),
    click.option(
        "--labels", metavar="NO,YES", help="Values of the target that stand for -1 and +1."
    ),
)
classes_option = click.option(
    "--classes",
    is_flag=True,
    help="The target is a category, of two or more values: --loss hinge, an output for each.",
)
missing_option = click.option(
    "--missing",
    type=click.Choice(["error", "drop"]),
    default="error",
    help="Rows with missing values (empty, NA, NaN, ?, -): refuse them, or leave them out.",
)


def options_of(given: dict[str, Any]) -> TableOptions:
    """Take what the options on tables were `given` out of a command's arguments."""
    notation = Notation(given.pop("decimal"), given.pop("thousands"))
    dialect = Dialect(given.pop("sep"), given.pop("comment"), not given.pop("no_header"))
    return TableOptions(
        dialect,
        notation,
        given.pop("encoding"),
        given.pop("drop", ()),
        given.pop("features", ()),
        given.pop("onehot", ()),
        given.pop("missing") == "drop",
        _labels(given.pop("labels", None)),
        given.pop("classes", False),
    )


def _labels(text: str | None) -> tuple[str, ...]:
    labels = tuple(word.strip() for word in text.split(",")) if text is not None else ()
    if text is not None and (len(labels) != 2 or labels[0] == labels[1]):
        raise ValueError(f"--labels: expected two values as no,yes, found {text!r}")
    return labels


__all__ = [
    "EPILOG",
    "classes_option",
    "column_options",
    "data_options",
    "json_option",
    "limit_options",
    "loss_options",
    "missing_option",
    "options_of",
    "out_option",
    "output_options",
    "problem_options",
    "seed_option",
    "shared",
    "slope_option",
    "step_options",
    "table_options",
    "target_option",
    "time_option",
]
