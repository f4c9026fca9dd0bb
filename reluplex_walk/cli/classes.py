"""A target that is a category (``--classes``): its values as targets of -1 and +1, and back.

Two classes are one output, as ``--labels`` has them; of several each has an output of its own, +1
for its rows and -1 for all others, and the largest output decides.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING

from .cells import Notation, quoted, short

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

_MOST = 100


def found(cells: Sequence[str], name: str, notation: Notation) -> tuple[str, ...]:
    """The classes that the target `name` holds: numbers by size, or texts in their order."""
    values = {cell: notation.number(cell) for cell in set(cells)}
    if all(value is not None for value in values.values()):
        classes = sorted(values, key=lambda cell: (values[cell], cell))
        for one, other in pairwise(classes):
            if values[one] == values[other]:
                raise ValueError(
                    f"--classes: column {name!r} holds {short(one)} and {short(other)}, "
                    "which are one number: write it in one way"
                )
    else:
        classes = sorted(values)
    if len(classes) > _MOST or len(classes) == len(cells) > 2:
        raise ValueError(
            f"--classes: column {name!r} holds {len(classes)} different values in {len(cells)} "
            "rows, too many for classes: choose another --target, or leave --classes out"
        )
    if len(classes) == 1:
        raise ValueError(
            f"--classes: column {name!r} holds {short(classes[0])} alone: "
            f"choose another --target than {quoted(name)}"
        )
    return tuple(classes)


def targets(cells: Sequence[str], labels: Sequence[str], name: str, at: Sequence[str]) -> Floats:
    """(n, 1) or, of several classes, (n, k) Targets -1 and +1; a cell that is none is refused."""
    import numpy as np

    for cell, where in zip(cells, at, strict=True):
        if cell not in labels:
            values = sorted(set(cells))
            shown = ", ".join(values[:6]) + (", ..." if len(values) > 6 else "")
            raise ValueError(
                f"--labels: expected {' or '.join(labels)} in column {name!r}, found "
                f"{short(cell)} at {where} (its values: {shown})"
            )
    known = np.array(cells)[:, None] == np.array(labels[1:] if len(labels) == 2 else labels)
    return np.where(known, 1.0, -1.0)


def decided(outputs: Floats, labels: Sequence[str]) -> NDArray[np.int64]:
    """(n, k) Places in `labels` that the outputs mean: one for each, or one for all of several."""
    import numpy as np

    if len(labels) > 2:
        return np.argmax(outputs, axis=1)[:, None]
    return (outputs >= 0.0).astype(np.int64)


def accuracy(outputs: Floats, y: Floats, labels: Sequence[str]) -> float:
    """The share of targets that are decided rightly; `labels` may be empty for -1 and +1."""
    return float((decided(outputs, labels) == decided(y, labels)).mean())


__all__ = ["accuracy", "decided", "found", "targets"]
