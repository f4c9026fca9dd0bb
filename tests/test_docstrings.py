"""Every public object says what it does, in numpydoc form, and shows it in an example that is run.

Public is what `__all__` of the package, `plotting`, `estimators` and, if PyTorch is there, `torch`
reaches:
functions, classes with their public members, modules with their own `__all__`.

* Functions, classes and methods have an example of their own.  Properties have one, or the example
  of their class shows them; fields of records are in the section Attributes of their class.
* Functions, and classes with arguments of their own, have all sections of numpydoc.  A method of
  few words may do without them, in sentences that name every parameter in backquotes.
* What raises errors at the border says which.
"""

import ast
import dataclasses
import doctest
import functools
import inspect
import re
import textwrap
from collections.abc import Iterator
from importlib.util import find_spec
from types import ModuleType
from typing import Any, NamedTuple

import pytest
from numpydoc.docscrape import NumpyDocString
from numpydoc.validate import validate

import reluplex_walk as rw
from reluplex_walk import _files, _validate, plotting


class Public(NamedTuple):
    name: str  # with its module
    kind: str  # "module", "class", "function", "method" or "property"
    thing: Any  # whose docstring it is: for class methods and properties a function
    owner: str = ""  # the class of a member

    @property
    def doc(self) -> str:
        return inspect.getdoc(self.thing) or ""


def public(module: ModuleType) -> Iterator[Public]:
    yield Public(module.__name__, "module", module)
    for name in module.__all__:
        value = getattr(module, name)
        if inspect.ismodule(value):
            yield from public(value)
        elif inspect.isclass(value):
            path = f"{value.__module__}.{value.__qualname__}"
            yield Public(path, "class", value)
            yield from members(value, path)
        elif inspect.isfunction(value):
            yield Public(f"{value.__module__}.{value.__qualname__}", "function", value)


def members(owner: type, path: str) -> Iterator[Public]:
    for name, value in vars(owner).items():
        if name.startswith("_"):
            continue
        if isinstance(value, property):
            yield Public(f"{path}.{name}", "property", value.fget, path)
        elif isinstance(value, functools.cached_property):
            yield Public(f"{path}.{name}", "property", value.func, path)
        elif isinstance(value, classmethod | staticmethod):
            yield Public(f"{path}.{name}", "method", value.__func__, path)
        elif inspect.isfunction(value):
            yield Public(f"{path}.{name}", "method", value, path)


MODULES = [rw, plotting, rw.estimators, *([rw.torch] if find_spec("torch") else [])]
PUBLIC = {each.name: each for module in MODULES for each in public(module)}
EXAMPLES = {  # `pytest --doctest-modules` runs them all
    name: [
        example.source
        for example in doctest.DocTestParser().get_examples(each.doc)
        if doctest.SKIP not in example.options
    ]
    for name, each in PUBLIC.items()
}


def each_of(*kinds: str) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("name", [k for k, each in PUBLIC.items() if each.kind in kinds])


def fields(record: type) -> list[str]:
    if dataclasses.is_dataclass(record):
        names = [field.name for field in dataclasses.fields(record)]
    else:
        names = list(getattr(record, "_fields", ()))
    return [name for name in names if not name.startswith("_")]


def takes_arguments(each: Public) -> bool:
    """Whether a class has arguments that are not the fields of a record."""
    return "__init__" in vars(each.thing) and not dataclasses.is_dataclass(each.thing)


@each_of("module", "class", "function", "method", "property")
def test_says_what_it_is(name):
    first, *more = PUBLIC[name].doc.splitlines() or [""]
    assert first.endswith((".", ":")), "a first line that is a sentence"
    assert not more or not more[0], "an empty line after it"
    prose = re.sub(r"``.*?``", "", PUBLIC[name].doc, flags=re.DOTALL)
    assert not re.search(r"\bcells?\b", prose), "the word is affine region"


@each_of("class", "function", "method", "property")
def test_has_an_example(name):
    each = PUBLIC[name]
    shown = each.kind == "property" and any(
        re.search(rf"\.{name.rpartition('.')[2]}\b", source) for source in EXAMPLES[each.owner]
    )
    assert EXAMPLES[name] or shown


FORM = {"GL03", "GL05", "GL06", "GL07", "GL10", "PR02", "PR03", "PR10", "RT02", "YD01"}
COMPLETE = {"PR01", "PR04", "RT01", "EX01"}


@each_of("class", "function", "method")
def test_is_numpydoc(name):
    each = PUBLIC[name]
    whole = each.kind == "function" or (each.kind == "class" and takes_arguments(each))
    whole = whole or (each.kind == "method" and "\nParameters\n-" in each.doc)
    wanted = FORM | COMPLETE if whole else FORM
    assert [error for error in validate(name)["errors"] if error[0] in wanted] == []


@each_of("method")
def test_a_method_names_its_parameters(name):
    parameters = list(inspect.signature(PUBLIC[name].thing).parameters)[1:]
    text = re.split(r"^Examples\n-", PUBLIC[name].doc, flags=re.MULTILINE)[0]
    if "\nParameters\n-" not in text:
        assert [p for p in parameters if not re.search(rf"`[^`]*\b{p}\b[^`]*`", text)] == []


@each_of("class")
def test_a_record_describes_its_fields(name):
    described = [
        part
        for entry in NumpyDocString(PUBLIC[name].doc)["Attributes"]
        for part in entry.name.split(", ")
    ]
    assert [field for field in fields(PUBLIC[name].thing) if field not in described] == []


CHECKS = {
    "parameters",  # of a LayerLoss
    *(
        name
        for module in (_validate, _files)
        for name, value in vars(module).items()
        if inspect.isfunction(value)
    ),
}


@each_of("class", "function", "method")
def test_says_what_it_raises(name):
    each = PUBLIC[name]
    if each.kind == "class" and not takes_arguments(each):
        return
    function = each.thing.__init__ if each.kind == "class" else each.thing
    tree = ast.parse(textwrap.dedent(inspect.getsource(function)))
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
    called = {getattr(call.func, "attr", getattr(call.func, "id", "")) for call in calls}
    raised = {
        node.exc.func.id
        for node in ast.walk(tree)
        if isinstance(node, ast.Raise) and isinstance(node.exc, ast.Call)
    }
    assert [error for error in raised if error not in each.doc] == []
    assert "Error" in each.doc or not called & CHECKS
