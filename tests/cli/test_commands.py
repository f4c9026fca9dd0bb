"""The command ``reluplex-walk``: files, tables, JSON, exit codes, one-line errors, Ctrl-C."""

import json
import os
import subprocess
import sys
from importlib.metadata import entry_points
from pathlib import Path

import networkx as nx
import numpy as np
import pytest

import reluplex_walk as rw
from reluplex_walk import __main__
from reluplex_walk.cli.commands import main
from reluplex_walk.cli.output import BAD_INPUT, EXIT_CODES, INTERRUPTED, PARTIAL, PROVED

FILES = {"trajectory.npz", "columns.json"}


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """A working folder with good and bad input files."""
    rng = np.random.default_rng(5)
    rows = np.round(np.column_stack([rng.normal(size=(30, 2)), rng.normal(size=30)]), 3)
    table = "a,b,y\n" + "\n".join(",".join(map(str, row)) for row in rows) + "\n"
    contents = {
        "good.csv": table,
        "curve.csv": "x,y\n0,1\n1,0\n2,1\n3,4\n4,3\n5,7\n",
        "empty.csv": "",
        "header.csv": "a,y\n",
        "alone.csv": "y\n1\n2\n",
        "word.csv": "a,y\n1,2\n3,four\n",
        "ragged.csv": "a,y\n1,2\n3\n",
        "nan.csv": "a,y\n1,nan\n",
        "notes.txt": "no archive\n",
        "full/trajectory.npz": "something\n",
    }
    for name, content in contents.items():
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(content)
    np.savez(tmp_path / "other.npz", a=np.zeros(2))
    (tmp_path / "bare").mkdir()
    monkeypatch.chdir(tmp_path)
    return tmp_path


SOLVE = ["solve", "good.csv", "--target", "y", "--hidden", "4"]


def python(*arguments):
    """A finished Python process that finds the package also where it is not installed."""
    root = Path(rw.__file__).parent.parent
    path = os.pathsep.join(filter(None, [str(root), os.environ.get("PYTHONPATH")]))
    return subprocess.run(
        [sys.executable, *arguments],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": path},
    )


def names(path):
    return {each.name for each in Path(path).iterdir()}


# ---------------------------------------------------------------- good runs


def test_solve_writes_its_files(capsys):
    assert main([*SOLVE, "--out", "run", "--graph"]) == PROVED
    assert names("run") >= {*FILES, "graph.graphml"}
    traj = rw.Trajectory.load("run/trajectory.npz")
    assert traj.certificate.is_local_minimum
    assert nx.read_graphml("run/graph.graphml").number_of_nodes() == traj.graph().number_of_nodes()
    output = capsys.readouterr()
    assert f"{traj.loss:.6g}" in output.out
    assert "trajectory.npz" in output.out
    expected = (
        "reluplex-walk: no picture",
        "reluplex-walk: run/trajectory.npz saved; drawing the picture",
        "reluplex_walk: compiling",
    )
    assert all(line.startswith(expected) for line in output.err.splitlines())


def test_solve_is_the_library(capsys):
    arguments = [
        *SOLVE,
        "--loss",
        "pinball",
        "--tau",
        "0.3",
        "--init",
        "he",
        "--seed",
        "4",
        "--step",
        "long",
        "--output",
        "random",
        "--json",
    ]
    assert main(arguments) == PROVED
    data = rw.datasets.read_csv("good.csv", "y")
    network = rw.ReLUNetwork.random([2, 4, 1], seed=4, init="he")
    loss = rw.LayerLoss(network, data.X, data.y, kind="pinball", tau=0.3)
    expected = rw.walk(loss, loss.theta, step="long", seed=4)
    found = rw.Trajectory.load("good_walk/trajectory.npz")
    np.testing.assert_array_equal(found.theta, expected.theta)
    fields = json.loads(capsys.readouterr().out)
    assert fields["loss"] == expected.loss
    assert fields["status"] == expected.status.name
    assert fields["files"]["trajectory"] == os.path.join("good_walk", "trajectory.npz")


