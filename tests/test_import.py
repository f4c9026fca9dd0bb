"""Importing the package: at once, and every public name is there when asked for."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import reluplex_walk as rw

HEAVY = ("numba", "scipy", "networkx", "matplotlib", "numpy")


@pytest.mark.parametrize(
    "code",
    [
        "import reluplex_walk; reluplex_walk.__version__; dir(reluplex_walk)",
        "from reluplex_walk.cli import main; main(['--help'])",
    ],
)
def test_import_loads_nothing_heavy(code):
    code += f"; import sys; print('loaded', *(name for name in {HEAVY} if name in sys.modules))"
    assert run(code).splitlines()[-1] == "loaded"


def run(code: str) -> str:
    """What a fresh process prints."""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return done.stdout


@pytest.mark.parametrize("name", sorted(n for n in rw.__all__ if n in rw._HOME.values()))
def test_module_does_not_hide_the_function_of_its_name(name):
    if not callable(getattr(rw, name)):
        pytest.skip("a module only")
    code = f"import reluplex_walk.{name}; import reluplex_walk as rw; print(callable(rw.{name}))"
    assert run(code) == "True\n"


def test_walk_first_through_another_function():
    code = "import reluplex_walk as rw; rw.global_minimum, rw.minimize; print(callable(rw.walk))"
    assert run(code) == "True\n"


def test_public_names():
    assert set(rw.__all__) <= set(dir(rw))
    for name in rw.__all__:
        assert getattr(rw, name) is not None
    with pytest.raises(AttributeError, match="no attribute 'wlak'"):
        rw.wlak  # noqa: B018


def test_type_checkers_see_the_same_names():
    tree = ast.parse(Path(rw.__file__).read_text())
    (block,) = (node for node in tree.body if isinstance(node, ast.If))
    seen = {
        (node.module, alias.name)
        for node in block.body
        for alias in node.names  # type: ignore[attr-defined]
    }
    homes = {(module, name) for name, module in rw._HOME.items()}
    assert seen == homes | {(None, name) for name in rw._SUBMODULES}
