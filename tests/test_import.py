"""Importing the package: at once, and every public name is there when asked for."""

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest

import reluplex_walk as rw

HEAVY = ("numba", "scipy", "networkx", "matplotlib", "numpy", "torch")


@pytest.mark.parametrize(
    "code",
    [
        "import reluplex_walk; reluplex_walk.__version__; dir(reluplex_walk)",
        "from reluplex_walk.cli.commands import main; main(['--help'])",
    ],
)
def test_import_loads_nothing_heavy(code):
    code += f"; import sys; print('loaded', *(name for name in {HEAVY} if name in sys.modules))"
    assert run(code).splitlines()[-1] == "loaded"


def run(code: str) -> str:
    """What a fresh process prints."""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return done.stdout


def test_no_folder_has_the_name_of_a_public_object():
    folders = {path.stem for path in Path(rw.__file__).parent.iterdir()}
    assert not folders & ({*rw.__all__} - {*rw._MODULES})


SENT = """
import pickle, sys
import cloudpickle, joblib
import reluplex_walk as rw

def intercept(points):
    return float(rw.lad(points[:, :1], points[:, 1]).coefficients[0])

if __name__ == "__main__":
    import numpy as np
    points = np.array([[0.0, 1.0], [1.0, 3.0], [2.0, 5.0], [3.0, 7.0], [4.0, 20.0]])
    assert pickle.loads(cloudpickle.dumps(rw)) is rw
    assert pickle.loads(cloudpickle.dumps(intercept))(points) == 1.0
    run = joblib.Parallel(n_jobs=2)
    print(run(joblib.delayed(intercept)(k * points) for k in (1, 2)))
"""


def test_functions_that_use_the_package_can_be_sent_to_other_processes(tmp_path):
    script = tmp_path / "script.py"
    script.write_text(SENT)
    root = str(Path(rw.__file__).parent.parent)
    done = subprocess.run(
        [sys.executable, script],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": root},
    )
    assert (done.stdout, done.returncode) == ("[1.0, 2.0]\n", 0), done.stderr


def test_public_names():
    assert set(rw.__all__) <= set(dir(rw))
    for name in rw.__all__:
        assert getattr(rw, name) is not None
    with pytest.raises(AttributeError, match="no attribute 'wlak'"):
        rw.wlak  # noqa: B018


def test_a_missing_extra_says_what_to_install():
    code = "import sys; sys.modules['torch'] = None; import reluplex_walk as rw; rw.torch"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert 'ImportError: rw.torch needs PyTorch: pip install "reluplex_walk[torch]"' in done.stderr
    code = "import sys; sys.modules['sklearn'] = None; import reluplex_walk as rw; rw.estimators"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert 'scikit-learn: pip install "reluplex_walk[sklearn]"' in done.stderr


def test_type_checkers_see_the_same_names():
    tree = ast.parse(Path(rw.__file__).read_text())
    (block,) = (node for node in tree.body if isinstance(node, ast.If))
    seen = {
        (node.module, alias.name)
        for node in block.body
        for alias in node.names  # type: ignore[attr-defined]
    }
    homes = {(module, name) for name, module in rw._HOME.items()}
    paths = [*rw._MODULES.values(), *rw._EXTRAS.values()]
    modules = (f".{path}".rpartition(".") for path in paths)
    assert seen == homes | {(folder.strip(".") or None, name) for folder, _, name in modules}
