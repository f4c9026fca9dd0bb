"""Formulas: "foodexp ~ income + C(region)", by the formulaic package (extra ``formula``).

The columns that a formula names are read as those of any other table, and kept: the model is made
of them anew where it has to be, from a file for instance, and nothing has to be unpickled.
"""

import ast
import re
import textwrap
import warnings
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..._frames import Labels, column_labels, is_table, part
from ..._numbers import short
from .columns import Column, Found
from .formula_check import is_harmless
from .names import INTERCEPT

Floats = NDArray[np.float64]

HOW = "write it as rw.quantile(table, formula='y ~ x + C(region)')"


class Variable(NamedTuple):
    """A column that a formula names, in the rows that were kept."""

    column: Column
    values: NDArray[Any]  # (n,) numbers, or numbers of levels
    kind: str = "f"  # of the numbers: float, integer, bool

    def series(self, values: NDArray[Any], index: Any) -> Any:
        """As a Series of pandas."""
        import pandas

        if self.column.levels is None:
            return pandas.Series(values.astype({"f": float, "i": int, "b": bool}[self.kind]), index)
        levels = list(self.column.levels)
        coded = pandas.Categorical.from_codes(values, levels, ordered=self.column.ordered)
        return pandas.Series(coded, index)


@dataclass(frozen=True, eq=False)
class FormulaColumns:
    """How features are made of a table by a formula."""

    text: str
    variables: tuple[Variable, ...]  # those of the features
    names: Labels
    available: Labels = ()  # columns that "." stands for, but for the response
    loaded: bool = False  # from a file, which may be anybody's

    @property
    def labels(self) -> Labels:
        """Of the columns of the table that are read."""
        return tuple(variable.column.label for variable in self.variables)

    @property
    def unused(self) -> list[tuple[Any, Any]]:
        """Columns with levels that are in no row, and these."""
        columns = (variable.column for variable in self.variables)
        return [(column.label, column.unused) for column in columns if column.unused]

    @cached_property
    def _model(self) -> Any:
        """The model of formulaic, with the states of its transformations."""
        terms = _parts(self.text, self.available)[1]
        if self.loaded and not is_harmless(terms, self.labels):
            raise ValueError(
                f"X: the formula {self.text!r} came from a file, and only columns, numbers, "
                f"operators and the functions of formulaic are run from files; give an array with "
                f"the columns of feature_names"
            )
        frame = _frame((v.column.label, v.series(v.values, None)) for v in self.variables)
        found = _matrix(self.text, terms, frame)
        if _names(found) != self.names:
            raise ValueError(
                f"X: another version of formulaic made the features of {self.text!r}, and this one "
                f"has others; give an array with the columns of feature_names"
            )
        return found.model_spec

    def __getstate__(self) -> dict[str, Any]:
        """Made anew where it is needed."""
        return {name: value for name, value in vars(self).items() if name != "_model"}

    @staticmethod
    def reads(X: Any) -> bool:
        """Whether `X` is a table, or a dict of columns."""
        return isinstance(X, Mapping) or is_table(X)

    def read(self, X: Any, argument: str = "X") -> Floats:
        """Features (m, p) of another table; ValueError, TypeError if it does not fit."""
        _formulaic()
        found = _labels(argument, X)
        series = []
        for variable in self.variables:
            label = variable.column.label
            if label not in found:
                raise ValueError(
                    f"{argument}: expected a column {label!r}, which the formula {self.text!r} "
                    f"names, found {', '.join(map(short, found)) or 'none'}"
                )
            values = variable.column.read(argument, _part(X, found.index(label)))
            series.append((label, _as_kind(variable, values)))
        frame = _frame(series) if series else _frame([], _length(X))
        model = self._model
        matrix = _evaluated(self.text, lambda: model.get_model_matrix(frame))
        features, gaps = _numbers(matrix)
        if gaps.any():
            row, column = np.argwhere(gaps)[0].tolist()
            raise ValueError(
                f"{argument}: expected finite numbers, found none for {self.names[column]!r} "
                f"at row {row}; leave such rows out"
            )
        return features


class Modelled(NamedTuple):
    """What a formula makes of a table."""

    X: Floats  # (n, p)
    y: Floats  # (n,)
    gaps: NDArray[np.bool_]  # (n,) rows of the table with a missing value
    counts: list[tuple[Any, int]]  # of them by column
    fit_intercept: bool
    encoding: FormulaColumns
    response: str


