"""ReLUNetwork: values against a loop over neurons, files, equality, bad input."""

import numpy as np
import pytest

import reluplex_walk as rw


@pytest.mark.parametrize("slope", [0.0, 0.2])
def test_call_against_a_loop_over_neurons(slope):
    network = rw.ReLUNetwork.random([3, 4, 2, 2], seed=1, negative_slope=slope)
    X = np.random.default_rng(0).normal(size=(7, 3))
    expected = []
    for x in X:
        for layer, (w, b) in enumerate(zip(network.weights, network.biases, strict=True)):
            x = [sum(w[m, k] * x[k] for k in range(len(x))) + b[m] for m in range(len(b))]
            if layer < 2:
                x = [v if v > 0 else slope * v for v in x]
        expected.append(x)
    np.testing.assert_allclose(network(X), expected, rtol=1e-13)


def test_initialisations():
    uniform = rw.ReLUNetwork.random([50, 40, 1], seed=0)
    assert np.abs(uniform.weights[0]).max() <= 1
    assert uniform.biases[0].any()
    he = rw.ReLUNetwork.random([500, 400, 1], seed=0, init="he")
    assert np.var(he.weights[0]) == pytest.approx(2 / 500, rel=0.02)
    assert not he.biases[0].any()
    xavier = rw.ReLUNetwork.random([500, 400, 1], seed=0, init="xavier")
    bound = np.sqrt(6 / 900)
    assert 0.99 * bound < np.abs(xavier.weights[0]).max() <= bound
    assert rw.ReLUNetwork.random([2, 2], seed=3) == rw.ReLUNetwork.random([2, 2], seed=3)
    assert rw.ReLUNetwork.random([2, 2], seed=3) != rw.ReLUNetwork.random([2, 2], seed=4)


def test_save_and_load(tmp_path):
    network = rw.ReLUNetwork.random([3, 4, 2], seed=0, negative_slope=0.1)
    path = tmp_path / "network.npz"
    network.save(path)
    assert rw.ReLUNetwork.load(path) == network
    assert hash(rw.ReLUNetwork.load(path)) == hash(network)
    with pytest.raises(FileExistsError, match="force"):
        network.save(path)
    network.save(path, force=True)


def test_immutable_and_readable():
    weights = [np.ones((2, 3)), np.ones((1, 2))]
    network = rw.ReLUNetwork(weights, [np.zeros(2), np.zeros(1)])
    weights[0][0, 0] = 5.0
    assert network.weights[0][0, 0] == 1.0
    with pytest.raises(ValueError, match="read-only"):
        network.weights[0][0, 0] = 2.0
    assert repr(network) == "ReLUNetwork(3-2-1)"
    changed = network.with_layer(0, np.zeros((2, 4)))
    assert not changed.weights[0].any()
    assert network.weights[0].any()


@pytest.mark.parametrize(
    ("weights", "biases", "slope", "message"),
    [
        ([], [], 0.0, "weights: expected at least one layer"),
        ([[[1.0]]], [], 0.0, r"biases: expected one per layer \(1\), found 0"),
        ([[[1.0, np.nan]]], [[0.0]], 0.0, r"weights\[0\]: expected finite numbers, found nan"),
        ([[[1.0]], [[1.0, 1.0]]], [[0.0], [0.0]], 0.0, r"weights\[1\]: .*\(n_out, 1\)"),
        ([[[1.0]]], [[0.0, 0.0]], 0.0, r"biases\[0\]: expected an array of shape \(1,\)"),
        ([[[1.0]]], [[0.0]], 1.0, r"negative_slope: expected a number in \[0, 1\)"),
        ([[[1.0]]], [[0.0]], np.inf, "negative_slope: expected a finite number"),
        ([[["a"]]], [[0.0]], 0.0, r"weights\[0\]: expected real numbers"),
        ([[[1j]]], [[0.0]], 0.0, r"weights\[0\]: expected real numbers"),
        ([[[1.0], [1.0, 2.0]]], [[0.0]], 0.0, r"weights\[0\]"),
    ],
)
def test_bad_parameters(weights, biases, slope, message):
    with pytest.raises((ValueError, TypeError), match=message):
        rw.ReLUNetwork(weights, biases, slope)


def test_bad_inputs_and_widths():
    network = rw.ReLUNetwork.random([2, 1])
    with pytest.raises(ValueError, match=r"X: .*\(n, 2\), found shape \(1, 3\)"):
        network([[1.0, 2.0, 3.0]])
    with pytest.raises(ValueError, match="widths"):
        rw.ReLUNetwork.random([2])
    with pytest.raises(ValueError, match=r"widths\[1\]"):
        rw.ReLUNetwork.random([2, 0, 1])
    with pytest.raises(ValueError, match="init: expected one of uniform, he, xavier"):
        rw.ReLUNetwork.random([2, 1], init="magic")
    with pytest.raises(ValueError, match=r"layer: expected an integer in 0\.\.0, found 3"):
        network.layer_parameters(3)


def test_files_of_other_origin_and_version(tmp_path):
    path = tmp_path / "x.npz"
    with pytest.raises(FileNotFoundError, match="no file"):
        rw.ReLUNetwork.load(path)
    path.write_bytes(b"not an archive")
    with pytest.raises(ValueError, match="expected a reluplex_walk network file"):
        rw.ReLUNetwork.load(path)
    np.savez(path, a=np.zeros(2))
    with pytest.raises(ValueError, match="other origin"):
        rw.ReLUNetwork.load(path)
    np.savez(path, header=np.array(["reluplex_walk network", "999"]))
    with pytest.raises(ValueError, match="expected file format 3, found format 999"):
        rw.ReLUNetwork.load(path)
