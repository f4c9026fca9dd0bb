"""``solve``, ``minimize`` and ``predict`` on tables: what is printed beside the loss, and files."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import reluplex_walk as rw
from reluplex_walk._errors import DamagedFileError
from reluplex_walk.cli import recipe_file
from reluplex_walk.cli.commands import main
from reluplex_walk.cli.output import BAD_INPUT, INTERRUPTED, PARTIAL, PROVED, REFUSED
from reluplex_walk.cli.problem import Problem
from reluplex_walk.cli.table import Recipe, TableOptions, read_table


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """A working folder with house prices and labels."""
    rng = np.random.default_rng(1)
    size, year = rng.integers(40, 300, 80), rng.integers(1950, 2020, 80)
    price = 3000 * size * (1 + 0.3 * (year > 2000)) + rng.integers(-40000, 40000, 80)
    kind = np.where(rng.uniform(size=80) < 0.5, "flat", "house")
    dear = np.where(price > np.median(price), "yes", "no")
    columns = zip(size, kind, year, price, dear, strict=True)
    lines = [";".join(map(str, cells)) for cells in columns]
    (tmp_path / "houses.csv").write_text("\n".join(["size;kind;year;price;dear", *lines]) + "\n")
    monkeypatch.chdir(tmp_path)
    return tmp_path


TABLE = ["houses.csv", "--sep", ";", "--no-picture", "--json"]
PRICE = [*TABLE, "--target", "price", "--drop", "dear", "--onehot", "kind", "--hidden", "4"]


def run(capsys, *arguments):
    """Exit code, JSON and notes of a command."""
    code = main(list(arguments))
    output = capsys.readouterr()
    return code, json.loads(output.out), output.err


def data():
    options = TableOptions(drop=["dear"], onehot=["kind"])
    options = options._replace(dialect=options.dialect._replace(sep=";"))
    return read_table("houses.csv", ["price"], options)


@pytest.mark.parametrize("seed", range(3))
def test_prices_end_below_a_constant_and_a_line(seed, capsys):
    code, fields, notes = run(capsys, "solve", *PRICE, "--seed", str(seed))
    assert code in (PROVED, PARTIAL)
    X, y, *_ = data()
    found = rw.baselines(X, y)
    assert (fields["best_constant"], fields["best_linear"]) == found
    assert list(fields).index("best_constant") == list(fields).index("loss") + 1
    assert fields["loss"] < found.linear
    assert notes == ""


@pytest.mark.parametrize("layer", [0, 1])
def test_start_is_no_worse_than_a_constant(layer):
    table = data()
    constant = rw.baselines(table.X, table.y).constant
    for seed in range(10):
        loss = Problem(table, (3, 2), layer, "l1", None, 0.1, "he", "fitted").loss(seed)
        assert loss(loss.theta) <= constant * 1.02
        values = loss.network.features(table.X, 1)
        assert ((values > 0).any(axis=0) & (values < values.max(axis=0)).any(axis=0)).all()


def test_targets_of_which_most_are_equal_leave_neurons_to_train():
    x = np.linspace(0.0, 1.0, 30)
    Path("zeros.csv").write_text("x,y\n" + "".join(f"{v},{int(v > 0.8)}\n" for v in x))
    table = read_table("zeros.csv", ["y"], TableOptions())
    loss = Problem(table, (4,), 0, "l1", None, 0.0, "uniform", "fitted").loss(0)
    assert (loss.network.weights[-1] != 0).all()
    assert main(["solve", "zeros.csv", "--target", "y", "--quiet", "--no-picture"]) in (0, 3)
    assert rw.Trajectory.load("zeros_walk/trajectory.npz").loss < 3.0


def test_a_walk_above_a_line_is_followed_by_one_from_the_line(capsys):
    Path("feet.csv").write_text("feet,metres,y\n10,3.048,1\n20,6.096,2\n30,9.144,1\n40,12.192,5\n")
    options = ["--target", "y", "--hidden", "2", "--no-picture", "--json"]
    for seed in range(4):
        code, fields, notes = run(
            capsys, "solve", "feet.csv", *options, "--force", "--seed", str(seed)
        )
        assert code == PROVED
        assert fields["loss"] <= fields["best_linear"] * (1.0 + 1e-9)
        assert "above" not in notes


def test_a_loss_above_a_constant_is_said_to_be(capsys):
    bad = [*PRICE, "--output", "random", "--max-pivots", "0"]
    code, _, notes = run(capsys, "solve", *bad, "--quiet")
    assert code == PARTIAL
    assert "above that of the best constant" in notes
    assert "best linear function" in notes
    assert "resume" in notes


def test_neurons_that_are_all_off_are_said_to_be(capsys):
    Path("far.csv").write_text("x,y\n-1000,1\n-2000,3\n-1500,2\n-1200,5\n")
    for seed in range(20):  # random weights > 0: off for every sample
        net = rw.ReLUNetwork.random([1, 1, 1], seed=seed)
        if net.weights[0][0, 0] > 0.1:
            break
    arguments = ["solve", "far.csv", "--target", "y", "--hidden", "1", "--output", "random"]
    _, fields, notes = run(capsys, *arguments, "--no-picture", "--json", "--seed", str(seed))
    assert fields["dead_neurons"] == 1
    assert "1 of 1 neurons of layer 0 are off for every sample" in notes


def test_restarts_keep_the_lowest(capsys):
    single = []
    for seed in (3, 4, 5):
        _, fields, _ = run(capsys, "solve", *PRICE, "--seed", str(seed), "--force")
        single.append(fields["loss"])
    _, fields, _ = run(capsys, "solve", *PRICE, "--seed", "3", "--restarts", "3", "--force")
    assert fields["walks"] == 3
    assert fields["loss"] == min(single)
    assert fields["seed"] == 3 + int(np.argmin(single))


def test_minimize_is_not_above_solve(capsys):
    _, solved, _ = run(capsys, "solve", *PRICE)
    code, fields, _ = run(capsys, "minimize", *PRICE, "--max-walks", "8", "--force")
    assert code in (PROVED, PARTIAL)
    assert fields["walks"] == 8
    assert min(fields["loss"], fields.get("lowest_not_proved", np.inf)) <= solved["loss"] * 1.001
    again = run(capsys, "minimize", *PRICE, "--max-walks", "8", "--force")[1]
    assert again["loss"] == fields["loss"]
    assert rw.Trajectory.load("houses_walk/trajectory.npz").loss == fields["loss"]


def test_labels(capsys):
    options = ["--target", "dear", "--labels", "no,yes", "--loss", "hinge", "--onehot", "kind"]
    _, fields, _ = run(capsys, "solve", *TABLE, *options, "--drop", "price", "--hidden", "3")
    assert fields["kind"] == "hinge"
    assert fields["accuracy"] > 0.8
    assert main(["predict", "houses_walk", "houses.csv", "--sep", ";"]) == PROVED
    header, *lines = capsys.readouterr().out.splitlines()
    assert header == "dear,dear (output)"
    truth = [line.split(";")[-1] for line in Path("houses.csv").read_text().splitlines()[1:]]
    right = np.mean([line.split(",")[0] == label for line, label in zip(lines, truth, strict=True)])
    assert right == fields["accuracy"]


def test_several_outputs_and_a_leaky_higher_layer(capsys):
    Path("two.csv").write_text("a,p,q\n" + "".join(f"{k},{k % 3},{k % 4}\n" for k in range(12)))
    options = ["--target", "p,q", "--negative-slope", "0.1", "--layer", "1", "--hidden", "3,2"]
    assert main(["solve", "two.csv", *options, "--quiet", "--no-picture"]) in (PROVED, PARTIAL)
    network = rw.Trajectory.load("two_walk/trajectory.npz").network
    assert network.widths == (1, 3, 2, 2)
    assert network.negative_slope == 0.1
    assert main(["predict", "two_walk", "two.csv", "--out", "p.csv"]) == PROVED
    found = np.loadtxt("p.csv", delimiter=",", skiprows=1)
    np.testing.assert_allclose(found, network(np.arange(12.0)[:, None]))
    assert Path("p.csv").read_text().startswith("p,q\n")
    assert main(["predict", "two_walk", "two.csv", "--out", "p.csv"]) == BAD_INPUT
    assert "--force" in capsys.readouterr().err


def test_predict_finds_columns_by_name(capsys):
    assert main(["solve", *PRICE, "--quiet"]) in (PROVED, PARTIAL)
    capsys.readouterr()
    traj = rw.Trajectory.load("houses_walk/trajectory.npz")
    Path("new.csv").write_text(
        "rowid,year,comment,kind,size\n1,1990,x,house,\n2,1990,,house,120\n3,2010,,flat,80\n"
    )
    assert main(["predict", "houses_walk", "new.csv", "--missing", "drop"]) == PROVED
    header, *lines = capsys.readouterr().out.split("\n")
    assert header == "price"
    assert lines[0] == '""' or lines[0] == ""
    expected = traj.network([[120.0, 1.0, 1990.0], [80.0, 0.0, 2010.0]])[:, 0]
    np.testing.assert_array_equal([float(line) for line in lines[1:3]], expected)
    for content, words in {
        "year,kind,size\n1990,villa,3\n": ["'villa'", "flat, house"],
        "year,kind,Size\n1990,flat,3\n": ["'size'", "mean 'Size'"],
        "year,kind,size\n1990,flat,\n": ["missing", "--missing drop"],
        "year;kind;size\n1990;flat;4\n": ["--sep ';'"],
    }.items():
        Path("new.csv").write_text(content)
        assert main(["predict", "houses_walk", "new.csv"]) == BAD_INPUT
        (line,) = capsys.readouterr().err.splitlines()
        assert all(word in line for word in words), line


def test_predict_by_a_network_without_names(capsys):
    network = rw.ReLUNetwork.random([2, 3, 1], seed=1)
    network.save("net.npz")
    Path("t.csv").write_text("b,a\n1,2\n3,4\n")
    assert main(["predict", "net.npz", "t.csv"]) == BAD_INPUT
    assert "--features" in capsys.readouterr().err
    assert main(["predict", "net.npz", "t.csv", "--features", "a,b"]) == PROVED
    found = [float(word) for word in capsys.readouterr().out.split()[1:]]
    np.testing.assert_array_equal(found, network([[2.0, 1.0], [4.0, 3.0]])[:, 0])


@pytest.mark.parametrize(
    "text", ["", "{", "[]", '{"inputs": [], "targets": [], "labels": []}', "\xff", "[" * 10**5]
)
def test_damaged_columns(text, capsys):
    assert main(["solve", *PRICE, "--quiet"]) in (PROVED, PARTIAL)
    capsys.readouterr()
    Path("houses_walk/columns.json").write_bytes(text.encode("latin-1"))
    code = main(["predict", "houses_walk", "houses.csv", "--sep", ";"])
    assert code == REFUSED
    (line,) = capsys.readouterr().err.splitlines()
    assert "columns.json" in line


READERS = {
    "predict": ["predict", "houses_walk", "houses.csv", "--sep", ";"],
    "verify": ["verify", "houses_walk"],
    "resume": ["resume", "houses_walk", "--no-picture"],
}


def refused(command, capsys):
    """The one line by which a command refuses ``columns.json``."""
    before = Path("houses_walk/trajectory.npz").read_bytes()
    assert main(READERS[command]) == REFUSED
    output = capsys.readouterr()
    (line,) = output.err.splitlines()
    assert "columns.json" in line
    assert output.out == ""
    assert Path("houses_walk/trajectory.npz").read_bytes() == before
    return line


@pytest.mark.parametrize("command", READERS)
def test_changed_columns_are_refused(command, capsys):
    assert main(["solve", *PRICE, "--quiet"]) in (PROVED, PARTIAL)
    capsys.readouterr()
    path = Path("houses_walk/columns.json")
    text = path.read_text()
    fields = json.loads(text)
    for name in fields:
        path.write_text(json.dumps({k: v for k, v in fields.items() if k != name}))
        refused(command, capsys)
    for old, new in [("size", "year"), ("flat", "loft"), ('"price"', '"dear"'), ("X:", "y:")]:
        assert old in text
        path.write_text(text.replace(old, new))
        refused(command, capsys)
    path.write_text(text)
    assert main(READERS[command]) == PROVED


@pytest.mark.parametrize("command", READERS)
def test_columns_of_another_run_are_refused(command, capsys):
    assert main(["solve", *PRICE, "--quiet"]) in (PROVED, PARTIAL)
    other = [*PRICE, "--features", "year,kind,size", "--out", "other", "--quiet"]
    at = other.index("--drop")
    del other[at : at + 2]
    assert main(["solve", *other]) in (PROVED, PARTIAL)
    capsys.readouterr()
    Path("houses_walk/columns.json").write_bytes(Path("other/columns.json").read_bytes())
    assert "another trajectory" in refused(command, capsys)


def test_flipped_bits_of_columns_are_refused(tmp_path):
    recipe = Recipe((("größe", None), ("kind", ("a", "b"))), ("y",), ("no", "yes"))
    whole = recipe_file.to_text(recipe, "kind=l1 X=12ab").encode()
    path = tmp_path / "columns.json"
    path.write_bytes(whole)
    assert recipe_file.read(path, "kind=l1 X=12ab") == recipe
    for k in range(8 * len(whole)):
        damaged = bytearray(whole)
        damaged[k // 8] ^= 1 << k % 8
        path.write_bytes(damaged)
        with pytest.raises(DamagedFileError, match=r"columns\.json"):
            recipe_file.read(path, "kind=l1 X=12ab")


def test_files_of_an_earlier_run_go(folder):
    assert main(["solve", *PRICE, "--quiet", "--graph"]) in (PROVED, PARTIAL)
    assert Path("houses_walk/graph.graphml").exists()
    assert main(["solve", *PRICE, "--quiet", "--force"]) in (PROVED, PARTIAL)
    assert {path.name for path in Path("houses_walk").iterdir()} == {
        "trajectory.npz",
        "columns.json",
    }


INTERRUPT = """
import os, signal, sys, threading, time
import numpy as np
import reluplex_walk as rw
from reluplex_walk.cli import commands
name, real = sys.argv[1], getattr(rw, sys.argv[1])

