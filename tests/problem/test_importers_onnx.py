"""Models in the ONNX format come in and go out with the same outputs; other nodes are named."""

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

import reluplex_walk as rw

onnx = pytest.importorskip("onnx")
runtime = pytest.importorskip("onnxruntime")
helper, to_tensor = onnx.helper, onnx.numpy_helper.from_array


def outputs(path, X):
    session = runtime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    return session.run(None, {session.get_inputs()[0].name: X})[0]


def save(path, nodes, constants, shape, dtype=np.float32, outputs=1):
    """A model of `nodes`, whose values are x, v0, v1, ...; the last one goes out."""
    kind = helper.np_dtype_to_tensor_dtype(np.dtype(dtype))
    ends = [
        helper.make_tensor_value_info("x", kind, ["n", *shape]),
        helper.make_tensor_value_info(nodes[-1].output[0], kind, ["n", "k"]),
    ]
    tensors = [to_tensor(np.asarray(value), name) for name, value in constants.items()]
    graph = helper.make_graph(nodes, "test", ends[:1], ends[1:] * outputs, tensors)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 14)])
    model.ir_version = 8
    onnx.save(model, str(path))
    return path


def chain(*steps):
    """Nodes one after the other: (op, constants..., {attributes})."""
    nodes, value = [], "x"
    for k, (op, *rest) in enumerate(steps):
        more = rest.pop() if rest and isinstance(rest[-1], dict) else {}
        nodes.append(helper.make_node(op, [value, *rest], [f"v{k}"], name=f"node{k}", **more))
        value = f"v{k}"
    return nodes


@settings(max_examples=25, deadline=None)
@given(
    st.lists(st.integers(1, 6), min_size=2, max_size=5),
    st.integers(0, 1000),
    st.sampled_from([0.0, 0.1]),
)
def test_there_and_back_it_is_the_same_network(tmp_path_factory, widths, seed, slope):
    folder = tmp_path_factory.mktemp("onnx")
    slope = slope if len(widths) > 2 else 0.0  # without an activation it means nothing
    network = rw.ReLUNetwork.random(widths, seed=seed, negative_slope=slope)
    network.to_onnx(folder / "a.onnx")
    again = rw.ReLUNetwork.from_onnx(folder / "a.onnx")
    assert again == network
    again.to_onnx(folder / "b.onnx")
    X = np.random.default_rng(seed).normal(size=(9, widths[0]))
    there, back = (outputs(folder / name, X) for name in ("a.onnx", "b.onnx"))
    assert np.array_equal(there, back)
    assert np.abs(there - network(X)).max() < 1e-12 * max(1.0, np.abs(there).max())


def test_matmul_and_add_normalised_inputs_and_reshapes(tmp_path):
    rng = np.random.default_rng(0)
    numbers = {
        "mean": rng.normal(size=6), "spread": rng.uniform(1, 2, 6),
        "w1": rng.normal(size=(6, 5)), "b1": rng.normal(size=5), "w2": rng.normal(size=(5, 2)),
        "b2": rng.normal(size=(1, 2)),
    }  # fmt: skip
    constants = {name: value.astype(np.float32) for name, value in numbers.items()}
    constants["flat"] = np.array([-1, 6])
    nodes = chain(
        ("Reshape", "flat"), ("Sub", "mean"), ("Div", "spread"), ("MatMul", "w1"), ("Add", "b1"),
        ("LeakyRelu", {"alpha": 0.125}), ("Dropout",), ("MatMul", "w2"), ("Add", "b2"),
    )  # fmt: skip
    path = save(tmp_path / "m.onnx", nodes, constants, [2, 3])
    network = rw.ReLUNetwork.from_onnx(path)
    X = rng.normal(size=(20, 2, 3)).astype(np.float32)
    assert (network.widths, network.negative_slope) == ((6, 5, 2), 0.125)
    assert np.abs(network(X.reshape(20, -1)) - outputs(path, X)).max() < 1e-5


