"""The documentation keeps up: every public object is on a page, every file it names is there."""

import re
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

import reluplex_walk as rw
from reluplex_walk import plotting

ROOT = Path(__file__).parent.parent
PAGES = [ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]


def documented() -> Counter[str]:
    """Full names of the objects on the pages of the API."""
    names: Counter[str] = Counter()
    for page in (ROOT / "docs" / "api").glob("*.rst"):
        text = page.read_text(encoding="utf-8")
        module = re.findall(r"currentmodule:: (\S+)", text)
        for name in re.findall(r"\.\. auto(?:class|function|data):: (\S+)", text):
            full = name if name.startswith("reluplex_walk.") else f"{module[0]}.{name}"
            names[full] += 1
    return names


def test_every_public_object_is_on_one_page():
    found = documented()
    modules = {
        "chains": rw.chains,
        "activations": rw.activations,
        "constraints": rw.constraints,
        "datasets": rw.datasets,
        "density": rw.density,
        "glass": rw.glass,
        "measures": rw.measures,
        "plotting": plotting,
        "taylor": rw.taylor,
        "testing": rw.testing,
    }
    public = {f"reluplex_walk.{name}" for name in {*rw.__all__} - {*modules, "__version__"}}
    public |= {
        f"reluplex_walk.{name}.{each}"
        for name, module in modules.items()
        for each in module.__all__
    }
    public |= {"reluplex_walk.torch.Alice"}  # of an extra
    public |= {f"reluplex_walk.estimators.{name}" for name in rw.estimators.__all__}
    assert {name for name in public if found[name] != 1} == set()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_files_named_exist(page):
    named = re.findall(r"`(\w+/[\w/.-]*)`", page.read_text(encoding="utf-8"))
    missing = [
        name
        for name in named
        if not (ROOT / name).exists() and not (ROOT / "reluplex_walk" / name).exists()
    ]
    assert missing == []


def blocks(page):
    text = (ROOT / "docs" / page).read_text(encoding="utf-8")
    return re.findall(r"```python\n(.*?)```", text, re.DOTALL)


def code(page):
    (block,) = blocks(page)
    return block


def test_first_example_runs(capsys):
    exec(code("index.md"), {})
    assert "LOCAL_MINIMUM" in capsys.readouterr().out


def test_examples_of_alice_run():
    numpy_example, torch_example = blocks("alice.md")
    exec(numpy_example, {})
    pytest.importorskip("torch")
    exec(torch_example, {})


def test_example_of_glass_runs(capsys):
    exec(code("glass.md"), {})
    assert "MeanOverRms" in capsys.readouterr().out


def test_examples_of_topology_run(capsys):
    known: dict = {}
    for block in blocks("topology.md"):
        exec(block, known)
    assert "level 8.158, 0.568 above" in capsys.readouterr().out
    assert known["found"].exact


def test_example_of_vanishing_runs():
    exec(code("vanishing.md"), {})


def test_examples_of_estimators_run():
    known: dict = {}
    for block in blocks("estimators.md"):
        exec(block, known)


def test_example_of_taylor_runs(capsys):
    exec(code("taylor.md"), {})
    assert "Exploration(" in capsys.readouterr().out


def test_examples_of_quantile_run(capsys):
    pytest.importorskip("formulaic")
    known: dict = {}
    for block in blocks("quantile.md"):
        exec(block, known)
    assert "81.482" in capsys.readouterr().out


def test_examples_of_certify_run(capsys):
    known: dict = {}
    for block in blocks("certify.md"):
        exec(block, known)
    assert known["better"].is_local_minimum
    assert known["whole"].status.proved
    assert "not a local minimum of layer 0" in capsys.readouterr().out


def test_example_of_models_runs(tmp_path, monkeypatch):
    for extra in ("onnx", "sklearn"):
        pytest.importorskip(extra)
    monkeypatch.chdir(tmp_path)
    known: dict = {}
    exec(code("models_in_and_out.md"), known)
    assert known["check"].end.loss < known["check"].loss


def test_example_of_whole_networks_runs():
    known: dict = {}
    exec(code("whole_networks.md"), known)
    weights = [sum(np.abs(w).sum() for w in known[k].network.weights) for k in ("fit", "small")]
    assert weights[1] < weights[0]
    assert known["upper"].certified


def test_examples_of_clusters_run(tmp_path, monkeypatch):
    for extra in ("loky", "pyarrow", "filelock", "distributed"):
        pytest.importorskip(extra)
    monkeypatch.chdir(tmp_path)
    alone, dask, slurm, kubernetes = blocks("cluster.md")
    known: dict = {}
    exec(alone, known)
    exec(dask, known)
    assert len(known["more"]) == 90
    for block in (slurm, kubernetes):  # which need a cluster
        compile(block, "cluster.md", "exec")


def test_example_of_a_regression_test_runs():
    exec(code("stable.md"), {})


def test_every_member_of_the_files_of_fits_is_described(tmp_path):
    from tests.regression.test_fit_file import BESIDE, FITS

    page = (ROOT / "docs" / "certificate-format.md").read_text(encoding="utf-8")
    for kind in ("formula", "both", "together", "sparse"):
        ({**FITS, **BESIDE})[kind]().save(tmp_path / "fit.npz", force=True)
        with np.load(tmp_path / "fit.npz") as members:
            names = [re.sub(r"_\d+$", "_K", name) for name in members]
        assert [name for name in names if f"`{name}`" not in page and "index" not in name] == []


def test_every_column_of_an_ensemble_is_described(tmp_path):
    parquet = pytest.importorskip("pyarrow.parquet")
    pytest.importorskip("filelock")
    loss = rw.LayerLoss(rw.ReLUNetwork.random([1, 2, 1]), [[0.0], [1.0], [2.0]], [0.0, 1.0, 0.0])
    rw.ensemble(loss, 3, out=tmp_path / "walks")
    page = (ROOT / "docs" / "certificate-format.md").read_text(encoding="utf-8")
    for part in (tmp_path / "walks").glob("*/part-*.parquet"):
        names = parquet.read_schema(part).names
        assert "seed" in names
        assert [name for name in names if f"`{name}`" not in page] == []
    table = (ROOT / "docs" / "cluster.md").read_text(encoding="utf-8")
    files = {each.name for each in (tmp_path / "walks").iterdir()} - {".lock"}
    assert [name for name in files if f"`{name}" not in table] == []


def test_every_member_of_a_file_is_described(tmp_path):
    loss = rw.LayerLoss(rw.ReLUNetwork.random([1, 2, 1]), [[0.0], [1.0], [2.0]], [0.0, 1.0, 0.0])
    rw.walk(loss).save(tmp_path / "walk.npz")
    page = (ROOT / "docs" / "certificate-format.md").read_text(encoding="utf-8")
    with np.load(tmp_path / "walk.npz") as members:
        names = [re.sub(r"_\d+$", "_L", name.removeprefix("certificate_")) for name in members]
    assert [name for name in names if f"`{name}`" not in page] == []
