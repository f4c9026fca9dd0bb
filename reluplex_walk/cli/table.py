"""A table as inputs and targets, and the recipe by which another table becomes inputs alike."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from . import classes, text
from .cells import Notation, is_missing, numbers, quoted, short
from .columns import ask_about_digits, inputs, split_names, unknown
from .rows import Dialect, Rows, parse, read_parquet

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

_MOST_LEVELS = 100


class TableOptions(NamedTuple):
    """How a table is written, and which columns and rows are meant."""

    dialect: Dialect = Dialect()
    notation: Notation = Notation()
    encoding: str | None = None
    drop: Sequence[str] = ()
    features: Sequence[str] = ()
    onehot: Sequence[str] = ()
    drop_missing: bool = False
    labels: Sequence[str] = ()
    classes: bool = False  # the target is a category


class Recipe(NamedTuple):
    """What the inputs and outputs of a network are: columns of a table, by name.

    Attributes
    ----------
    columns : tuple of (str, tuple of str or None)
        Name of each column, and its levels if it is a category; the first one has no input.
    targets : tuple of str
    labels : tuple of str
        What the targets -1 and +1 stand for, or the classes that have an output each; empty where
        the targets are numbers.
    """

    columns: tuple[tuple[str, tuple[str, ...] | None], ...]
    targets: tuple[str, ...]
    labels: tuple[str, ...] = ()

    @property
    def features(self) -> tuple[str, ...]:
        """Names of the inputs."""
        names: list[str] = []
        for name, levels in self.columns:
            names += [name] if levels is None else [f"{name}={level}" for level in levels[1:]]
        return tuple(names)

    @property
    def outputs(self) -> tuple[str, ...]:
        """Names of the outputs."""
        if len(self.labels) <= 2:
            return self.targets
        return tuple(f"{self.targets[0]}={label}" for label in self.labels)

    def inputs(self, rows: Rows, kept: Sequence[int], notation: Notation) -> Floats:
        """The inputs (n, p) in the rows `kept`."""
        import numpy as np

        at = [rows.at(k) for k in kept]
        parts: list[Floats] = []
        for name, levels in self.columns:
            column = rows.column(name)
            cells = [column[k] for k in kept]
            if levels is None:
                parts.append(numbers(cells, notation, name, at))
                continue
            for k, cell in enumerate(cells):
                if cell not in levels:
                    raise ValueError(
                        f"{at[k]}, column {name!r}: expected one of {', '.join(levels)}, "
                        f"found {short(cell)}"
                    )
            parts += [np.array([float(c == level) for c in cells]) for level in levels[1:]]
        return np.column_stack(parts)


class Table(NamedTuple):
    """Inputs and targets that a table holds."""

    X: Floats  # (n, p)
    y: Floats  # (n, k)
    recipe: Recipe
    left_out: int  # rows with missing values


def read_rows(source: str, options: TableOptions) -> Rows:
    """The cells of a CSV or Parquet file, or of stdin for ``-``."""
    where, data = text.title(source), text.read_bytes(source)
    if data.startswith(text.PARQUET):
        return read_parquet(data, where)
    return parse(text.decode(data, options.encoding, where), options.dialect, where)


def read_table(source: str, target: Sequence[str], options: TableOptions) -> Table:
    """Inputs and targets from a file; ValueError says in one line what to do where they are not."""
    rows = read_rows(source, options)
    targets = _targets(rows, target)
    names = inputs(rows, targets, options.drop, options.features)
    onehot = split_names(options.onehot, rows.header, "--onehot", rows.where)
    for name in onehot:
        if name not in names:
            raise ValueError(f"--onehot: {name!r} is no input")
    kept = present(rows, [*names, *targets], options.drop_missing)
    if not options.features:  # which are named, and so meant
        for name in names:
            if name not in onehot:
                ask_about_digits(rows, name, kept, names)
    levels = {name: _levels(rows, name, kept) for name in onehot}
    labels = _classes(rows, targets, kept, options) if options.classes else tuple(options.labels)
    recipe = Recipe(tuple((name, levels.get(name)) for name in names), tuple(targets), labels)
    return _table(rows, kept, recipe, options.notation)


def read_like(rows: Rows, recipe: Recipe, options: TableOptions) -> Table:
    """Inputs and targets of the `rows`, by the recipe of another table."""
    names = [name for name, _ in recipe.columns]
    kept = present(rows, [*names, *recipe.targets], options.drop_missing)
    return _table(rows, kept, recipe, options.notation)


def _table(rows: Rows, kept: Sequence[int], recipe: Recipe, notation: Notation) -> Table:
    import numpy as np

    X = recipe.inputs(rows, kept, notation)
    y = [_target(rows, name, kept, recipe.labels, notation) for name in recipe.targets]
    return Table(X, np.column_stack(y), recipe, len(rows.cells) - len(kept))


def present(rows: Rows, names: Sequence[str], drop: bool) -> list[int]:
    """The rows without missing values in the columns `names`; others are refused, unless `drop`."""
    columns = {name: [is_missing(cell) for cell in rows.column(name)] for name in names}
    kept = [k for k in range(len(rows.cells)) if not any(gone[k] for gone in columns.values())]
    if len(kept) == len(rows.cells) or (drop and kept):
        return kept
    worst = max(names, key=lambda name: sum(columns[name]))
    count = sum(columns[worst])
    if drop:
        raise ValueError(
            f"--missing drop: no row of {rows.where} is complete; "
            f"column {worst!r} misses most, {count} values: --drop {quoted(worst)}"
        )
    first = next(k for k in range(len(rows.cells)) if any(gone[k] for gone in columns.values()))
    name = next(name for name in names if columns[name][first])
    cell = rows.column(name)[first]
    incomplete = len(rows.cells) - len(kept)
    raise ValueError(
        f"{rows.at(first)}, column {name!r}: missing value {cell!r} "
        f"({incomplete} of {len(rows.cells)} rows miss some): --missing drop leaves such rows out"
    )


def _targets(rows: Rows, target: Sequence[str]) -> list[str]:
    for word in target:
        for name in [word] if word in rows.header else word.split(","):
            if name.strip() not in rows.header:
                raise ValueError(
                    unknown(name.strip(), rows.header, "--target", rows.where, rows.suspicion)
                )
    names = split_names(target, rows.header, "--target", rows.where)
    if not names:
        raise ValueError("--target: expected the name of a column, found none")
    return names


def _levels(rows: Rows, name: str, kept: Sequence[int]) -> tuple[str, ...]:
    """The values of a category, in order."""
    column = rows.column(name)
    levels = sorted({column[k] for k in kept})
    if len(levels) > _MOST_LEVELS or len(levels) == len(kept) > 2:
        raise ValueError(
            f"--onehot: column {name!r} holds {len(levels)} different values in {len(kept)} rows: "
            f"too many for categories, --drop {quoted(name)}"
        )
    if len(levels) == 1:
        raise ValueError(
            f"--onehot: column {name!r} holds {short(levels[0])} alone: --drop {quoted(name)}"
        )
    return tuple(levels)


def _classes(
    rows: Rows, target: Sequence[str], kept: Sequence[int], options: TableOptions
) -> tuple[str, ...]:
    """The classes of the one target."""
    if options.labels:
        raise ValueError("--classes: expected --classes or --labels, found both")
    if len(target) > 1:
        raise ValueError(f"--classes: expected one target, found {', '.join(target)}")
    column = rows.column(target[0])
    return classes.found([column[k] for k in kept], target[0], options.notation)


def _target(
    rows: Rows, name: str, kept: Sequence[int], labels: Sequence[str], notation: Notation
) -> Floats:
    """One column of targets: numbers, or -1 and +1 for labels, in a column for each of several."""
    column, at = rows.column(name), [rows.at(k) for k in kept]
    cells = [column[k] for k in kept]
    if labels:
        return classes.targets(cells, labels, name, at)
    found = sorted(set(cells))
    few = f"--labels {quoted(','.join(found))} makes them -1 and +1, for --loss hinge"
    words = few if len(found) == 2 else "choose another --target, or write numbers"
    return numbers(cells, notation, name, at, words)


__all__ = ["Recipe", "Table", "TableOptions", "present", "read_like", "read_rows", "read_table"]