def test_images_batch_norm_and_pools(tmp_path):
    rng = np.random.default_rng(1)
    constants = {
        "w": rng.normal(size=(3, 2, 3, 3)), "b": rng.normal(size=3), "scale": rng.normal(size=3),
        "shift": rng.normal(size=3), "mean": rng.normal(size=3), "var": rng.uniform(1, 2, 3),
        "out": rng.normal(size=(3, 3)), "c": rng.normal(size=3),
    }  # fmt: skip
    constants = {name: value.astype(np.float32) for name, value in constants.items()}
    X = rng.normal(size=(20, 2, 6, 6)).astype(np.float32)
    for pool in (
        ("MaxPool", {"kernel_shape": [2, 2], "strides": [2, 2]}),
        ("MaxPool", {"kernel_shape": [3, 3], "strides": [2, 2], "auto_pad": "SAME_UPPER"}),
        ("AveragePool", {"kernel_shape": [2, 2], "pads": [1, 1, 0, 0]}),
    ):
        nodes = chain(
            ("Conv", "w", "b", {"pads": [1, 1, 1, 1], "strides": [1, 1]}),
            ("BatchNormalization", "scale", "shift", "mean", "var"),
            ("Relu",), pool, ("GlobalAveragePool",), ("Flatten",), ("Gemm", "out", "c"),
        )  # fmt: skip
        path = save(tmp_path / "m.onnx", nodes, constants, [2, 6, 6])
        network = rw.ReLUNetwork.from_onnx(path)
        assert np.abs(network(X.reshape(20, -1)) - outputs(path, X)).max() < 1e-5


def test_gemm_with_factors(tmp_path):
    rng = np.random.default_rng(2)
    constants = {"w": rng.normal(size=(4, 3)), "b": rng.normal(size=())}
    more = {"alpha": 2.0, "beta": 0.5, "transB": 1}
    path = save(tmp_path / "m.onnx", chain(("Gemm", "w", "b", more)), constants, [3], float)
    X = rng.normal(size=(5, 3))
    assert np.abs(rw.ReLUNetwork.from_onnx(path)(X) - outputs(path, X)).max() < 1e-12


ONE = {"w": np.eye(2, dtype=np.float32)}


@pytest.mark.parametrize(
    ("step", "word"),
    [
        (("Tanh",), "Tanh"),
        (("Sigmoid",), "logits"),
        (("Softmax",), "logits"),
        (("Gelu",), "Gelu"),
        (("Elu",), "Elu"),
        (("Abs",), "Abs"),
        (("Gemm", "w", {"transA": 1}), "transA"),
        (("Conv", "w"), "images"),
        (("Reshape", "shape"), "in a row"),
    ],
)
def test_nodes_that_cannot_be_read_are_named(tmp_path, monkeypatch, step, word):
    monkeypatch.setattr(onnx.checker, "check_model", lambda model: None)  # some are of other sets
    constants = {**ONE, "shape": np.array([1, 1, 2])}
    path = save(tmp_path / "m.onnx", chain(("MatMul", "w"), step), constants, [2])
    with pytest.raises(ValueError, match=word) as error:
        rw.ReLUNetwork.from_onnx(path)
    assert f"node1 ({step[0]})" in str(error.value)


def test_branches_and_several_outputs_are_refused(tmp_path):
    nodes = [
        helper.make_node("MatMul", ["x", "w"], ["a"], name="first"),
        helper.make_node("Relu", ["a"], ["b"]),
        helper.make_node("Add", ["a", "b"], ["c"], name="both"),
    ]
    with pytest.raises(ValueError, match=r"both \(Add\).*branch"):
        rw.ReLUNetwork.from_onnx(save(tmp_path / "a.onnx", nodes, ONE, [2]))
    nodes[2] = helper.make_node("Add", ["b", "b"], ["c"], name="twice")
    with pytest.raises(ValueError, match="two"):
        rw.ReLUNetwork.from_onnx(save(tmp_path / "b.onnx", nodes, ONE, [2]))


def test_other_files_are_refused(tmp_path):
    with pytest.raises(FileNotFoundError):
        rw.ReLUNetwork.from_onnx(tmp_path / "none.onnx")
    (tmp_path / "text.onnx").write_text("no model")
    with pytest.raises(ValueError, match="ONNX"):
        rw.ReLUNetwork.from_onnx(tmp_path / "text.onnx")
    network = rw.ReLUNetwork.random([1, 2, 1])
    network.to_onnx(tmp_path / "m.onnx")
    with pytest.raises(FileExistsError, match="force"):
        network.to_onnx(tmp_path / "m.onnx")
