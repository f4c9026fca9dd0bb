"""``certify``: verdicts on the layers of any model, ways down, exit codes, one-line errors."""

import json
from pathlib import Path

import numpy as np
import pytest

import reluplex_walk as rw
from reluplex_walk.cli.commands import main
from reluplex_walk.cli.output import BAD_INPUT, INTERRUPTED, PARTIAL, PROVED, REFUSED

ROWS = 40


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """A working folder with a table and a network that nobody has trained."""
    rng = np.random.default_rng(1)
    x = np.round(rng.uniform(-2.0, 2.0, (ROWS, 2)), 2)
    y = np.round(abs(x[:, 0]) + 0.3 * rng.normal(size=ROWS), 2)
    side = np.where(x[:, 1] > 0.0, "up", "down")
    lines = [",".join(map(str, cells)) + "\n" for cells in zip(*x.T, y, side, strict=True)]
    (tmp_path / "t.csv").write_text("a,b,y,side\n" + "".join(lines))
    rw.ReLUNetwork.random([2, 3, 1], seed=4).save(tmp_path / "net.npz")
    monkeypatch.chdir(tmp_path)
    return tmp_path


NAMED = ["t.csv", "--target", "y", "--features", "a,b"]
FIT = ["fit", *NAMED, "--hidden", "2", "--rounds", "2", "--no-picture", "--quiet"]


def run(capsys, *arguments):
    """Exit code, JSON and notes of a command."""
    code = main([*arguments, "--json"])
    output = capsys.readouterr()
    return code, json.loads(output.out), output.err


def table():
    rows = np.loadtxt("t.csv", delimiter=",", skiprows=1, usecols=(0, 1, 2))
    return rows[:, :2], rows[:, 2]


def test_an_untrained_network_is_told_the_way_down(capsys):
    code, fields, notes = run(capsys, "certify", "net.npz", *NAMED, "--out", "ways")
    assert (code, notes) == (PARTIAL, "")
    X, y = table()
    network = rw.ReLUNetwork.load("net.npz")
    assert fields["loss"] == pytest.approx(np.abs(network(X)[:, 0] - y).sum())
    assert [each["layer"] for each in fields["layers"]] == [0, 1]
    for each in fields["layers"]:
        assert each["verdict"] == "not a local minimum"
        assert each["slope"] < 0.0 < each["gap"]
        way = rw.Trajectory.load(f"ways/layer_{each['layer']}.npz")
        assert way.problem.layer == each["layer"]
        assert way.loss == each["end_loss"] == pytest.approx(fields["loss"] - each["gap"])
        # The slope, by differences along the gradient of floats: nothing falls faster.
        loss = rw.LayerLoss(network, X, y, each["layer"])
        assert each["slope"] == pytest.approx(-np.linalg.norm(loss.gradient(loss.theta)))
    lad = rw.lad(network.features(X, 1), y)  # of the last layer, by another algorithm
    assert fields["layers"][1]["end_loss"] == pytest.approx(lad.loss)


def test_words(capsys):
    assert main(["certify", "net.npz", *NAMED, "--layer", "1"]) == PARTIAL
    text = " ".join(capsys.readouterr().out.split())
    assert "layer 1 not a local minimum of layer 1: the loss" in text
    assert "global minimum" in text
    assert "layer 0" not in text


def test_a_fit_is_certified_from_its_own_columns(capsys):
    assert main(FIT) == PROVED
    code, fields, _ = run(capsys, "certify", "t_fit", "t.csv")
    assert code == PROVED
    assert {each["verdict"] for each in fields["layers"]} == {"local minimum"}
    assert max(each["rounding"] for each in fields["layers"]) < 1e-6
    assert run(capsys, "certify", "t_fit/network.npz", "t.csv")[0] == PROVED
    assert main(["certify", "t_fit", "t.csv", "--quiet"]) == PROVED
    assert capsys.readouterr() == ("", "")