def modelled(text: Any, table: Any, kept: NDArray[np.bool_] | None = None) -> Modelled:
    """The features and the response of the rows of `table` that are `kept` and have no gaps."""
    _formulaic()
    if not isinstance(text, str):
        raise TypeError(f"formula: expected a string, found {short(text)}; {HOW}")
    labels = _labels("X", table)
    left, right = _parts(text, labels)
    wanted = [label for label in labels if label in {*_variables(left), *_variables(right)}]
    _check_known(text, {*_variables(left), *_variables(right)}, wanted, labels)
    raws = {label: _part(table, labels.index(label)) for label in wanted}
    found = {label: Found.of(label, raw) for label, raw in raws.items()}
    none = np.zeros(_length(table), np.bool_)
    gaps = np.logical_or.reduce([none, *(each.gaps for each in found.values())])
    counts = [(label, int(each.gaps.sum())) for label, each in found.items() if each.gaps.any()]
    gaps |= none if kept is None else ~kept
    if gaps.all():
        raise ValueError("X: expected a row without missing values, found none")
    rows = {label: _kept(each, ~gaps, raws[label]) for label, each in found.items()}
    frame = _frame((label, v.series(v.values, None)) for label, v in rows.items())
    response = _matrix(text, left, frame)
    features = _matrix(text, right, frame)
    y, odd_y = _numbers(response, False)
    X, odd_x = _numbers(features)
    _check_response(text, response, y)
    odd = odd_x.any(axis=1) | odd_y[:, 0]
    if odd.any():  # transformations that made gaps: their states are of the rows that stay
        again = ~gaps
        again[again] = ~odd
        made = modelled(text, table, again)
        name = [*(response.columns if odd_y.any() else ()), *_odd_names(features, odd_x)][0]
        return made._replace(counts=[*counts, (name, int(odd.sum()))])
    names = _names(features)
    if not names:
        raise ValueError(
            f"formula: expected a term beside the intercept, found none in {text!r}; for the "
            f"constant alone give rw.quantile an X of zeros (n, 1)"
        )
    used = tuple(rows[label] for label in wanted if label in _variables(right))
    available = tuple(label for label in labels if isinstance(label, str))
    encoding = FormulaColumns(text, used, names, available)
    intercept = INTERCEPT in features.columns
    return Modelled(X, y[:, 0], gaps, counts, intercept, encoding, str(response.columns[0]))


def _odd_names(matrix: Any, odd: NDArray[np.bool_]) -> list[str]:
    names = [name for name in matrix.columns if name != INTERCEPT]
    return [names[k] for k in np.flatnonzero(odd.any(axis=0)).tolist()]


def _formulaic() -> Any:
    try:
        import formulaic
    except ImportError:
        raise ImportError(
            "formula: formulas need the package formulaic; "
            "install it: pip install 'reluplex_walk[formula]'"
        ) from None
    return formulaic


def _labels(argument: str, table: Any) -> Labels:
    """Names of the columns of a table, or a dict of columns."""
    if isinstance(table, Mapping):
        return tuple(table)
    labels = column_labels(argument, table)
    if labels is None:
        raise TypeError(
            f"{argument}: expected a table with the columns that the formula names, found "
            f"{short(type(table).__name__)}; {HOW}"
        )
    return labels


def _part(table: Any, k: int) -> Any:
    if isinstance(table, Mapping):
        return np.asarray(list(table.values())[k])
    return part(table, k)


def _length(table: Any) -> int:
    if isinstance(table, Mapping):
        return max((len(column) for column in table.values()), default=0)
    return len(table)


def _parts(text: str, labels: Labels) -> tuple[Any, Any]:
    """The terms of the response and of the features."""
    formulaic = _formulaic()
    from formulaic.errors import FormulaicError

    context = {"__formulaic_variables_available__": [name for name in labels if type(name) is str]}
    try:
        parsed = formulaic.Formula.from_spec(text, context=context)
    except FormulaicError as error:
        raise ValueError(f"formula: expected {_FORM}, found {text!r} ({_words(error)})") from None
    left, right = getattr(parsed, "lhs", None), getattr(parsed, "rhs", None)
    if left is None or right is None:
        raise ValueError(f"formula: expected {_FORM}, found {text!r}, without a response; {HOW}")
    if isinstance(left, tuple) or isinstance(right, tuple) or hasattr(right, "lhs"):
        raise ValueError(f"formula: expected {_FORM}, found several parts in {text!r}")
    if len(left) != 1:
        raise ValueError(
            f"formula: expected one response, found {len(left)} in {text!r}; fit them one by one, "
            f"or give arrays to quantile_responses"
        )
    return left, right


_FORM = "'response ~ terms'"


def _words(error: Exception) -> str:
    """The message of formulaic in one line, without its colours."""
    plain = re.sub(r"\x1b\[[0-9;]*m|[⧛⧚]", "", str(error))
    return textwrap.shorten(plain, 400, placeholder=" ...")


