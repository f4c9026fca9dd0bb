"""Which formulas may be run that come from a file, anybody's: those that compute, and do no more.

Formulas are expressions of Python.  Names of columns, numbers, operators and functions that are
listed here cannot reach anything else.
"""

import ast
import re
from collections.abc import Iterable
from typing import Any

import numpy as np

_NODES = (
    *(ast.Expression, ast.Constant, ast.Name, ast.Load, ast.Call, ast.keyword, ast.Attribute),
    *(ast.BinOp, ast.UnaryOp, ast.BoolOp, ast.Compare, ast.List, ast.Tuple, ast.Set, ast.Dict),
    *(ast.operator, ast.unaryop, ast.boolop, ast.cmpop),
)
_LARGEST = 64  # exponent of a number
_FUNCTIONS = {
    *("C", "I", "Q", "bs", "cc", "center", "contr", "cr", "cs", "exp", "exp10", "exp2", "lag"),
    *("log", "log10", "log2", "np", "poly", "scale", "standardize", "Treatment", "Sum", "Helmert"),
    *("Poly", "Diff", "abs", "round", "True", "False", "None"),
}
_CONTRASTS = {"SAS", "diff", "helmert", "poly", "sum", "treatment"}


def is_harmless(terms: Any, columns: Iterable[Any]) -> bool:
    """Whether the factors of `terms` only compute with `columns`."""
    names = {name for name in columns if isinstance(name, str)}
    if names & _FUNCTIONS:  # which function would be called?
        return False
    factors = [factor for term in terms for factor in term.factors]
    return all(
        factor.eval_method.value != "python" or _computes(factor.expr, names) for factor in factors
    )


def _computes(code: str, columns: set[str]) -> bool:
    if any(re.fullmatch(r"column_\d+_", name) for name in columns):
        return False
    quoted = re.sub(r"`[^`]*`", "column_0_", code.strip())
    try:
        nodes = list(ast.walk(ast.parse(quoted, mode="eval")))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    return all(_is_plain(node, columns) for node in nodes)


def _is_plain(node: ast.AST, columns: set[str]) -> bool:
    if not isinstance(node, _NODES):
        return False
    if isinstance(node, ast.BinOp):
        return _is_small(node)
    if isinstance(node, ast.Name):
        return node.id in columns or node.id in _FUNCTIONS or node.id == "column_0_"
    if isinstance(node, ast.Call):
        return isinstance(node.func, ast.Attribute) or (
            isinstance(node.func, ast.Name) and node.func.id in _FUNCTIONS
        )
    if isinstance(node, ast.Attribute):
        if not isinstance(node.value, ast.Name):
            return False
        if node.value.id == "np":
            return isinstance(getattr(np, node.attr, None), np.ufunc)
        return node.value.id == "contr" and node.attr in _CONTRASTS
    return True


def _is_small(node: ast.BinOp) -> bool:
    """Whether it computes with columns, or with numbers that do not grow out of hand."""
    if isinstance(node.left, ast.List | ast.Tuple) or isinstance(node.right, ast.List | ast.Tuple):
        return False
    values = [part.value for part in ast.walk(node) if isinstance(part, ast.Constant)]
    if any(not isinstance(value, int | float) for value in values):
        return False
    if not isinstance(node.op, ast.Pow | ast.LShift):
        return True
    if any(isinstance(part, ast.Name) for part in ast.walk(node.left)):
        return True
    exponent = node.right.value if isinstance(node.right, ast.Constant) else None
    small = isinstance(exponent, int | float) and exponent <= _LARGEST
    return small and isinstance(node.left, ast.Constant)


__all__ = ["is_harmless"]
