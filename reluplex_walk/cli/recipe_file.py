"""``columns.json`` beside a saved walk: which columns of a table its network reads and predicts.

It names the loss of its walk and holds a digest of itself: wrong names would make wrong numbers.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

from .._errors import DamagedFileError
from .table import Recipe

COLUMNS = "columns.json"
_REMEDY = "remove it, and name the columns to predict from with --features"


def to_text(recipe: Recipe, fingerprint: str) -> str:
    """The file of a walk on the loss that has this `fingerprint`."""
    columns = [
        {"name": name, **({} if levels is None else {"levels": levels})}
        for name, levels in recipe.columns
    ]
    fields: dict[str, Any] = {"inputs": columns, "targets": recipe.targets, "labels": recipe.labels}
    fields["loss"] = fingerprint
    digest = hashlib.sha256(_json(fields).encode()).hexdigest()
    return _json({**fields, "digest": digest})


def read(path: Path, fingerprint: str | None) -> Recipe | None:
    """The recipe at `path`, None if there is no such file.

    DamagedFileError if it is damaged, was changed, or belongs to a walk on another loss than that
    with the `fingerprint` (None: of a network alone, whose loss is not known).
    """
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError) as error:
        raise DamagedFileError(f"{path} cannot be read ({error})") from None
    try:
        fields = json.loads(text)
        columns = tuple(
            (_word(each["name"]), _words(each["levels"]) if "levels" in each else None)
            for each in fields["inputs"]
        )
        recipe = Recipe(columns, _words(fields["targets"]), _words(fields["labels"]))
        alone = len(recipe.labels) > 2 and len(recipe.targets) > 1
        if not columns or not recipe.targets or len(recipe.labels) == 1 or alone:
            raise ValueError("columns are missing")
        loss = _word(fields["loss"])
        if text != to_text(recipe, loss):
            raise ValueError("it was changed")
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise DamagedFileError(
            f"{path} is damaged ({type(error).__name__}: {error}): {_REMEDY}"
        ) from None
    if fingerprint is not None and loss != fingerprint:
        raise DamagedFileError(f"{path} belongs to another trajectory or fit: {_REMEDY}")
    return recipe


def _json(fields: dict[str, Any]) -> str:
    return json.dumps(fields, indent=2, ensure_ascii=False) + "\n"


def _word(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError(f"expected a text, found {value!r}")
    return value


def _words(values: Any) -> tuple[str, ...]:
    if not isinstance(values, list):
        raise TypeError(f"expected a list, found {values!r}")
    return tuple(map(_word, values))


__all__ = ["COLUMNS", "read", "to_text"]
