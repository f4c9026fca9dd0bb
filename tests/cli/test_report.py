"""``reluplex-walk report``: what was saved, as one file; its name, its words, one-line errors."""

import json
import webbrowser
from pathlib import Path

import numpy as np
import pytest

import reluplex_walk as rw
from reluplex_walk.cli import reporting
from reluplex_walk.cli.commands import main
from reluplex_walk.cli.output import BAD_INPUT, PROVED, REFUSED
from reluplex_walk.reports.words import said

pytest.importorskip("plotly")

X, Y = [[0.0], [1.0], [2.0], [3.0], [4.0]], [0.0, 2.0, 1.0, 5.0, 3.0]


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    (tmp_path / "curve.csv").write_text("x,y\n0,1\n1,0\n2,1\n3,4\n4,3\n5,7\n")
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def walked():
    main(["solve", "curve.csv", "--target", "y", "--hidden", "2", "--no-picture", "--quiet"])
    return Path("curve_walk")


def loss():
    return rw.LayerLoss(rw.ReLUNetwork.random([1, 2, 1], seed=0), X, Y)


def test_a_folder_gets_its_report(walked, capsys):
    assert main(["report", str(walked)]) == PROVED
    path = walked / "report.html"
    page, words = path.read_text("utf-8"), said(rw.Trajectory.load(walked / "trajectory.npz"))
    assert f"<title>{words.title}</title>" in page
    assert words.verdict in page
    (line,) = capsys.readouterr().out.splitlines()
    assert str(path) in line
    assert f"{path.stat().st_size / 1e6:.2f} MB" in line


def test_a_file_gets_one_beside_it_or_where_it_is_asked_for(walked, capsys):
    saved = str(walked / "trajectory.npz")
    assert main(["report", saved, "--json"]) == PROVED
    told = json.loads(capsys.readouterr().out)
    assert told == {
        "report": str(walked / "trajectory.html"),
        "bytes": (walked / "trajectory.html").stat().st_size,
    }
    assert main(["report", saved, "-o", "mine.html", "--title", "<Mine>", "--quiet"]) == PROVED
    assert "<h1>&lt;Mine&gt;</h1>" in Path("mine.html").read_text("utf-8")
    assert capsys.readouterr().out == ""


def test_a_report_is_replaced_and_nothing_else_is(walked, capsys):
    arguments = ["report", str(walked), "--quiet", "--out", "page.html"]
    assert (main(arguments), main(arguments)) == (PROVED, PROVED)
    Path("page.html").write_text("a page of my own")
    assert main(arguments) == BAD_INPUT
    assert Path("page.html").read_text() == "a page of my own"
    (line,) = capsys.readouterr().err.splitlines()
    assert "--out" in line
    assert main(["report", str(walked), "-o", "no/such/folder.html"]) == BAD_INPUT


SAVED = {
    "walk": lambda: rw.walk(loss()),
    "training": lambda: rw.train(rw.ReLUNetwork.random([1, 2, 1], seed=0), X, Y, rounds=1),
    "fit": lambda: rw.quantile(X, Y, tau=0.3),
    "process": lambda: rw.quantile_process(X, Y),
    "descent": lambda: rw.descend(loss(), "sgd", 5, learning_rate=0.01),
    "certificate": lambda: rw.walk(loss()).certificate,
}


@pytest.mark.parametrize("kind", SAVED)
def test_whatever_is_saved_has_a_report(kind, capsys):
    made = SAVED[kind]()
    made.save(f"{kind}.npz")
    loaded = reporting.load_any(Path(f"{kind}.npz"))
    assert type(loaded) is type(made)
    assert main(["report", f"{kind}.npz", "--quiet"]) == PROVED
    assert said(made).verdict in Path(f"{kind}.html").read_text("utf-8")


def test_an_ensemble_has_one():
    for module in ("loky", "pyarrow", "pandas", "filelock", "threadpoolctl"):
        pytest.importorskip(module)
    found = rw.ensemble(loss(), walks=5, step="long", out="many")
    assert main(["report", "many", "--quiet"]) == PROVED
    assert said(found).verdict in Path("many/report.html").read_text("utf-8")


def test_what_is_no_result(walked, capsys):
    rw.ReLUNetwork.random([1, 2, 1]).save("net.npz")
    np.savez("other.npz", a=np.zeros(2))
    Path("empty").mkdir()
    for result in ("net.npz", "other.npz", "empty", "curve.csv", "nothing"):
        assert main(["report", result]) in (BAD_INPUT, REFUSED)
        assert len(capsys.readouterr().err.splitlines()) == 1
    assert main(["report", "empty"]) == BAD_INPUT
    assert "RESULT: the folder empty holds no result" in capsys.readouterr().err
    saved = walked / "trajectory.npz"
    saved.write_bytes(saved.read_bytes()[:-100])
    assert main(["report", str(walked)]) == REFUSED


def test_it_opens_if_asked(walked, monkeypatch):
    opened = []
    monkeypatch.setattr(webbrowser, "open", lambda url: opened.append(url) or True)
    assert main(["report", str(walked), "--quiet", "--open"]) == PROVED
    assert opened == [(walked / "report.html").resolve().as_uri()]


def test_without_plotly(walked, capsys, monkeypatch):
    monkeypatch.setattr(reporting, "find_spec", lambda name: None)
    assert main(["report", str(walked)]) == BAD_INPUT
    (line,) = capsys.readouterr().err.splitlines()
    assert 'pip install "reluplex_walk[report]"' in line


def test_help_says_what_it_writes(capsys):
    assert main(["report", "--help"]) == 0
    told = capsys.readouterr().out
    assert "report.html" in told
    assert "Exit codes" in told