def _variables(terms: Any) -> set[str]:
    """Names that the factors of `terms` look up."""
    found: set[str] = set()
    for factor in (factor for term in terms for factor in term.factors):
        method = factor.eval_method.value
        if method == "lookup":
            found.add(factor.expr)
        elif method == "python":
            found |= _looked_up(factor.expr)
    return found


def _looked_up(code: str) -> set[str]:
    """Names in an expression; those in backticks may be any."""
    quoted: dict[str, str] = {}

    def name(match: re.Match[str]) -> str:
        return quoted.setdefault(f"quoted_{len(quoted)}_", match[1]) and list(quoted)[-1]

    try:
        tree = ast.parse(re.sub(r"`([^`]*)`", name, code.strip()), mode="eval")
    except SyntaxError:
        raise ValueError(f"formula: expected an expression, found {code!r}") from None
    found = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    for node in ast.walk(tree):  # Q("a name")
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Q":
            found |= {str(a.value) for a in node.args if isinstance(a, ast.Constant)}
    return {quoted.get(name, name) for name in found}


def _check_known(text: str, names: set[str], wanted: Iterable[Any], labels: Labels) -> None:
    """ValueError if `names` are neither columns nor functions of formulaic."""
    from formulaic.transforms import TRANSFORMS

    unknown = sorted(names - {*wanted, *TRANSFORMS} - _BUILTINS)
    if unknown:
        raise ValueError(
            f"formula: found {unknown[0]!r} in {text!r}, which is no column of X "
            f"({', '.join(map(short, labels[:12]))}{', ...' if len(labels) > 12 else ''}); "
            f"what is computed otherwise can be added as a column"
        )


_BUILTINS = {"abs", "float", "int", "max", "min", "pow", "round", "str", "True", "False", "None"}


def _kept(found: Found, kept: NDArray[np.bool_], raw: Any) -> Variable:
    """The kept rows of a column, and what its numbers are."""
    column, values, _ = found if kept.all() else found.only(kept)
    kind = str(getattr(raw, "dtype", getattr(raw, "type", ""))).lower()
    kind = "b" if kind.startswith("bool") else "i" if kind.startswith(("int", "uint")) else "f"
    return Variable(column, values, kind)


def _as_kind(variable: Variable, values: NDArray[Any]) -> Any:
    """The `values` of another table; numbers of whatever kind."""
    kind = variable.kind if (values == np.rint(values)).all() else "f"
    return variable._replace(kind=kind).series(values, None)


def _frame(series: Iterable[tuple[Any, Any]], n: int | None = None) -> Any:
    import pandas

    return pandas.DataFrame(dict(series), index=None if n is None else range(n))


def _matrix(text: str, terms: Any, frame: Any) -> Any:
    """The matrix of formulaic for these terms, a DataFrame, with its gaps."""
    from formulaic import ModelSpec

    spec = ModelSpec.from_spec(terms, materializer="pandas", na_action="ignore", output="pandas")
    return _evaluated(text, lambda: spec.get_model_matrix(frame))


def _evaluated(text: str, call: Any) -> Any:
    """What `call` returns; whatever goes wrong with a formula is a ValueError."""
    from formulaic.errors import DataMismatchWarning

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # logarithms of 0: they are gaps
            warnings.simplefilter("error", DataMismatchWarning)
            return call()
    except DataMismatchWarning as reason:
        known = re.search(r"\{.*\}", str(reason))
        raise ValueError(
            f"X: expected categories of the fit, found others in {text!r}: "
            f"{known[0] if known else reason}; leave such rows out"
        ) from None
    except Exception as error:
        raise ValueError(f"formula: {text!r} cannot be computed ({_words(error)})") from error


def _names(matrix: Any) -> Labels:
    return tuple(str(name) for name in matrix.columns if name != INTERCEPT)


def _numbers(matrix: Any, skip: bool = True) -> tuple[Floats, NDArray[np.bool_]]:
    """The columns of a matrix but for the intercept, and where they are no finite numbers."""
    keep = [name != INTERCEPT or not skip for name in matrix.columns]
    values = np.ascontiguousarray(matrix.loc[:, keep], dtype=np.float64)
    return values, ~np.isfinite(values)


def _check_response(text: str, response: Any, y: Floats) -> None:
    from formulaic.parser.types import Factor

    kinds = {kind for kind, _ in response.model_spec.encoder_state.values()}
    if y.shape[1] != 1 or Factor.Kind.CATEGORICAL in kinds:
        raise ValueError(
            f"formula: expected a response of numbers, found categories in {text!r} "
            f"({', '.join(map(str, response.columns))})"
        )


__all__ = ["HOW", "FormulaColumns", "Variable", "modelled"]
