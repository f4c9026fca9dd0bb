"""``columns.json`` beside a saved walk: which columns of a table its network reads and predicts."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from .._errors import DamagedFileError
from .table import Recipe

COLUMNS = "columns.json"


def to_text(recipe: Recipe) -> str:
    columns = [
        {"name": name, **({} if levels is None else {"levels": levels})}
        for name, levels in recipe.columns
    ]
    fields = {"inputs": columns, "targets": recipe.targets, "labels": recipe.labels}
    return json.dumps(fields, indent=2, ensure_ascii=False) + "\n"


def read(path: Path) -> Recipe | None:
    """The recipe at `path`, None if there is no such file; DamagedFileError if it is damaged."""
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
        if not columns or not recipe.targets or len(recipe.labels) not in (0, 2):
            raise ValueError("columns are missing")
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise DamagedFileError(
            f"{path} is damaged ({type(error).__name__}: {error}): name the columns with "
            "--features and remove it"
        ) from None
    return recipe


def _word(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError(f"expected a text, found {value!r}")
    return value


def _words(values: Any) -> tuple[str, ...]:
    if not isinstance(values, list):
        raise TypeError(f"expected a list, found {values!r}")
    return tuple(map(_word, values))


__all__ = ["COLUMNS", "read", "to_text"]
