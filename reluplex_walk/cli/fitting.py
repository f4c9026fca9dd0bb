"""``fit``: a whole network trained on the columns of a table, every layer to a proved minimum."""

from __future__ import annotations

import json
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from .comparison import Comparison, above_of
from .models import fingerprint_of
from .options import (
    classes_option,
    column_options,
    data_options,
    json_option,
    loss_options,
    missing_option,
    options_of,
    out_option,
    shared,
    slope_option,
    table_options,
    time_option,
)
from .output import (
    INTERRUPTED,
    NETWORK,
    ONNX,
    PARTIAL,
    PICTURE,
    PROVED,
    SUMMARY,
    TRAINING,
    draw_picture,
    make_folder,
    note,
    note_left_out,
    print_fields,
    progress_bar,
    refuse_overwrite,
    remove_others,
    warnings_as_notes,
    write_text,
)
from .problem import in_units
from .recipe_file import COLUMNS, to_text
from .table import Table, read_table
from .text import stem

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from ..optimize.training.fit import TrainingFit

_EPILOG = """\b
Exit codes:
  0    every layer is at a proved local minimum of its loss, the others as they are
  2    bad input: one line on stderr says what is wrong
  3    not all is proved: a limit was reached, or held-out samples chose the network; it is saved
  130  interrupted (Ctrl-C); the best network found until then is saved
"""

_training_options = shared(
    click.option(
        "--rounds",
        "--restarts",
        "rounds",
        type=click.IntRange(min=0),
        help="Of the search, each from another start. [default: 20, or what --time-limit allows]",
    ),
    click.option(
        "--penalty",
        type=float,
        default=0.0,
        help="Times the sum of absolute weights, added to the loss (a sum over rows).",
    ),
    click.option(
        "--validation",
        type=float,
        metavar="SHARE",
        help="Hold out this share of the rows, and keep the network that is best for them.",
    ),
    time_option,
    click.option(
        "--seed", type=click.IntRange(min=0), default=0, help="Of starts and of held-out rows."
    ),
)


@click.command(epilog=_EPILOG)
@data_options
@classes_option
@loss_options(None, "[default: l1; hinge for --classes and --labels]")
@slope_option
@_training_options
@out_option("DATA_fit")
@click.option("--no-picture", is_flag=True, help="Do not draw picture.png.")
@click.option("--onnx", is_flag=True, help="Write network.onnx, too.")
@click.option("--force", is_flag=True, help="Overwrite files of an earlier run.")
@json_option
@click.option("--quiet", is_flag=True, help="No progress bar, table or notes.")
@table_options
@missing_option
@column_options
def fit(**given: Any) -> int:
    """Train a whole network on the columns of DATA.csv.

    All layers, to a local minimum of each that is proved; the losses of the best constant and of
    the best linear function stand beside.  DATA.csv may be packed with gzip, a Parquet file, or -
    for stdin.
    """
    title, quiet = stem(given["data"]), given["quiet"]
    folder = given["out"] or Path(f"{title}_fit")
    refuse_overwrite(folder, given["force"])
    if given["onnx"] and find_spec("onnx") is None:
        raise ValueError('--onnx: it needs pip install "reluplex_walk[onnx]"')
    kind = loss_of(given)
    table = read_table(given["data"], given["target"], options_of(given))
    note_left_out(table, quiet)
    with warnings_as_notes(quiet):
        beside = Comparison.of(table, kind, given["tau"])
        make_folder(folder)
        found = _trained(table, kind, given)
    fields = _fields(found, table, beside)
    fields["files"] = _write(found, table, folder, fields, given)
    shown = fields if given["as_json"] else {**fields, **fields["files"]}
    if not given["as_json"]:
        del shown["files"]
    if given["as_json"] or not quiet:
        print_fields(shown, given["as_json"])
    if above := above_of(beside.losses, found.loss, float(abs(table.y).sum())):
        remedy = "more --rounds, a longer --time-limit or more neurons may lead lower"
        note(f"warning: the loss {found.loss:.6g} is above that of {above}; {remedy}")
    if found.status == "interrupted":
        return INTERRUPTED
    return PROVED if found.certified else PARTIAL


