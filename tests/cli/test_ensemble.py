"""``reluplex-walk ensemble``: rows, resuming, workers, progress, exit codes, one-line errors."""

import json
from importlib import util
from pathlib import Path

import numpy as np
import pytest

import reluplex_walk as rw
from reluplex_walk.cli import many_walks, output
from reluplex_walk.cli.commands import main
from reluplex_walk.cli.output import BAD_INPUT, INTERRUPTED, PARTIAL, PROVED, REFUSED
from reluplex_walk.ensembles.measures import MEASURES

for module in ("loky", "pyarrow", "pandas", "filelock", "threadpoolctl"):
    pytest.importorskip(module)

MANY = ["ensemble", "good.csv", "--target", "y", "--hidden", "2", "--step", "long", "--out", "here"]
PLAIN = [*MANY, "--no-picture"]


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    rng = np.random.default_rng(5)
    rows = np.round(np.column_stack([rng.normal(size=(20, 2)), rng.normal(size=20)]), 3)
    table = "a,b,y\n" + "\n".join(",".join(map(str, row)) for row in rows) + "\n"
    (tmp_path / "good.csv").write_text(table)
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "notes.txt").write_text("mine\n")
    monkeypatch.chdir(tmp_path)


def told(capsys):
    return json.loads(capsys.readouterr().out)


def test_the_command_is_the_library(capsys):
    asked = ["--walks", "12", "--rule", "dantzig", "--keep", "trajectories"]
    assert main([*PLAIN, *asked, "--json"]) == PROVED
    fields = told(capsys)
    saved = rw.Ensemble.load("here")
    found = rw.ensemble(saved.problem, 12, step="long", rule="dantzig")
    np.testing.assert_array_equal(saved.thetas, found.thetas)
    minima, unseen = found.minima(), found.unseen()
    assert fields["loss"] == found.loss == minima.losses[0]
    assert (fields["ended"], fields["walks"]) == ("FINISHED", 12)
    assert fields["distinct_ends"] == len(minima)
    assert fields["proved"] == minima.proved.sum() > 0
    assert fields["walks_to_the_best_level"] == minima.counts[0]
    assert fields["coverage"] == 1.0 - unseen.share
    assert fields["coverage_interval"] == [1.0 - unseen.share_high, 1.0 - unseen.share_low]
    assert fields["ends_estimated"] == unseen.total
    assert fields["files"]["rows"] == str(Path("here/walks"))
    assert len(list(Path("here/trajectories").iterdir())) == 12
    best = rw.Trajectory.load(fields["files"]["trajectory"])
    np.testing.assert_array_equal(best.theta, found.theta)
    assert best.status.proved == fields["best_level_proved"] == minima.proved[0]


def test_measures_are_columns():
    (option,) = [each for each in many_walks.ensemble.params if each.name == "measures"]
    assert set(option.type.choices) == set(MEASURES)
    asked = ["--measure", "level", "--measure", "decay", "--proof", "off", "--quiet"]
    assert main([*PLAIN, "--walks", "4", *asked]) == PROVED
    saved = rw.Ensemble.load("here")
    found = rw.ensemble(saved.problem, 4, step="long", measures=["level", "decay"], proof="off")
    assert set(saved.figures) == set(found.figures) != set()
    table = Path("here/figures.csv").read_text().splitlines()
    assert {line.split(",")[0] for line in table[1:]} >= set(found.figures)


def test_other_commands_take_the_folder(capsys):
    assert main([*MANY, "--walks", "12"]) == PROVED
    assert Path("here/picture.png").read_bytes().startswith(b"\x89PNG")
    shown = capsys.readouterr().out
    for name in ("best level", "best linear", "distinct ends", "coverage", "ends estimated"):
        assert name in shown
    assert "(95 %: " in shown
    assert main(["resume", "here"]) == BAD_INPUT
    assert "the same `reluplex-walk ensemble` command goes on" in capsys.readouterr().err
    assert main(["show", "here"]) == 0
    again = dict(line.split(maxsplit=1) for line in capsys.readouterr().out.splitlines())
    assert again["walks"].startswith(("12", "to"))
    assert main(["verify", "here", "--json"]) == PROVED
    checked = told(capsys)
    minima = rw.Ensemble.load("here").minima()
    assert (checked["proofs"], checked["distinct_ends"]) == (minima.proved.sum(), len(minima))
    assert main(["predict", "here", "good.csv"]) == PROVED
    assert len(capsys.readouterr().out.splitlines()) == 21
    columns = Path("here/columns.json")
    columns.write_text(columns.read_text().replace('"b"', '"c"'))
    assert main(["verify", "here"]) == REFUSED