def test_other_data_are_another_loss(capsys):
    assert main(FIT) == PROVED
    lines = Path("t.csv").read_text().splitlines()
    Path("half.csv").write_text("\n".join(lines[: ROWS // 2]) + "\n")
    code, fields, _ = run(capsys, "certify", "t_fit", "half.csv")
    assert (code, fields["samples"]) == (PARTIAL, ROWS // 2 - 1)
    assert {each["verdict"] for each in fields["layers"]} == {"not a local minimum"}


def test_a_walk_is_at_a_minimum_of_its_layer_alone(capsys):
    solve = ["solve", *NAMED, "--hidden", "3", "--loss", "pinball", "--tau", "0.3"]
    assert main([*solve, "--no-picture", "--quiet"]) == PROVED
    code, fields, _ = run(capsys, "certify", "t_walk", "t.csv", "--layer", "0")
    assert (code, fields["kind"], fields["tau"]) == (PROVED, "pinball", 0.3)
    assert fields["layers"][0]["verdict"] == "local minimum"
    code, fields, _ = run(capsys, "certify", "t_walk", "t.csv", "--loss", "l1")
    assert (code, fields["kind"], fields["tau"]) == (PARTIAL, "l1", None)


def test_classes(capsys):
    rw.ReLUNetwork.random([2, 2, 1], seed=0).save("sides.npz")
    named = ["t.csv", "--target", "side", "--features", "a,b", "--classes"]
    _, fields, _ = run(capsys, "certify", "sides.npz", *named)
    assert fields["kind"] == "hinge"
    sides = np.array([line.split(",")[-1] for line in Path("t.csv").read_text().split()[1:]])
    up = rw.ReLUNetwork.load("sides.npz")(table()[0])[:, 0] >= 0.0
    assert fields["accuracy"] == np.mean(np.where(up, "up", "down") == sides)


def test_no_time_is_no_verdict(capsys):
    code, fields, _ = run(capsys, "certify", "net.npz", *NAMED, "--time-limit", "1e-9")
    assert code == PARTIAL
    assert "local minimum" not in [each["verdict"] for each in fields["layers"]]


def test_ctrl_c(capsys, monkeypatch):
    real = rw.certify

    def struck(loss, **options):
        import os
        import signal

        found = real(loss, **options)
        os.kill(os.getpid(), signal.SIGINT)
        return found

    monkeypatch.setattr(rw, "certify", struck, raising=False)
    code, fields, notes = run(capsys, "certify", "net.npz", *NAMED)
    assert code == INTERRUPTED
    assert [each["layer"] for each in fields["layers"]] == [0]
    assert "interrupted" in notes


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["t.csv"], ["--target", "columns.json", "--features"]),
        (["t.csv", "--target", "y", "--features", "a"], ["2 inputs", "1 and 1"]),
        (["t.csv", "--target", "q"], ["--target", "'q'"]),
        ([*NAMED, "--layer", "2"], ["--layer", "0 to 1", "2"]),
        ([*NAMED, "--layer", "-1"], ["--layer", "-1"]),
        ([*NAMED, "--layer", "last"], ["--layer", "last"]),
        ([*NAMED, "--tau", "0.5"], ["tau"]),
        ([*NAMED, "--penalty", "-1"], ["penalty"]),
        ([*NAMED, "--loss", "hinge"], ["hinge", "labels"]),
        (["none.csv", *NAMED[1:]], ["none.csv"]),
    ],
)
def test_bad_input_is_one_line(arguments, words, capsys):
    assert main(["certify", "net.npz", *arguments]) == BAD_INPUT
    output = capsys.readouterr()
    (line,) = output.err.splitlines()
    assert output.out == ""
    assert all(word in line for word in words), line


def test_files_are_kept(capsys):
    Path("ways").mkdir()
    Path("ways/layer_1.npz").write_text("mine")
    assert main(["certify", "net.npz", *NAMED, "--out", "ways"]) == BAD_INPUT
    assert "layer_1.npz" in capsys.readouterr().err
    assert main(["certify", "net.npz", *NAMED, "--out", "ways", "--force", "--quiet"]) == PARTIAL
    rw.Trajectory.load("ways/layer_1.npz")


def test_damaged_models_are_refused(capsys):
    whole = Path("net.npz").read_bytes()
    Path("net.npz").write_bytes(whole[:-40])
    assert main(["certify", "net.npz", *NAMED]) == REFUSED
    assert main(["certify", "no.npz", *NAMED]) == BAD_INPUT
    assert len(capsys.readouterr().err.splitlines()) == 2
