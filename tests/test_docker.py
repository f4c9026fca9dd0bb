"""The Dockerfile fits the repository: what it copies exists, what it installs and runs is there.

It is not built here.
"""

import fnmatch
import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from reluplex_walk.cli.commands import cli

tomllib = pytest.importorskip("tomllib")  # Python 3.11

ROOT = Path(__file__).parent.parent
TEXT = (ROOT / "docker" / "Dockerfile").read_text(encoding="utf-8")
IGNORED = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()


def instructions():
    """Name and argument of each instruction, lines joined, without comments."""
    lines = [line for line in TEXT.splitlines() if not line.lstrip().startswith("#")]
    whole = "\n".join(lines).replace("\\\n", " ")
    return [tuple(line.split(maxsplit=1)) for line in whole.splitlines() if line.strip()]


def named(name):
    return [argument for each, argument in instructions() if each == name]


def sent(path):
    """Whether `path` is sent to the builder: the last line of .dockerignore that fits decides."""
    kept = True
    for line in IGNORED:
        pattern = line.removeprefix("!").removeprefix("**/")
        fits = any(fnmatch.fnmatch(part, pattern) for part in (path, Path(path).name))
        if fits and line and not line.startswith("#"):
            kept = line.startswith("!")
    return kept


def test_what_is_copied_is_there_and_sent():
    sources = [word for copy in named("COPY") for word in shlex.split(copy)[:-1]]
    assert {"pyproject.toml", "setup.py", "native", "reluplex_walk"} <= set(sources)
    assert [each for each in sources if not (ROOT / each).exists() or not sent(each)] == []
    assert not any(sent(each) for each in ("tests", "docs", ".git", "reluplex_walk/native"))


def test_what_the_package_is_built_of_is_copied():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    sources = {word for copy in named("COPY") for word in shlex.split(copy)[:-1]}
    assert {project["project"]["readme"], *project["project"]["license-files"]} <= sources
    (extras,) = re.findall(r'pip install [^"]*"\.\[([\w,]+)\]"', TEXT)
    assert set(extras.split(",")) <= set(project["project"]["optional-dependencies"])
    lowest = project["project"]["requires-python"].removeprefix(">=")
    (python,) = re.findall(r"ARG PYTHON=(\S+)", TEXT)
    assert tuple(map(int, python.split("."))) >= tuple(map(int, lowest.split(".")))


def test_its_arguments_are_declared_before_they_are_used():
    known: set[str] = set()
    for name, argument in instructions():
        used = set(re.findall(r"\$\{(\w+)\}", argument))
        assert used <= known, argument
        if name == "FROM":
            known.clear()  # what was declared before it holds for it alone
        if name == "ARG":
            known.add(argument.split("=")[0])


def test_its_commands_are_ours():
    commands = re.findall(r"reluplex-walk ([a-z]+)", TEXT)
    assert {"warmup", "ensemble"} <= set(commands) <= set(cli.commands)
    (warmup,) = re.findall(r"reluplex-walk warmup (--\w+)", TEXT)
    assert warmup in {name for option in cli.commands["warmup"].params for name in option.opts}


@pytest.mark.skipif(not shutil.which("sh"), reason="no shell")
def test_the_names_that_dask_dropped_are_made_where_they_are_missing(tmp_path):
    (loop,) = [each for each in named("RUN") if each.startswith("for name in")]
    made = tmp_path / "made"
    made.mkdir()
    there = tmp_path / "there" / "dask-worker"
    there.parent.mkdir()
    there.write_text("#!/bin/sh\n")
    there.chmod(0o755)
    loop = loop.replace("/usr/local/bin", str(made))
    there_too = {**os.environ, "PATH": os.pathsep.join([str(there.parent), "/usr/bin", "/bin"])}
    subprocess.run(["sh", "-euc", loop], check=True, env=there_too)
    assert [each.name for each in made.iterdir()] == ["dask-scheduler"]
    script = made / "dask-scheduler"
    assert script.read_text() == '#!/bin/sh\nexec dask scheduler "$@"\n'
    assert os.access(script, os.X_OK)


def test_it_does_not_run_as_root():
    user = named("USER")
    assert user == ["walker"]
    assert re.search(r"useradd .*\bwalker\b", TEXT)
    assert instructions()[-2][0] == "USER"  # before the command


def test_kernels_lie_where_it_says(tmp_path):
    """In a process with its environment, the folder moved: found, and of the kind of processor."""
    (text,) = named("ENV")
    values = dict(each.split("=", 1) for each in shlex.split(text))
    assert {"OMP_NUM_THREADS": "1", "NUMBA_CACHE_DIR": "/opt/kernels"}.items() <= values.items()
    asked = (
        "from reluplex_walk.native import _jit; import numba; "
        "print(_jit.CACHE_FOLDER, numba.config.CPU_NAME, repr(numba.config.CPU_FEATURES))"
    )
    there = {**os.environ, **values, "NUMBA_CPU_NAME": "some", "NUMBA_CACHE_DIR": str(tmp_path)}
    there["PYTHONPATH"] = os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])
    told = subprocess.run(
        [sys.executable, "-c", asked], env=there, capture_output=True, text=True, check=True
    )
    folder, cpu, features = told.stdout.split()
    assert Path(folder).parent == tmp_path / "reluplex_walk"
    assert (cpu, features) == ("some", "''")
    assert values["NUMBA_CPU_NAME"] == "${CPU}"