def test_walks_that_were_cut_are_no_ends(capsys):
    assert main([*PLAIN, "--walks", "6", "--max-pivots", "3"]) == PROVED
    table = dict(line.split("  ", 1) for line in capsys.readouterr().out.splitlines())
    found = rw.Ensemble.load("here")
    assert int(table["walks to their end"]) == found.unseen().n_walks < 6
    assert main([*PLAIN, "--walks", "6", "--out", "whole"]) == PROVED
    assert "walks to their end" not in capsys.readouterr().out


def test_nothing_is_verified_where_nothing_is_proved(capsys):
    assert main([*PLAIN, "--walks", "3", "--proof", "off", "--json"]) == PROVED
    assert told(capsys)["proved"] == 0
    assert main(["verify", "here"]) == REFUSED
    assert "no end of the ensemble is proved" in capsys.readouterr().err


def test_more_walks_go_on_by_two_workers(capsys):
    assert main([*PLAIN, "--walks", "8", "--quiet"]) == PROVED
    assert capsys.readouterr().out == ""
    parts = {path: path.read_bytes() for path in Path("here/walks").iterdir()}
    assert main([*PLAIN, "--walks", "20", "--workers", "2", "--json"]) == PROVED
    assert told(capsys)["walks"] == 20
    assert all(path.read_bytes() == content for path, content in parts.items())
    found = rw.Ensemble.load("here")
    assert found.seeds.tolist() == list(range(20))
    alone = rw.ensemble(found.problem, 20, step="long")
    np.testing.assert_array_equal(found.thetas, alone.thetas)


def test_a_scheduler_is_used_and_left_running(capsys):
    distributed = pytest.importorskip("distributed")
    cluster = distributed.LocalCluster(
        n_workers=1,
        threads_per_worker=1,
        processes=False,
        protocol="tcp",
        dashboard_address=":0",
    )
    with cluster:
        asked = ["--walks", "6", "--scheduler", cluster.scheduler_address, "--json"]
        assert main([*PLAIN, *asked]) == PROVED
        assert told(capsys)["walks"] == 6
        assert cluster.status.name == "running"


def test_the_time_limit_and_the_same_command(capsys):
    assert main([*PLAIN, "--walks", "6", "--time-limit", "1e-9", "--json"]) == PARTIAL
    fields = told(capsys)
    assert (fields["ended"], fields["walks"], fields["loss"]) == ("TIME_LIMIT", 0, None)
    assert fields["files"] == {"rows": str(Path("here/walks"))}
    assert main([*PLAIN, "--walks", "6", "--json"]) == PROVED
    assert told(capsys)["walks"] == 6


def test_stop_ends_early_and_well(capsys):
    assert main([*PLAIN, "--walks", "5000", "--stop", "0.9", "--proof", "off", "--json"]) == PROVED
    fields = told(capsys)
    assert fields["ended"] == "STOPPED"
    assert fields["walks"] == 100


def test_ctrl_c_keeps_the_walks_and_writes_no_more(monkeypatch, capsys):
    def raising(progress):
        if progress.n_walks >= 4:
            raise KeyboardInterrupt

    own = rw.ensemble
    with monkeypatch.context() as patch:
        patch.setattr(rw, "ensemble", lambda *a, **k: own(*a, **{**k, "callback": raising}))
        assert main([*PLAIN, "--walks", "9", "--json"]) == INTERRUPTED
    fields = told(capsys)
    assert (fields["ended"], fields["walks"]) == ("INTERRUPTED", 4)
    assert not Path("here/trajectory.npz").exists()
    assert main([*PLAIN, "--walks", "9", "--json"]) == PROVED
    assert told(capsys)["walks"] == 9


