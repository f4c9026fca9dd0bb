"""``reluplex-walk study``: tables, figures, limits, and that the help names every study."""

import csv
import json
from pathlib import Path

import numpy as np
import pytest

import reluplex_walk as rw
from reluplex_walk._limits import Limits
from reluplex_walk.cli.commands import main
from reluplex_walk.cli.known_studies import STUDIES, Outcome, Study
from reluplex_walk.cli.output import BAD_INPUT, INTERRUPTED, PARTIAL, PROVED
from reluplex_walk.ended import Ended


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def rows(path):
    with Path(path).open(newline="") as stream:
        return list(csv.DictReader(stream))


def test_glass_leaves_a_table_and_a_figure(capsys):
    assert main(["study", "glass", "--json"]) == PROVED
    told = json.loads(capsys.readouterr().out)
    assert told["table"] == str(Path("glass_study/glass.csv"))
    found = rows(told["table"])
    assert len(found) == 24
    for row in found:
        parts = float(row["rho_hidden"]) + float(row["rho_residual"])
        assert float(row["rho"]) == pytest.approx(parts)
    assert Path(told["picture"]).read_bytes().startswith(b"\x89PNG")
    assert main(["study", "glass"]) == BAD_INPUT
    assert "glass.csv, glass.png would be overwritten" in capsys.readouterr().err
    assert main(["study", "glass", "--force", "--quiet", "--no-picture"]) == PROVED
    assert rows(told["table"]) == found  # by the seed
    assert capsys.readouterr().out == ""


def test_the_time_limit_leaves_what_was_found():
    """Each run of a study is cut short after its first part, and no other begins."""
    asked = ["--time-limit", "1e-9", "--no-picture", "--out", "here"]
    assert main(["study", "vanishing", *asked]) == PARTIAL
    assert {row["width"] for row in rows("here/vanishing.csv")} == {"4"}
    assert main(["study", "shattering", *asked]) == PARTIAL
    (row,) = rows("here/shattering.csv")
    assert (row["design"], row["depth"]) == ("plain", "1")
    assert float(row["mean"]) == pytest.approx(float(row["law"]), abs=0.1)
    assert main(["study", "escape", *asked]) == PARTIAL
    (row,) = rows("here/escape.csv")
    assert (row["method"], row["ended"]) == ("gd", "time_limit")


@pytest.mark.parametrize("name", list(STUDIES))
def test_the_time_limit_before_there_is_much_to_draw(name, capsys):
    """A picture or a note, never an error."""
    assert main(["study", name, "--time-limit", "1e-9", "--out", "here"]) == PARTIAL
    told = capsys.readouterr()
    assert "Warning" not in told.err
    drawn = Path(f"here/{name}.png").exists()
    assert drawn == (f"no {name}.png: the study was stopped" not in told.err)
    assert drawn == (name in ("glass", "exploration", "shattering"))
    assert ("picture" in told.out) == drawn


def cut_after(monkeypatch, module, name, calls):
    """Call number `calls` of a function is stopped as by Ctrl-C, at its second look."""
    own, made = getattr(module, name), []

    def cut(*given, **asked):
        made.append(None)
        if len(made) == calls:
            asked["callback"] = raising
        return own(*given, **asked)

    def raising(done):
        if done:
            raise KeyboardInterrupt

    monkeypatch.setattr(module, name, cut)


def test_a_run_that_was_cut_is_told_from_whole_ones(monkeypatch):
    drawn = []
    monkeypatch.setattr(rw.plotting, "plot_escape", lambda runs, ax: drawn.extend(runs))
    cut_after(monkeypatch, rw.activations, "exploration", 3)
    cut_after(monkeypatch, rw.chains, "escape", 2)
    assert main(["study", "exploration", "--quiet"]) == INTERRUPTED
    found = rows("exploration_study/exploration.csv")
    ends = [(row["method"], row["ended"]) for row in found]
    assert ends == [("sgd", "finished"), ("momentum", "finished"), ("rmsprop", "interrupted")]
    assert main(["study", "escape", "--quiet"]) == INTERRUPTED
    found = rows("escape_study/escape.csv")
    assert [(row["depth"], row["ended"]) for row in found][1] == ("7", "interrupted")
    assert [run.depth for run in drawn] == [5]  # the picture shows whole runs alone


def test_no_picture_removes_that_of_an_earlier_study(monkeypatch):
    outcome = Outcome({"a": [1]}, lambda figure: figure.subplots(), Ended.FINISHED)
    monkeypatch.setitem(STUDIES, "glass", Study("nothing", lambda: 1, lambda seed, limits: outcome))
    assert main(["study", "glass", "--out", "here", "--quiet"]) == PROVED
    assert Path("here/glass.png").exists()
    assert main(["study", "glass", "--out", "here", "--quiet", "--force", "--no-picture"]) == PROVED
    assert not Path("here/glass.png").exists()


def test_the_table_of_regret_says_what_is_proved():
    asked = ["--quiet", "--no-picture"]
    assert main(["study", "regret", *asked]) == PROVED
    for row in rows("regret_study/regret.csv"):
        assert row["proved"] == "True"
        assert float(row["slack"]) == float(row["bound"]) - float(row["regret"]) >= 0.0
        assert 1 <= int(row["rank"]) <= min(25, int(row["horizon"]))  # of 25 parameters


def test_totals_are_what_studies_tell_when_done(monkeypatch):
    small = {"networks": 5}
    for module, name in ((rw.chains, "vanishing"), (rw.taylor, "shattering")):
        own = getattr(module, name)
        monkeypatch.setattr(module, name, lambda *a, own=own, **k: own(*a, **{**k, **small}))
    for name in ("vanishing", "shattering"):
        told = []
        with Limits.asked(None, told.append) as limits:
            STUDIES[name].run(0, limits)
        assert STUDIES[name].total() == told[-1] + 1  # told before each part


def test_masked_numbers_are_empty_and_ctrl_c_keeps_them(monkeypatch):
    columns = {"a": np.ma.MaskedArray([1.5, 2.0], [False, True]), "b": np.array([1, 2])}
    outcome = Outcome(columns, lambda figure: figure.subplots(), Ended.INTERRUPTED)
    monkeypatch.setitem(STUDIES, "glass", Study("nothing", lambda: 1, lambda seed, limits: outcome))
    assert main(["study", "glass", "--out", "here"]) == INTERRUPTED
    assert Path("here/glass.csv").read_text() == "a,b\n1.5,1\n,2\n"


def test_every_draw_function_draws(monkeypatch):
    """Smaller studies, drawn as the large ones are."""
    small = {"widths": [4, 8], "depths": [2, 4], "networks": 5}
    vanishing, escape = rw.chains.vanishing, rw.chains.escape
    monkeypatch.setattr(rw.chains, "vanishing", lambda **given: vanishing(**{**given, **small}))
    monkeypatch.setattr(
        rw.chains, "escape", lambda depth, method, _, **given: escape(3, method, 5, **given)
    )
    for name in ("vanishing", "escape"):
        assert main(["study", name, "--quiet"]) == PROVED
        assert Path(f"{name}_study/{name}.png").stat().st_size > 10_000


def test_help_names_every_study(capsys):
    assert main(["study", "--help"]) == 0
    told = capsys.readouterr().out
    for name, study in STUDIES.items():
        assert f"  {name:<12} {study.about}" in told
    assert main(["study", "nothing"]) == BAD_INPUT
    assert "'nothing' is not one of 'glass'" in capsys.readouterr().err
    assert main(["study", "glass", "--time-limit", "-1"]) == BAD_INPUT
    assert "time_limit: expected a number > 0" in capsys.readouterr().err