def delayed(*arguments, **options):
    def strike():
        time.sleep(1.0)
        sys.stderr.write(f"struck {time.time()}\\n")  # in one piece, beside what others write
        os.kill(os.getpid(), signal.SIGINT)
    threading.Thread(target=strike, daemon=True).start()
    return real(*arguments, **options)

setattr(rw, name, delayed)
code = commands.main(sys.argv[2:])
sys.stderr.write(f"ended {time.time()}\\n")
sys.exit(code)
"""


LONG = ["--target", "y", "--hidden", "20", "--json"]
KEYS = ("struck", "ended")


@pytest.mark.parametrize(
    ("function", "command"),
    [("walk", ["solve", "--restarts", "999"]), ("minimize", ["minimize", "--time-limit", "99"])],
)
def test_ctrl_c_saves_what_was_found(function, command):
    rng = np.random.default_rng(0)
    rows = np.column_stack([rng.normal(size=(1000, 4)), rng.normal(size=1000)])
    np.savetxt("long.csv", rows, delimiter=",", header="a,b,c,d,y", comments="")
    root = Path(rw.__file__).parent.parent
    done = subprocess.run(
        [sys.executable, "-c", INTERRUPT, function, *command, "long.csv", *LONG],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(root)},
    )
    assert done.returncode == INTERRUPTED, done.stderr
    words = [line.split() for line in done.stderr.splitlines()]
    times = {word[0]: float(word[1]) for word in words if word and word[0] in KEYS}
    assert times["ended"] - times["struck"] < 20.0  # generous: machines are busy
    files = {path.name for path in Path("long_walk").iterdir()}
    assert {"trajectory.npz", "columns.json"} <= files
    saved = rw.Trajectory.load("long_walk/trajectory.npz")
    assert json.loads(done.stdout)["loss"] == saved.loss


def test_ctrl_c_while_drawing_leaves_the_picture_out(monkeypatch, capsys):
    def drawn(*arguments):
        raise KeyboardInterrupt

    monkeypatch.setattr("reluplex_walk.plotting.overview", drawn)
    arguments = [word for word in PRICE if word != "--no-picture"]
    code, _, notes = run(capsys, "solve", *arguments)
    assert code in (PROVED, PARTIAL)
    assert "is saved" in notes
    assert rw.Trajectory.load("houses_walk/trajectory.npz").n_pivots > 0