def test_lines_where_there_is_no_terminal(monkeypatch, capsys):
    assert main([*PLAIN, "--walks", "3"]) == PROVED
    assert "3 walks" not in capsys.readouterr().err  # a quick run says nothing
    monkeypatch.setattr(many_walks, "_EVERY", 0.0)
    assert main([*PLAIN, "--walks", "5"]) == PROVED
    lines = capsys.readouterr().err.splitlines()
    assert any(line.startswith("reluplex-walk: 4 of 5 walks, ") for line in lines)
    assert any(" ends proved, " in line and ", best level " in line for line in lines)
    assert main([*PLAIN, "--walks", "7", "--quiet"]) == PROVED
    assert "walks/s" not in capsys.readouterr().err


def test_a_bar_on_a_terminal(monkeypatch):
    bars = []

    class Bar:
        def __init__(self, *columns, **asked):
            bars.append(self)
            self.seen = []

        def add_task(self, text, **fields):
            self.seen.append(fields)
            return 0

        def update(self, task, **fields):
            self.seen.append(fields)

        def __enter__(self):
            return self

        def __exit__(self, *_):
            pass

    monkeypatch.setattr("rich.progress.Progress", Bar)
    monkeypatch.setattr(output.sys.stderr, "isatty", lambda: True, raising=False)
    assert main([*PLAIN, "--walks", "5"]) == PROVED
    (bar,) = bars
    walks = [each for each in bar.seen if each.get("far") == "5 of 5 walks"]
    assert {(each["completed"], each["total"]) for each in walks} == {(5, 5)}
    last = bar.seen[-1]
    assert last["far"] == f"{last['total']} of {last['total']} ends proved"
    assert f"best level {rw.Ensemble.load('here').loss:.6g}" in last["low"]


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        (["--walks", "0"], "'--walks': 0 is not in the range x>=1"),
        (["--workers", "0"], "'--workers': 0 is not in the range x>=1"),
        (["--workers", "2", "--scheduler", "tcp://x:1"], "--workers: expected nothing beside"),
        (["--scheduler", "nonsense://x:1"], "--scheduler: no scheduler answers at nonsense://x:1"),
        (["--stop", "1.5"], "stop: expected a number in (0, 1), found 1.5"),
        (["--time-limit", "0"], "time_limit: expected a number > 0"),
        (["--keep", "all"], "'all' is not one of 'ends', 'trajectories'"),
        (["--measure", "size"], "'size' is not one of 'density', 'decay', 'level'"),
        (["--layer", "7"], "layer"),
        (["--out", "full"], "full holds other files"),
        (["--out", "good.csv"], "--out: expected a folder, found the file good.csv"),
    ],
)
def test_wrong_arguments(asked, told, capsys):
    pytest.importorskip("distributed")
    assert main([*PLAIN, *asked]) == BAD_INPUT
    output = capsys.readouterr()
    assert told in output.err
    assert len(output.err.splitlines()) == 1
    assert output.out == ""


def test_an_earlier_run_is_not_overwritten(capsys):
    assert main([*PLAIN, "--walks", "3", "--quiet"]) == PROVED
    assert main([*PLAIN, "--walks", "3", "--no-resume"]) == BAD_INPUT
    assert "leave out --no-resume to go on with it" in capsys.readouterr().err
    assert main([*PLAIN, "--hidden", "3"]) == BAD_INPUT
    assert "holds walks on other data, another network or another loss" in capsys.readouterr().err
    assert main([*PLAIN, "--max-pivots", "5"]) == BAD_INPUT
    assert "holds an ensemble with another options" in capsys.readouterr().err
    assert len(rw.Ensemble.load("here")) == 3


@pytest.mark.parametrize(
    ("missing", "extra"), [("pyarrow", "ensemble"), ("loky", "ensemble"), ("distributed", "dask")]
)
def test_extras_that_are_missing_are_named(missing, extra, monkeypatch, capsys):
    own = util.find_spec
    hide = lambda name: None if name == missing else own(name)  # noqa: E731
    monkeypatch.setattr(many_walks, "find_spec", hide)
    assert main([*PLAIN, "--scheduler", "tcp://127.0.0.1:1"]) == BAD_INPUT
    assert f'pip install "reluplex_walk[{extra}]"' in capsys.readouterr().err


def test_dying_workers_are_told_in_one_line(monkeypatch, capsys):
    def dying(*_, **__):
        raise RuntimeError("executor: workers die without doing a task")

    monkeypatch.setattr(rw, "ensemble", dying)
    assert main(PLAIN) == BAD_INPUT
    error = capsys.readouterr().err
    assert error == "reluplex-walk: error: executor: workers die without doing a task\n"
