"""``certify``: is each layer of a trained network at a local minimum of the loss on a table?

Of the loss as a function of that layer, the others as they are.  Where it is not, a walk from there
is the way down, and says how much lower it leads.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from .._limits import Limits
from .comparison import Comparison
from .fitting import loss_of
from .models import Model, load
from .options import (
    classes_option,
    json_option,
    loss_options,
    missing_option,
    options_of,
    table_options,
    target_option,
    time_option,
)
from .output import (
    INTERRUPTED,
    PARTIAL,
    PROVED,
    make_folder,
    note,
    note_left_out,
    print_fields,
    warnings_as_notes,
)
from .prediction import recipe_of
from .table import Table, read_like, read_rows, read_table

if TYPE_CHECKING:
    from ..problem.loss import LayerLoss
    from ..proof.certificate import Certificate
    from ..simplex.point_check import PointCheck

_EPILOG = """\b
Exit codes:
  0    every layer asked about is proved to be at a local minimum, up to the rounding of floats
  1    the model or its columns.json is damaged or was changed
  2    bad input: one line on stderr says what is wrong
  3    some layer is not, or it was not decided in time
  130  interrupted (Ctrl-C); layers looked at until then are told of
"""


class Verdict(NamedTuple):
    """What is said of one layer; fields of the JSON output.

    A network whose layers all end at exact vertices has none of them in its floats: rounding one
    layer moves the vertices of the others.  So a layer counts as one at a local minimum, too, if
    its floats are the exact point of a proof up to `rounding`, as in a :class:`TrainingFit`.
    """

    layer: int
    verdict: str  # local minimum, not a local minimum, not decided
    loss: float
    rounding: float  # distance to the exact local minimum that it is, 0 where it is none
    slope: float  # of the steepest way down found from the floats, per unit of length
    end_loss: float  # of the walk from there
    gap: float  # how much lower that is
    end_status: str
    message: str

    @classmethod
    def of(cls, check: PointCheck, nearby: Certificate | None) -> Verdict:
        """By a `check` of the floats, and the proof of an exact point that they are, if any."""
        verdict, message, rounding = "not a local minimum", check.message, 0.0
        if nearby is not None:
            rounding = float(abs(check.theta - nearby.theta).max())
            message = (
                f"a proved local minimum of layer {check.end.problem.layer}, up to the rounding of "
                f"floats by {rounding:.1g}: the loss {check.loss:.6g} is its own up to that"
            )
        if check.is_local_minimum or nearby is not None:
            verdict = "local minimum"
        elif not check.decided:
            verdict = "not decided"
        return cls(
            layer=check.end.problem.layer,
            verdict=verdict,
            loss=check.loss,
            rounding=rounding,
            slope=check.slope,
            end_loss=check.end.loss,
            gap=check.gap,
            end_status=check.end.status.name,
            message=message,
        )


def _layers(context: click.Context, option: click.Parameter, text: str) -> int | None:
    if text == "all":
        return None
    if not text.isdecimal():
        raise click.BadParameter(f"expected a number from 0 on, or all, found {text!r}")
    return int(text)


@click.command(epilog=_EPILOG)
@click.argument("model", metavar="MODEL", type=click.Path(path_type=Path))
@click.argument("data", metavar="DATA.csv")
@target_option(False, " [default: that of the model's columns.json]")
@click.option(
    "--features",
    multiple=True,
    metavar="COLUMNS",
    help="The inputs in their order, for a network saved without names.",
)
@classes_option
@click.option("--labels", metavar="NO,YES", help="Values of the target that are -1 and +1.")
@click.option("--layer", default="all", callback=_layers, help="Counted from 0, or all.")
@loss_options(None, "[default: that of the model's training, else l1]")
@click.option(
    "--penalty",
    type=float,
    help="Times the sum of absolute weights. [default: that of its training, else 0]",
)
@click.option("--out", type=click.Path(path_type=Path), metavar="DIR", help="For the ways down.")
@click.option("--force", is_flag=True, help="Overwrite files there.")
@time_option
@json_option
@click.option("--quiet", is_flag=True, help="No table or notes.")
@table_options
@missing_option
def certify(**given: Any) -> int:
    """Say of each layer of MODEL whether it is at a local minimum of the loss on DATA.csv.

    MODEL is an .onnx file, a folder of `fit`, `solve` or `minimize`, or a file in it.  The loss is
    a function of that layer, the others as they are.  Where it is no local minimum, a walk goes
    down from there; with --out it is saved as DIR/layer_N.npz, for `show`, `verify` and `predict`.
    """
    model = load(given["model"])
    table = _table(model, given)
    note_left_out(table, given["quiet"])
    folder, made = given["out"], range(model.network.n_layers)
    asked = [*made] if given["layer"] is None else [given["layer"]]
    if asked[0] not in made:
        raise ValueError(f"--layer: expected 0 to {made[-1]} or all, found {asked[0]}")
    kind, more = _loss(model, table, given)
    _refuse(folder, asked, given["force"])
    with warnings_as_notes(given["quiet"]):
        beside = Comparison.of(table, kind, more["tau"])
        data_loss = _layer_loss(model, table, 0, kind, {**more, "penalty": 0.0})
        found, stopped = _verdicts(model, table, asked, kind, more, given)
    fields = {"model": str(model.source), "samples": len(table.X), "kind": kind, **more}
    fields |= {"loss": data_loss(data_loss.theta), **beside.fields(model.network, table)}
    if given["as_json"]:
        print_fields({**fields, "layers": [each._asdict() for each in found]}, as_json=True)
    elif not given["quiet"]:
        print_fields({**fields, **{f"layer {each.layer}": each.message for each in found}}, False)
    if stopped:
        note("interrupted: layers that are not told of were not looked at")
        return INTERRUPTED
    proved = len(found) == len(asked) and all(each.verdict == "local minimum" for each in found)
    return PROVED if proved else PARTIAL


def _table(model: Model, given: dict[str, Any]) -> Table:
    """Inputs and targets: by the names that were saved with the model, or those that are given."""
    options, source = options_of({**given}), model.source
    if not given["target"]:
        recipe = model.recipe()
        if recipe is None or options.features or options.labels or options.classes:
            lacks = f"no columns.json beside {source} says which columns are meant: "
            raise ValueError(
                f"--target: {lacks if recipe is None else ''}name what the model predicts, "
                "and with --features its inputs in their order"
            )
        rows = read_rows(given["data"], options)
        return read_like(rows, recipe_of(model, rows, ()), options)
    table = read_table(given["data"], given["target"], options)
    found, widths = (table.X.shape[1], table.y.shape[1]), model.network.widths
    if found != (widths[0], widths[-1]):
        raise ValueError(
            f"expected {widths[0]} inputs and {widths[-1]} outputs, as {source} has, found columns "
            f"for {found[0]} and {found[1]}: name the inputs with --features"
        )
    return table


def _loss(model: Model, table: Table, given: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    """The kind of loss, its tau and penalty: as asked for, or as the model was trained."""
    trained = model.trained_for()
    default = "hinge" if table.recipe.labels else "l1"
    kind = loss_of(given, trained.get("kind", default))
    tau = given["tau"]
    if tau is None and kind == "pinball":
        tau = trained.get("tau")
    penalty = given["penalty"]
    return kind, {
        "tau": tau,
        "penalty": trained.get("penalty", 0.0) if penalty is None else penalty,
    }


def _refuse(folder: Path | None, layers: list[int], force: bool) -> None:
    """Stop before any work is done if ways down of an earlier run would be lost."""
    if folder is None or force:
        return
    if found := [name for name in map(_way, layers) if (folder / name).exists()]:
        raise FileExistsError(
            f"--out: {folder} holds {', '.join(found)}, which would be overwritten; "
            "give --force to do so, or another --out"
        )


def _way(layer: int) -> str:
    return f"layer_{layer}.npz"


def _verdicts(
    model: Model,
    table: Table,
    layers: list[int],
    kind: str,
    more: dict[str, Any],
    given: dict[str, Any],
) -> tuple[list[Verdict], bool]:
    """What is said of each layer until a limit, and whether that was Ctrl-C; ways are saved."""
    import reluplex_walk as rw

    folder: Path | None = given["out"]
    if folder is not None:
        make_folder(folder)
    found: list[Verdict] = []
    with Limits.asked(given["time_limit"], None) as limits:
        for layer in layers:
            if limits.look() is not None:
                break
            loss = _layer_loss(model, table, layer, kind, more)
            check = rw.certify(loss, time_limit=limits.remaining)
            found.append(Verdict.of(check, _nearby(model, loss, check)))
            if folder is not None and found[-1].verdict != "local minimum":
                check.end.save(folder / _way(layer), force=True)
        return found, limits.interrupted


def _nearby(model: Model, loss: LayerLoss, check: PointCheck) -> Certificate | None:
    """The proof of an exact local minimum that the floats of the network are, up to rounding."""
    from ..optimize.training.fit import TrainingFit
    from ..optimize.training.layers import reproduces

    if check.is_local_minimum:
        return None
    known, fit = [check.end.certificate], model.result
    if isinstance(fit, TrainingFit):
        own, about = fit.certificates[loss.layer], fit.layer_loss(loss.layer)
        if own is not None and about.fingerprint == loss.fingerprint:
            known.insert(0, own)
    proved = [each for each in known if each.is_local_minimum]
    return next((each for each in proved if reproduces(loss, loss.theta, each)), None)


def _layer_loss(
    model: Model, table: Table, layer: int, kind: str, more: dict[str, Any]
) -> LayerLoss:
    import reluplex_walk as rw

    return rw.LayerLoss(model.network, table.X, table.y, layer, kind, **more)


__all__ = ["certify"]
