"""Figures that a test opened are closed after it."""

import pytest


@pytest.fixture(autouse=True)
def close_figures():
    yield
    plt = pytest.importorskip("matplotlib.pyplot")
    plt.close("all")