def loss_of(given: dict[str, Any], default: str = "l1") -> str:
    """The kind of loss: as asked for, the hinge loss for classes, else the `default`."""
    kind: str | None = given["kind"]
    if given["classes"] and kind not in (None, "hinge"):
        raise ValueError(f"--loss: expected hinge, which goes with --classes, found {kind}")
    return kind or ("hinge" if given["classes"] or given["labels"] else default)


def _trained(table: Table, kind: str, given: dict[str, Any]) -> TrainingFit:
    import reluplex_walk as rw

    X, y = table.X, table.y
    widths = [X.shape[1], *given["hidden"], y.shape[1]]
    network = rw.ReLUNetwork.random(widths, given["seed"], negative_slope=given["negative_slope"])
    if kind != "hinge":
        network = in_units(network, X, y)
    names = ("penalty", "rounds", "time_limit", "validation", "seed")
    with progress_bar(given["quiet"], given["rounds"], unit="rounds") as draw:
        asked = {name: given[name] for name in names}
        return rw.train(network, X, y, kind, given["tau"], **asked, callback=draw)


def _fields(found: TrainingFit, table: Table, beside: Comparison) -> dict[str, Any]:
    """The summary of a fit."""
    fields = {**summary(found)}
    shown: dict[str, Any] = {}
    for name, value in fields.items():
        shown[name] = value
        shown.update(beside.fields(found.network, table) if name == "loss" else {})
    if table.left_out:
        shown["rows_left_out"] = table.left_out
    if table.recipe.labels:
        shown["classes"] = ", ".join(table.recipe.labels)
    return shown


def summary(found: TrainingFit) -> dict[str, Any]:
    """What `fit` and `show` say of a fit."""
    proved = [each is not None and each.is_local_minimum for each in found.certificates]
    return {
        "status": found.status,
        "message": found.ended.message,
        "loss": found.loss,
        "kind": found.kind,
        "tau": found.tau,
        "penalty": found.penalty,
        "samples": len(found.X),
        "widths": "-".join(map(str, found.network.widths)),
        "layers_trained": len(found.layers),
        "layers_proved": sum(proved),
        "validation_loss": found.validation_loss,
        "rounds": len(found.rounds),
        "seed": found.seed,
        "seconds": found.elapsed,
    }


def _write(
    found: TrainingFit, table: Table, folder: Path, fields: dict[str, Any], given: dict[str, Any]
) -> dict[str, str]:
    """Write the files of a fit, its own first, and return their paths by kind."""
    quiet, stopped = given["quiet"], found.status == "interrupted"
    paths = {"training": folder / TRAINING}
    found.save(paths["training"], force=True)
    remove_others(folder, TRAINING)
    try:
        paths["columns"] = folder / COLUMNS
        write_text(paths["columns"], to_text(table.recipe, fingerprint_of(found)))
        paths["network"] = folder / NETWORK
        found.network.save(paths["network"], force=True)
        if given["onnx"]:
            paths["onnx"] = folder / ONNX
            found.network.to_onnx(paths["onnx"], force=True)
        wanted = not given["no_picture"] and not stopped
        if wanted and draw_picture(lambda: _figure(found), folder, TRAINING, quiet):
            paths["picture"] = folder / PICTURE
    except KeyboardInterrupt:
        note(f"interrupted; {paths['training']} is saved, other files are left out", quiet)
        paths = {name: path for name, path in paths.items() if path.exists()}
    paths["summary"] = folder / SUMMARY
    files = {name: str(path) for name, path in paths.items()}
    write_text(paths["summary"], json.dumps({**fields, "files": files}, indent=2) + "\n")
    return files


def _figure(found: TrainingFit) -> Figure:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8.0, 5.0), layout="constrained")
    found.plot(figure.subplots())
    return figure


__all__ = ["fit", "loss_of", "summary"]
