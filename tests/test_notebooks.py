"""The notebooks run from top to bottom, and are committed as they run, with their pictures."""

from pathlib import Path

import pytest

import reluplex_walk as rw

nbformat = pytest.importorskip("nbformat")
nbclient = pytest.importorskip("nbclient")

FOLDER = Path(__file__).parent.parent / "notebooks"
NOTEBOOKS = sorted(FOLDER.glob("*.ipynb"))


def outputs(notebook):
    """The kinds of output that each code cell shows; text may come in several parts."""
    shown = []
    for cell in notebook.cells:
        if cell.cell_type == "code":
            kinds = [sorted(each.get("data", {"text": None})) for each in cell.outputs]
            pairs = zip(kinds, [None, *kinds], strict=False)
            shown.append([kind for kind, before in pairs if not kind == before == ["text"]])
    return shown


def test_there_are_notebooks():
    assert NOTEBOOKS


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_notebook_runs_and_shows_what_is_committed(path, monkeypatch):
    committed = nbformat.read(path, as_version=4)
    assert path.stat().st_size < 600_000
    assert "image/png" in str(outputs(committed))
    monkeypatch.delenv("MPLBACKEND", raising=False)  # that of the notebook
    monkeypatch.setenv("PYTHONPATH", str(Path(rw.__file__).parent.parent))
    client = nbclient.NotebookClient(
        nbformat.from_dict(committed), timeout=120, kernel_name="python3"
    )
    assert outputs(client.execute()) == outputs(committed)
