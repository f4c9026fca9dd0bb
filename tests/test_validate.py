"""The checks at the border: what they let through, and the words they refuse with."""

import numpy as np
import pytest

import reluplex_walk as rw
from reluplex_walk._validate import function, instance, positive


def test_positive():
    assert positive("size", 3) == 3.0
    assert isinstance(positive("size", np.float32(0.5)), float)
    for value in (0, -1.5):
        with pytest.raises(ValueError, match=rf"^size: expected a number > 0, found {value}$"):
            positive("size", value)
    with pytest.raises(ValueError, match=r"^size: expected a finite number, found inf$"):
        positive("size", np.inf)
    with pytest.raises(TypeError, match=r"^size: expected a number, found '1'$"):
        positive("size", "1")


def test_instance():
    instance("loss", rw.LayerLoss(rw.ReLUNetwork.random([1, 1]), [[0.0]], [0.0]), rw.LayerLoss)
    with pytest.raises(TypeError, match=r"^loss: expected a LayerLoss, found float$"):
        instance("loss", 1.0, rw.LayerLoss)


def test_function():
    function("callback", None)
    function("callback", print)
    with pytest.raises(TypeError, match=r"^callback: expected a callable, found int$"):
        function("callback", 3)