@pytest.mark.parametrize("hidden", ["none", ""])
def test_no_hidden_layer_is_linear_regression(hidden):
    assert main(["solve", "good.csv", "--target", "y", "--hidden", hidden, "--quiet"]) == PROVED
    traj = rw.Trajectory.load("good_walk/trajectory.npz")
    assert traj.network.widths == (2, 1)
    assert traj.status is rw.WalkStatus.GLOBAL_MINIMUM


def test_a_higher_layer():
    code = main(
        ["solve", "good.csv", "--target", "y", "--hidden", "4,3", "--layer", "1", "--quiet"]
    )
    assert code in (PROVED, PARTIAL)
    assert rw.Trajectory.load("good_walk/trajectory.npz").theta.shape == (3, 5)


def test_quiet_prints_nothing(capsys):
    assert main([*SOLVE, "--quiet"]) == PROVED
    assert capsys.readouterr() == ("", "")


def test_demo(capsys):
    assert main(["demo"]) == PROVED
    assert names("reluplex_demo") >= FILES
    traj = rw.Trajectory.load("reluplex_demo/trajectory.npz")
    data = rw.datasets.load_motorcycle()
    np.testing.assert_array_equal(traj.problem.X, data.X)
    assert np.abs(traj.network(data.X)[:, 0] - data.y).sum() == pytest.approx(traj.loss)
    assert traj.loss < 0.5 * np.abs(data.y - np.median(data.y)).sum()
    assert "mean absolute error" in capsys.readouterr().out


def test_pictures():
    pytest.importorskip("matplotlib")
    for table in ("good", "curve"):
        assert main(["solve", f"{table}.csv", "--target", "y", "--hidden", "3", "--quiet"]) == 0
        picture = Path(f"{table}_walk/picture.png").read_bytes()
        assert picture.startswith(b"\x89PNG")


