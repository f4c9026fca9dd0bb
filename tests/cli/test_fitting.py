"""``fit``: whole networks from tables, files, baselines, classes, Ctrl-C; and their readers."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import reluplex_walk as rw
from reluplex_walk.cli import classes
from reluplex_walk.cli.cells import Notation
from reluplex_walk.cli.commands import main
from reluplex_walk.cli.output import BAD_INPUT, INTERRUPTED, PARTIAL, PROVED, REFUSED

ROWS = 45


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """A working folder with a curve, and flowers of three and of two kinds."""
    rng = np.random.default_rng(3)
    x = np.round(np.linspace(1000.0, 1090.0, ROWS), 1)
    y = np.round(abs(x - 1040.0) + rng.normal(size=ROWS), 2)
    kind = rng.integers(3, size=ROWS)
    long, wide = np.round(kind + 0.1 * rng.normal(size=(2, ROWS)), 2)
    name = np.array(["rose", "aster", "lily"])[kind]
    code = 10 ** rng.integers(1, 3, size=ROWS)
    lines = zip(x, y, long, wide, name, code, strict=True)
    text = "".join(",".join(map(str, cells)) + "\n" for cells in lines)
    (tmp_path / "t.csv").write_text("x,y,long,wide,name,code\n" + text)
    monkeypatch.chdir(tmp_path)
    return tmp_path


PLAIN = ["--no-picture", "--json", "--rounds", "2"]
CURVE = ["t.csv", "--target", "y", "--features", "x", "--hidden", "2", *PLAIN]
NAMES = ["t.csv", "--target", "name", "--features", "long,wide", "--classes", *PLAIN]


def run(capsys, *arguments):
    """Exit code, JSON and notes of a command."""
    code = main(list(arguments))
    output = capsys.readouterr()
    return code, json.loads(output.out), output.err


def refused(capsys, *arguments, code=BAD_INPUT):
    """The one line by which a command refuses its arguments."""
    assert main(list(arguments)) == code
    output = capsys.readouterr()
    assert output.out == ""
    (line,) = output.err.splitlines()
    return line


def columns(*names):
    header, *lines = Path("t.csv").read_text().splitlines()
    places = [header.split(",").index(name) for name in names]
    return np.array([[line.split(",")[k] for k in places] for line in lines])


def test_a_curve_is_fitted_and_stands_beside_what_needs_no_network(capsys):
    code, fields, notes = run(capsys, "fit", *CURVE)
    assert (code, notes, fields["status"]) == (PROVED, "", "certified")
    X, y = columns("x").astype(float), columns("y").astype(float)
    found = rw.TrainingFit.load("t_fit/training.npz")
    found.verify()
    np.testing.assert_array_equal(found.X, X)
    np.testing.assert_array_equal(found.y, y)
    off = np.abs(found.network(X) - y)
    assert fields["loss"] == pytest.approx(off.sum())
    assert fields["mean_absolute_error"] == pytest.approx(off.mean())
    assert fields["loss"] < 0.2 * fields["best_linear"]
    constant = np.abs(y - np.median(y))
    assert fields["best_constant"] == pytest.approx(constant.sum())
    assert fields["mean_absolute_error_constant"] == pytest.approx(constant.mean())
    linear = rw.lad(X, y[:, 0])
    assert fields["best_linear"] == pytest.approx(linear.loss)
    assert fields["mean_absolute_error_linear"] == pytest.approx(linear.loss / ROWS)


def test_files(capsys):
    _, fields, _ = run(capsys, "fit", *CURVE)
    kinds = {"training": ".npz", "columns": ".json", "network": ".npz", "summary": ".json"}
    assert fields["files"] == {kind: f"t_fit/{kind}{end}" for kind, end in kinds.items()}
    assert {f"t_fit/{path.name}" for path in Path("t_fit").iterdir()} == {*fields["files"].values()}
    assert json.loads(Path("t_fit/summary.json").read_text()) == fields
    assert (
        rw.ReLUNetwork.load("t_fit/network.npz")
        == rw.TrainingFit.load("t_fit/training.npz").network
    )


def test_options_are_those_of_the_library(capsys):
    asked = ["--loss", "pinball", "--tau", "0.8", "--seed", "3"]
    _, fields, _ = run(capsys, "fit", *CURVE, *asked, "--negative-slope", "0.1")
    found = rw.TrainingFit.load("t_fit/training.npz")
    assert (found.kind, found.tau, found.seed) == ("pinball", 0.8, 3)
    assert found.network.negative_slope == 0.1
    assert (fields["rounds"], fields["widths"]) == (2, "1-2-1")
    assert fields["tau"] == 0.8


def test_no_hidden_layer_is_the_linear_fit(capsys):
    code, fields, _ = run(capsys, "fit", *CURVE, "--hidden", "none")
    assert code == PROVED
    assert fields["loss"] == pytest.approx(fields["best_linear"])


def test_held_out_rows_choose_and_nothing_is_proved(capsys):
    code, fields, _ = run(capsys, "fit", *CURVE, "--validation", "0.3")
    assert code == PARTIAL
    assert fields["validation_loss"] > 0.0
    assert fields["layers_proved"] == 0


def test_a_limit_before_the_first_round_is_partial_and_said(capsys):
    code, fields, notes = run(capsys, "fit", *CURVE, "--rounds", "0", "--time-limit", "1e-9")
    assert code == PARTIAL
    assert fields["status"] in ("rounds", "time_limit")
    assert rw.TrainingFit.load("t_fit/training.npz").loss == fields["loss"]
    assert "above that of the best constant" in notes


# ---------------------------------------------------------------- classes


def test_three_classes(capsys):
    code, fields, _ = run(capsys, "fit", *NAMES, "--hidden", "3")
    assert code in (PROVED, PARTIAL)
    assert (fields["kind"], fields["classes"]) == ("hinge", "aster, lily, rose")
    assert fields["widths"] == "2-3-3"
    truth = columns("name")[:, 0]
    _, counts = np.unique(truth, return_counts=True)
    assert fields["accuracy"] > 0.9 > fields["accuracy_constant"]
    assert fields["best_constant"] == pytest.approx(2.0 * counts.sum())
    assert main(["predict", "t_fit", "t.csv"]) == PROVED
    header, *lines = [line.split(",") for line in capsys.readouterr().out.splitlines()]
    assert header == ["name", *(f"name={each} (output)" for each in ("aster", "lily", "rose"))]
    assert np.mean([line[0] for line in lines] == truth) == fields["accuracy"]
    for name, *outputs in lines:
        assert name == ("aster", "lily", "rose")[np.argmax([float(each) for each in outputs])]
    found = rw.TrainingFit.load("t_fit/training.npz")
    np.testing.assert_array_equal(found.y == 1.0, truth[:, None] == ["aster", "lily", "rose"])


def test_two_classes_are_labels(capsys):
    plain = ["t.csv", "--target", "code", "--features", "long", "--hidden", "2", *PLAIN]
    _, fields, _ = run(capsys, "fit", *plain, "--classes")
    _, other, _ = run(capsys, "fit", *plain, "--labels", "10,100", "--out", "other")
    for each in (fields, other):
        del each["files"], each["seconds"]
    assert fields == other
    assert main(["predict", "t_fit", "t.csv"]) == PROVED
    header, first, *_ = capsys.readouterr().out.splitlines()
    assert header == "code,code (output)"
    assert first.split(",")[0] in ("10", "100")


def test_numbers_as_classes_are_in_their_order():
    assert classes.found(["10", "9", "9", "10"], "y", Notation()) == ("9", "10")
    assert classes.found(["b", "9", "10", "b"], "y", Notation()) == ("10", "9", "b")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--target", "name", "--classes", "--loss", "l1"], ["--loss", "hinge", "l1"]),
        (["--target", "name", "--classes", "--labels", "a,b"], ["--classes or --labels"]),
        (["--target", "name,code", "--classes"], ["--classes", "one target"]),
        (["--target", "x", "--features", "y", "--classes"], ["45 different values", "'x'"]),
        (["--target", "name"], ["'name'", "another --target"]),
        (["--target", "code", "--loss", "hinge"], ["-1", "+1"]),
        (["--target", "y", "--rounds", "-1"], ["--rounds"]),
        (["--target", "y", "--penalty", "-1"], ["penalty", "-1"]),
        (["--target", "y", "--validation", "2"], ["validation", "2"]),
        (["--target", "y", "--tau", "0.3"], ["tau", "pinball"]),
    ],
)
def test_bad_input_is_one_line(arguments, words, capsys):
    features = [] if "--features" in arguments else ["--features", "x"]
    line = refused(capsys, "fit", "t.csv", *arguments, *features, "--quiet")
    assert all(word in line for word in words), line
    assert not Path("t_fit/training.npz").exists()


@pytest.mark.parametrize(
    ("cells", "words"),
    [("1|1.0|2|1", ["1.0", "one number"]), ("a|a|a|a", ["'a'", "alone"]), ("a||b|a", ["missing"])],
)
def test_odd_classes_are_refused(cells, words, capsys):
    lines = [f"{k},{cell}\n" for k, cell in enumerate(cells.split("|"))]
    Path("odd.csv").write_text("x,c\n" + "".join(lines))
    line = refused(capsys, "fit", "odd.csv", "--target", "c", "--classes", "--quiet")
    assert all(word in line for word in words), line


def test_a_class_that_was_not_there_needs_no_target_to_predict(capsys):
    run(capsys, "fit", *NAMES)
    Path("new.csv").write_text("wide,long\n0.1,0.0\n2.0,2.0\n")
    assert main(["predict", "t_fit", "new.csv"]) == PROVED
    assert len(capsys.readouterr().out.splitlines()) == 3


# ---------------------------------------------------------------- readers


def test_every_file_of_a_fit_predicts_alike(capsys):
    run(capsys, "fit", *CURVE)
    found = []
    for model in ("t_fit", "t_fit/training.npz", "t_fit/network.npz"):
        assert main(["predict", model, "t.csv"]) == PROVED
        found.append(capsys.readouterr().out)
    assert len({*found}) == 1
    values = np.array(found[0].split()[1:], float)
    network = rw.ReLUNetwork.load("t_fit/network.npz")
    np.testing.assert_array_equal(values, network(columns("x").astype(float))[:, 0])


def test_verify_and_show(capsys):
    _, fields, _ = run(capsys, "fit", *CURVE)
    code, checked, _ = run(capsys, "verify", "t_fit", "--json")
    assert (code, checked["verified"], checked["layers"]) == (PROVED, True, 2)
    code, shown, _ = run(capsys, "show", "t_fit", "--json")
    assert code == 0
    assert shown.items() <= fields.items()
    assert "found a network" in refused(capsys, "show", "t_fit/network.npz")


def test_a_fit_that_claims_nothing_is_not_verified(capsys):
    run(capsys, "fit", *CURVE, "--validation", "0.3")
    assert "nothing is claimed" in refused(capsys, "verify", "t_fit", code=REFUSED)


def test_changed_columns_are_refused(capsys):
    run(capsys, "fit", *CURVE)
    run(capsys, "fit", *CURVE, "--loss", "pinball", "--out", "other")
    path = Path("t_fit/columns.json")
    whole = path.read_text()
    for text in (whole.replace('"x"', '"long"'), Path("other/columns.json").read_text()):
        path.write_text(text)
        for command in (["predict", "t_fit", "t.csv"], ["verify", "t_fit"]):
            assert "columns.json" in refused(capsys, *command, code=REFUSED)


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 no more", b"no archive"])
def test_damaged_fits_are_refused(content, capsys):
    Path("t_fit").mkdir()
    Path("t_fit/training.npz").write_bytes(content)
    assert main(["predict", "t_fit", "t.csv"]) in (BAD_INPUT, REFUSED)
    assert main(["verify", "t_fit"]) == REFUSED
    assert "training.npz" in capsys.readouterr().err


def test_an_earlier_run_is_kept_or_goes_as_a_whole(capsys):
    solve = ["solve", "t.csv", "--target", "y", "--features", "x", "--out", "here", "--quiet"]
    assert main([*solve, "--no-picture"]) in (PROVED, PARTIAL)
    assert "trajectory.npz" in refused(capsys, "fit", *CURVE, "--out", "here")
    run(capsys, "fit", *CURVE, "--out", "here", "--force")
    assert {path.stem for path in Path("here").iterdir()} == {
        "training", "network", "columns", "summary",
    }  # fmt: skip
    assert "training.npz" in refused(capsys, *solve)
    assert main([*solve, "--no-picture", "--force"]) in (PROVED, PARTIAL)
    assert {path.stem for path in Path("here").iterdir()} == {"trajectory", "columns"}


def test_a_folder_with_a_walk_and_a_fit_is_asked_about(capsys):
    run(capsys, "fit", *CURVE)
    Path("t_fit/trajectory.npz").write_bytes(b"")
    assert "name the one" in refused(capsys, "predict", "t_fit", "t.csv")


# ---------------------------------------------------------------- Ctrl-C

INTERRUPT = """
import os, signal, sys, threading
import reluplex_walk as rw
from reluplex_walk.cli import commands
real = rw.train

def struck(*arguments, callback, **options):
    def told(progress):
        if progress.n_rounds == 3:
            os.kill(os.getpid(), signal.SIGINT)
    return real(*arguments, callback=told, **options)

rw.train = struck
sys.exit(commands.main(sys.argv[1:]))
"""


def test_ctrl_c_keeps_the_best_network_and_says_so():
    arguments = ["fit", *CURVE, "--rounds", "10000"]
    done = subprocess.run(
        [sys.executable, "-c", INTERRUPT, *arguments],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(Path(rw.__file__).parent.parent)},
    )
    assert done.returncode == INTERRUPTED, done.stderr
    fields = json.loads(done.stdout)
    assert fields["status"] == "interrupted"
    assert 3 <= fields["rounds"] < 10000
    saved = rw.TrainingFit.load("t_fit/training.npz")
    assert (saved.loss, saved.status) == (fields["loss"], "interrupted")
    assert fields["loss"] < fields["best_linear"]
    assert json.loads(Path("t_fit/summary.json").read_text()) == fields
