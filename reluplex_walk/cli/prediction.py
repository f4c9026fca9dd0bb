"""``predict``: what a saved network says of the rows of a table, its columns found by name."""

from __future__ import annotations

import csv
import io
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from .._whole import whole_file
from .classes import decided
from .columns import split_names, unknown
from .models import Model, load
from .options import missing_option, options_of, table_options
from .output import PROVED
from .recipe_file import COLUMNS
from .rows import Rows
from .table import Recipe, present, read_rows

if TYPE_CHECKING:
    import numpy as np


@click.command(
    epilog="""\b
Exit codes:
  0    the predictions were written
  1    the model or its columns.json is damaged or was changed
  2    bad input: one line on stderr says what is wrong
"""
)
@click.argument("model", metavar="MODEL", type=click.Path(path_type=Path))
@click.argument("data", metavar="DATA.csv")
@click.option(
    "--features",
    multiple=True,
    metavar="COLUMNS",
    help="The inputs in their order, for a network saved without names.",
)
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Where to write them, as CSV. [default: stdout]",
)
@click.option("--force", is_flag=True, help="Overwrite FILE.")
@table_options
@missing_option
def predict(
    model: Path, data: str, features: tuple[str, ...], out: Path | None, force: bool, **given: Any
) -> int:
    """Predict the target for the rows of DATA.csv by a model.

    MODEL is a folder of `fit`, `solve` or `minimize`, a file in it, a network.npz or an .onnx file.
    One line of output for each row; with --missing drop, an empty one where
    inputs are missing.  For labels and classes: the label, and the outputs of the network.
    """
    if out is not None and out.exists() and not force:
        raise FileExistsError(f"--out: {out} would be overwritten; give --force to do so")
    found = load(model)
    options = options_of(given)
    rows = read_rows(data, options)
    recipe = recipe_of(found, rows, features)
    kept = present(rows, [name for name, _ in recipe.columns], options.drop_missing)
    outputs = found.network(recipe.inputs(rows, kept, options.notation))
    _write(_csv(outputs, kept, len(rows.cells), recipe), out)
    return PROVED


def recipe_of(model: Model, rows: Rows, features: tuple[str, ...]) -> Recipe:
    """Which columns are the inputs: those that were saved with the model, or are named."""
    source, network = model.source, model.network
    n_in, n_out = network.widths[0], network.widths[-1]
    recipe = None if features else model.recipe()
    if recipe is None:
        if not features:
            raise ValueError(
                f"no {COLUMNS} beside {source} says which columns its {n_in} inputs are: "
                "name them in their order with --features"
            )
        names = split_names(features, rows.header, "--features", rows.where)
        targets = ("y",) if n_out == 1 else tuple(f"y{k + 1}" for k in range(n_out))
        recipe = Recipe(tuple((name, None) for name in names), targets)
    if (len(recipe.features), len(recipe.outputs)) != (n_in, n_out):
        raise ValueError(
            f"expected {n_in} inputs and {n_out} outputs, as {source} has, found columns for "
            f"{len(recipe.features)} and {len(recipe.outputs)}: name the inputs with --features"
        )
    for name, _ in recipe.columns:
        if rows.header.count(name) != 1:
            if name in rows.header:
                raise ValueError(f"column {name!r} is there twice in {rows.where}: rename one")
            raise ValueError(unknown(name, rows.header, "input", rows.where, rows.suspicion))
    return recipe


def _csv(outputs: np.ndarray, kept: list[int], n: int, recipe: Recipe) -> str:
    """The predictions, a line for each of the `n` rows."""
    labels, several = recipe.labels, len(recipe.labels) > 2
    means = decided(outputs, labels).tolist() if labels else []
    header: list[str] = [recipe.targets[0]] if several else []
    for name in recipe.outputs:
        decision = [name] if labels and not several else []
        header += [*decision, f"{name} (output)" if labels else name]
    lines = [[""] * len(header) for _ in range(n)]
    for at, (k, values) in enumerate(zip(kept, outputs.tolist(), strict=True)):
        cells = [labels[means[at][0]]] if several else []
        for column, value in enumerate(values):
            cells += [labels[means[at][column]]] if labels and not several else []
            cells.append(repr(value))
        lines[k] = cells
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\n").writerows([header, *lines])
    return text.getvalue()


def _write(text: str, out: Path | None) -> None:
    if out is None:
        sys.stdout.write(text)
        return
    with whole_file(out) as stream:
        stream.write(text.encode())


__all__ = ["predict", "recipe_of"]