def test_without_matplotlib(capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    assert main(SOLVE) == PROVED
    assert names("good_walk") == FILES
    (line,) = capsys.readouterr().err.splitlines()
    assert "picture.png" in line
    assert 'pip install "reluplex_walk[plot]"' in line


def test_show(capsys):
    main([*SOLVE, "--quiet"])
    for result in ("good_walk", "good_walk/trajectory.npz"):
        assert main(["show", result]) == 0
        assert "loss" in capsys.readouterr().out
        assert main(["show", result, "--json"]) == 0
        fields = json.loads(capsys.readouterr().out)
        expected = rw.Trajectory.load("good_walk/trajectory.npz").summary_dict()
        assert fields == json.loads(json.dumps(expected))


def test_help_and_version(capsys):
    assert main(["--version"]) == 0
    assert rw.__version__ in capsys.readouterr().out
    for arguments in (["--help"], ["demo", "--help"], ["solve", "--help"], ["resume", "--help"]):
        assert main(arguments) == 0
        text = capsys.readouterr().out
        assert "Exit codes" in text
        assert all(str(code) in text for code in {*EXIT_CODES.values(), BAD_INPUT})


def test_module_is_the_command():
    done = python("-m", "reluplex_walk", "--version")
    assert (done.returncode, done.stderr) == (0, "")
    assert rw.__version__ in done.stdout


def test_installed_command_is_main():
    scripts = [s for s in entry_points(group="console_scripts") if s.name == "reluplex-walk"]
    if not scripts:
        pytest.skip("the package is not installed")
    assert scripts[0].load() is __main__.command  # which calls main


def test_every_status_has_an_exit_code():
    assert set(EXIT_CODES) == {status.name for status in rw.WalkStatus}


# ---------------------------------------------------------------- partial results


def test_resume_ends_where_one_run_ends(capsys):
    assert main([*SOLVE, "--out", "whole", "--quiet"]) == PROVED
    assert main([*SOLVE, "--out", "part", "--max-pivots", "3", "--json"]) == PARTIAL
    fields = json.loads(capsys.readouterr().out)
    assert fields["status"] == "PIVOT_LIMIT"
    assert names("part") >= FILES
    assert main(["resume", "part", "--out", "rest", "--quiet"]) == PROVED
    assert main(["resume", "part", "--quiet"]) == PROVED
    whole = rw.Trajectory.load("whole/trajectory.npz")
    for run in ("part", "rest"):
        np.testing.assert_array_equal(
            rw.Trajectory.load(f"{run}/trajectory.npz").theta, whole.theta
        )


def test_resume_of_a_renamed_file_spares_the_others(capsys):
    main([*SOLVE, "--max-pivots", "3", "--quiet"])
    os.rename("good_walk/trajectory.npz", "full/part.npz")
    before = Path("full/trajectory.npz").read_bytes()
    assert main(["resume", "full/part.npz"]) == BAD_INPUT
    assert "--force" in capsys.readouterr().err
    assert Path("full/trajectory.npz").read_bytes() == before
    assert main(["resume", "full/part.npz", "--out", "end", "--quiet"]) == PROVED


def test_time_limit():
    assert main([*SOLVE, "--time-limit", "1e-9", "--quiet"]) == PARTIAL
    traj = rw.Trajectory.load("good_walk/trajectory.npz")
    assert traj.status is rw.WalkStatus.TIME_LIMIT


# A walk long enough to be caught on its way; the process gets a real SIGINT after some pivots.
INTERRUPTED_RUN = """
import os, signal, sys
import reluplex_walk as rw
from reluplex_walk.cli.commands import main

walk = rw.walk

def walk_until_a_signal(*arguments, callback, **options):
    def strike(progress):
        if progress.n_pivots > 0:
            os.kill(os.getpid(), signal.SIGINT)
    return walk(*arguments, callback=strike, **options)

rw.walk = walk_until_a_signal
sys.exit(main(sys.argv[1:]))
"""


def test_interrupt_and_resume(capsys):
    rng = np.random.default_rng(0)
    rows = np.column_stack([rng.normal(size=(300, 4)), rng.normal(size=300)])
    np.savetxt("long.csv", rows, delimiter=",", header="a,b,c,d,y", comments="")
    arguments = ["solve", "long.csv", "--target", "y", "--hidden", "8,4", "--json"]
    done = python("-c", INTERRUPTED_RUN, *arguments, "--out", "part")
    assert done.returncode == INTERRUPTED, done.stderr
    assert json.loads(done.stdout)["status"] == "INTERRUPTED"
    part = rw.Trajectory.load("part/trajectory.npz")
    assert part.status is rw.WalkStatus.INTERRUPTED
    code = main([*arguments, "--out", "whole"])
    assert main(["resume", "part", "--json"]) == code
    whole = rw.Trajectory.load("whole/trajectory.npz")
    rest = rw.Trajectory.load("part/trajectory.npz")
    assert part.n_pivots < whole.n_pivots
    assert rest.n_pivots == whole.n_pivots
    np.testing.assert_array_equal(rest.theta, whole.theta)


# ---------------------------------------------------------------- bad input


@pytest.mark.parametrize(
    ("arguments", "culprit"),
    [
        ([], "command"),
        (["nonsense"], "nonsense"),
        (["--bogus"], "--bogus"),
        (["demo", "extra"], "extra"),
        (["demo", "--seed", "x"], "--seed"),
        (["demo", "--out", "full"], "trajectory.npz"),
        (["demo", "--out", "notes.txt"], "notes.txt"),
        (["solve"], "DATA.csv"),
        (["solve", "good.csv"], "--target"),
        (["solve", "missing.csv", "--target", "y"], "missing.csv"),
        (["solve", "bare", "--target", "y"], "bare"),
        (["solve", "other.npz", "--target", "y"], "other.npz"),
        (["solve", "empty.csv", "--target", "y"], "empty.csv"),
        (["solve", "header.csv", "--target", "y"], "header.csv"),
        (["solve", "alone.csv", "--target", "y"], "alone.csv"),
        (["solve", "word.csv", "--target", "y"], "'four'"),
        (["solve", "ragged.csv", "--target", "y"], "line 3"),
        (["solve", "nan.csv", "--target", "y"], "--missing drop"),
        (["solve", "good.csv", "--target", "z"], "(a, b, y)"),
        (["solve", "good.csv", "--target", "y", "--negative-slope", "1"], "negative_slope"),
        (["solve", "good.csv", "--target", "y", "--restarts", "0"], "--restarts"),
        (["minimize", "good.csv"], "--target"),
        (["minimize", "good.csv", "--target", "y", "--max-walks", "0"], "--max-walks"),
        (["minimize", "good.csv", "--target", "y", "--time-limit", "0"], "time_limit"),
        (["minimize", "good.csv", "--target", "y", "--out", "full"], "trajectory.npz"),
        (["predict", "full"], "DATA.csv"),
        (["predict", "missing.npz", "good.csv"], "missing.npz"),
        (["predict", "bare", "good.csv", "--out", "notes.txt"], "--force"),
        ([*SOLVE, "--hidden", "8,x"], "--hidden"),
        ([*SOLVE, "--hidden", "8,,4"], "--hidden"),
        ([*SOLVE, "--hidden", "0"], "--hidden"),
        ([*SOLVE, "--hidden", "-3"], "--hidden"),
        ([*SOLVE, "--layer", "2"], "layer"),
        ([*SOLVE, "--layer", "-1"], "layer"),
        ([*SOLVE, "--layer", "x"], "--layer"),
        ([*SOLVE, "--loss", "huber"], "--loss"),
        ([*SOLVE, "--loss", "hinge"], "-1 or +1"),
        ([*SOLVE, "--tau", "0.3"], "tau"),
        ([*SOLVE, "--loss", "pinball", "--tau", "1.5"], "tau"),
        ([*SOLVE, "--loss", "pinball", "--tau", "nan"], "tau"),
        ([*SOLVE, "--step", "giant"], "--step"),
        ([*SOLVE, "--rule", "luck"], "rule"),
        ([*SOLVE, "--init", "zeros"], "--init"),
        ([*SOLVE, "--seed", "-1"], "--seed"),
        ([*SOLVE, "--max-pivots", "-1"], "--max-pivots"),
        ([*SOLVE, "--max-pivots", "1.5"], "--max-pivots"),
        ([*SOLVE, "--time-limit", "-1"], "time_limit"),
        ([*SOLVE, "--time-limit", "nan"], "time_limit"),
        ([*SOLVE, "--out", "full"], "trajectory.npz"),
        ([*SOLVE, "--out", "good.csv"], "good.csv"),
        ([*SOLVE, "--out", "good.csv/below"], "good.csv"),
        (["resume"], "RESULT"),
        (["resume", "missing.npz"], "missing.npz"),
        (["resume", "bare"], "trajectory.npz"),
        (["resume", "full"], "trajectory.npz"),
        (["resume", "full", "--out", "full"], "trajectory.npz"),
        (["resume", "notes.txt", "--out", "new"], "notes.txt"),
        (["resume", "other.npz", "--out", "new"], "other.npz"),
        (["show"], "RESULT"),
        (["show", "bare"], "trajectory.npz"),
        (["show", "notes.txt"], "notes.txt"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_bad_input(arguments, culprit, folder, capsys):
    before = {path: path.stat().st_mtime_ns for path in folder.rglob("*") if path.is_file()}
    assert main(arguments) == BAD_INPUT
    output = capsys.readouterr()
    (line,) = output.err.splitlines()
    assert line.startswith("reluplex-walk: error: ")
    assert culprit in line
    assert output.out == ""
    after = {path: path.stat().st_mtime_ns for path in folder.rglob("*") if path.is_file()}
    assert after == before


@pytest.mark.parametrize("file", ["trajectory.npz", "columns.json", "graph.graphml", "picture.png"])
def test_earlier_results_are_refused_before_any_work(file, folder, capsys, monkeypatch):
    def unreachable(*arguments, **options):
        raise AssertionError("the walk began")

    monkeypatch.setattr(rw, "walk", unreachable)
    (folder / "good_walk").mkdir()
    (folder / "good_walk" / file).write_text("something")
    for arguments in (SOLVE, ["demo", "--out", "good_walk"]):
        assert main(arguments) == BAD_INPUT
        error = capsys.readouterr().err
        assert file in error
        assert "--force" in error
    assert (folder / "good_walk" / file).read_text() == "something"


def test_empty_files_are_no_results(folder):
    (folder / "good_walk").mkdir()
    (folder / "good_walk" / "trajectory.npz").touch()
    assert main([*SOLVE, "--quiet"]) == PROVED


def test_force_overwrites():
    main([*SOLVE, "--max-pivots", "2", "--quiet"])
    assert main([*SOLVE, "--force", "--quiet"]) == PROVED
    assert rw.Trajectory.load("good_walk/trajectory.npz").certificate.is_local_minimum
