"""Models in the ONNX format as networks, and back (extra ``onnx``)."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..._whole import whole_file
from ..network import ReLUNetwork
from .chain import Chain
from .convolution import Window, average, convolve, image_of, largest

Floats = NDArray[np.float64]

_OPSET = 14  # operations in double precision, which onnxruntime has
_IR = 8  # version of the format that goes with it


def read(path: str | Path) -> ReLUNetwork:
    """The network of the model at `path`."""
    onnx = _onnx()
    source = Path(path)
    if not source.is_file():
        raise FileNotFoundError(f"path: no file at {source}")
    try:
        model = onnx.load(str(source))
        onnx.checker.check_model(model)
    except Exception as error:  # protobuf and ONNX raise kinds of their own
        text = " ".join(str(error).split())[:200]
        raise ValueError(f"path: expected an ONNX model, found {source} ({text})") from None
    return _Graph(model.graph, onnx).network()


def write(network: ReLUNetwork, path: str | Path, force: bool) -> None:
    """Write the network as Gemm and Relu nodes of float64; leaky ones as Mul and Max."""
    onnx = _onnx()
    target = Path(path)
    if target.exists() and not force:
        raise FileExistsError(f"path: {target} exists; give force=True to overwrite it")
    helper, double = onnx.helper, onnx.TensorProto.DOUBLE
    slope, nodes, constants, value = network.negative_slope, [], [], "input"
    if slope:
        constants.append(onnx.numpy_helper.from_array(np.array(slope), "slope"))
    for layer, (w, b) in enumerate(zip(network.weights, network.biases, strict=True)):
        if layer:
            hidden = f"hidden_{layer}"
            if slope:  # max(z, slope z): LeakyRelu keeps its slope in single precision
                nodes.append(helper.make_node("Mul", [value, "slope"], [f"leak_{layer}"]))
                nodes.append(helper.make_node("Max", [value, f"leak_{layer}"], [hidden]))
            else:
                nodes.append(helper.make_node("Relu", [value], [hidden]))
            value = hidden
        names = f"weight_{layer}", f"bias_{layer}"
        constants += [onnx.numpy_helper.from_array(np.ascontiguousarray(part), name)
                      for part, name in zip((w, b), names, strict=True)]  # fmt: skip
        last = layer == network.n_layers - 1
        after = "output" if last else f"affine_{layer}"
        nodes.append(helper.make_node("Gemm", [value, *names], [after], transB=1))
        value = after
    shapes = zip(("input", "output"), (network.widths[0], network.widths[-1]), strict=True)
    ends = [helper.make_tensor_value_info(name, double, ["n", size]) for name, size in shapes]
    graph = helper.make_graph(nodes, "reluplex_walk", ends[:1], ends[1:], constants)
    opset = helper.make_opsetid("", _OPSET)
    model = helper.make_model(graph, opset_imports=[opset], producer_name="reluplex_walk")
    model.ir_version = _IR
    onnx.checker.check_model(model)
    with whole_file(target) as stream:
        stream.write(model.SerializeToString())


def _onnx() -> Any:
    try:
        import onnx
        import onnx.checker
        import onnx.helper
        import onnx.numpy_helper
    except ImportError:
        raise ImportError(
            'models in the ONNX format need onnx: pip install "reluplex_walk[onnx]"'
        ) from None
    return onnx


class _Graph:
    """A chain of nodes, from the one input to the one output."""

    def __init__(self, graph: Any, onnx: Any) -> None:
        self.graph, self.onnx = graph, onnx
        self.constants: dict[str, NDArray] = {
            each.name: onnx.numpy_helper.to_array(each) for each in graph.initializer
        }
        inputs = [each for each in graph.input if each.name not in self.constants]
        if len(inputs) != 1 or len(graph.output) != 1:
            raise ValueError(
                f"path: expected a model with one input and one output, found {len(inputs)} and "
                f"{len(graph.output)}"
            )
        self.value = inputs[0].name  # what the chain has come to
        sizes = [each.dim_value for each in inputs[0].type.tensor_type.shape.dim][1:]
        self.chain = Chain(sizes if sizes and all(sizes) else None)

    def network(self) -> ReLUNetwork:
        nodes = list(self.graph.node)
        while nodes:
            node = nodes.pop(0)
            name = f"{node.name or node.output[0]} ({node.op_type})"
            if self.value not in node.input:
                self._constant(name, node)
            elif node.op_type == "Mul" and nodes and self._leaky(name, node, nodes[0]):
                self.value = nodes.pop(0).output[0]
            else:
                others = [each for each in node.input if each not in (self.value, "")]
                if list(node.input).count(self.value) != 1:
                    raise ValueError(f"{name}: expected one use of each value, found two")
                self._node(name, node, [self._of(name, each) for each in others])
                self.value = node.output[0]
        if self.value != self.graph.output[0].name:
            raise ValueError(f"path: expected nodes one after the other up to the output, found "
                             f"that {self.value} leads no further")  # fmt: skip
        return self.chain.network()

    def _leaky(self, name: str, node: Any, after: Any) -> bool:
        """Whether two nodes are max(z, slope z); then it is taken."""
        pair = {self.value, node.output[0]}
        if after.op_type != "Max" or set(after.input) != pair:
            return False
        (factor,) = (self._of(name, each) for each in node.input if each != self.value)
        if factor.size != 1 or not 0.0 <= float(factor.item()) < 1.0:
            raise ValueError(f"{name}: expected a slope in [0, 1), found {factor}")
        self.chain.activation(name, float(factor.item()))
        return True

    def _of(self, name: str, value: str) -> NDArray:
        """A constant; ValueError if it is none: then the graph has branches."""
        if value not in self.constants:
            raise ValueError(f"{name}: expected nodes one after the other, found a branch: {value}")
        return self.constants[value]

    def _constant(self, name: str, node: Any) -> None:
        """A node that only constants go into."""
        given = _attributes(node, self.onnx)
        if node.op_type == "Constant" and "value" in given:
            found = self.onnx.numpy_helper.to_array(given["value"])
        elif node.op_type in ("Identity", "Cast"):
            found = self._of(name, node.input[0])
        elif node.op_type == "Transpose":
            found = np.transpose(self._of(name, node.input[0]), given.get("perm"))
        else:
            raise ValueError(f"{name}: expected a node that the input leads to")
        self.constants[node.output[0]] = found

    def _node(self, name: str, node: Any, others: list[NDArray]) -> None:
        """One node of the chain."""
        given = _attributes(node, self.onnx)
        kind, chain = node.op_type, self.chain
        if kind in _NOTHING or (kind == "Cast" and given["to"] in (1, 11)):
            return
        if kind in _PLAIN:
            _PLAIN[kind](chain, name, given, others)
        elif kind in ("Add", "Sub", "Mul", "Div"):
            self._arithmetic(name, kind, node.input[0] == self.value, _floats(others[0]))
        elif kind == "MatMul" and node.input[0] == self.value:
            _matmul(chain, name, others[0])
        elif kind in ("Flatten", "Reshape"):
            _flatten(chain, name, kind, given, others)
        else:
            raise ValueError(f"{name}: {_advice(kind)}")

    def _arithmetic(self, name: str, kind: str, first: bool, other: Floats) -> None:
        """Values and a constant, which may be what there is to begin with."""
        chain = self.chain
        if chain.shape is None:
            chain.shape = (other.size,)
        other = other.reshape(other.shape[1:]) if other.ndim > len(chain.shape) else other
        one, nothing = np.ones_like(other), np.zeros_like(other)
        if kind == "Div" and not first:
            raise ValueError(f"{name}: a constant divided by values is not piecewise affine")
        scale, shift = {
            "Add": (one, other),
            "Sub": (one, -other) if first else (-one, other),
            "Mul": (other, nothing),
            "Div": (1.0 / other, nothing),
        }[kind]
        chain.scaled(name, scale, shift)


_NOTHING = ("Identity", "Dropout")
_LAST = ("Softmax", "LogSoftmax", "Sigmoid", "Tanh", "ArgMax", "Softplus")


def _advice(kind: str) -> str:
    if kind in _LAST:
        return f"cut {kind} off: the network gives what it is fed (the logits)"
    return "as it is here it is no layer of a ReLU network that can be read"


def _gemm(chain: Chain, name: str, given: dict[str, Any], others: list[NDArray]) -> None:
    if given.get("transA", 0):
        raise ValueError(f"{name}: expected transA=0, found 1")
    matrix = _floats(others[0]) if given.get("transB", 0) else _floats(others[0]).T
    constant = _floats(others[1]) if len(others) > 1 else np.zeros(len(matrix))
    alpha, beta = given.get("alpha", 1.0), given.get("beta", 1.0)
    matrix = matrix if alpha == 1.0 else alpha * matrix
    constant = constant if beta == 1.0 else beta * constant
    constant = np.broadcast_to(constant, (1, len(matrix))).ravel().copy()
    _flat(chain, name)
    chain.affine(name, np.ascontiguousarray(matrix), constant, (len(matrix),))


def _matmul(chain: Chain, name: str, other: NDArray) -> None:
    if other.ndim != 2:
        raise ValueError(f"{name}: expected a matrix, found shape {other.shape}")
    _flat(chain, name)
    matrix = np.ascontiguousarray(_floats(other).T)
    chain.affine(name, matrix, np.zeros(len(matrix)), (len(matrix),))


def _flat(chain: Chain, name: str) -> None:
    if chain.shape is not None and len(chain.shape) > 1:
        raise ValueError(f"{name}: expected Flatten before it, found values of shape {chain.shape}")


def _conv(chain: Chain, name: str, given: dict[str, Any], others: list[NDArray]) -> None:
    weight = _floats(others[0])
    if weight.ndim != 4:
        raise ValueError(f"{name}: expected a convolution over images, found {weight.ndim - 2}-D")
    bias = _floats(others[1]) if len(others) > 1 else np.zeros(len(weight))
    window = _window(name, chain, given, (weight.shape[2], weight.shape[3]))
    convolve(name, chain, weight, bias, window, given.get("group", 1))


def _average(chain: Chain, name: str, given: dict[str, Any], others: list[NDArray]) -> None:
    average(name, chain, _window(name, chain, given), bool(given.get("count_include_pad", 0)))


def _average_all(chain: Chain, name: str, given: dict[str, Any], others: list[NDArray]) -> None:
    _, height, width = image_of(name, chain)
    average(name, chain, Window((height, width), (1, 1), (0, 0, 0, 0)), True)


def _largest(chain: Chain, name: str, given: dict[str, Any], others: list[NDArray]) -> None:
    largest(name, chain, _window(name, chain, given))


def _window(
    name: str, chain: Chain, given: dict[str, Any], size: tuple[int, int] | None = None
) -> Window:
    size = size or _pair(name, given["kernel_shape"])
    stride = _pair(name, given.get("strides", (1, 1)))
    dilation = _pair(name, given.get("dilations", (1, 1)))
    pads = tuple(given.get("pads", (0, 0, 0, 0)))
    auto = given.get("auto_pad", b"NOTSET").decode()
    if auto in ("SAME_UPPER", "SAME_LOWER"):
        _, *image = image_of(name, chain)
        total = [
            max(0, (-(-image[k] // stride[k]) - 1) * stride[k] + dilation[k] * (size[k] - 1) + 1
                - image[k])
            for k in range(2)
        ]  # fmt: skip
        less = [each // 2 if auto == "SAME_UPPER" else -(-each // 2) for each in total]
        pads = (less[0], less[1], total[0] - less[0], total[1] - less[1])
    if given.get("ceil_mode", 0) or len(pads) != 4:
        raise ValueError(f"{name}: expected windows over images without ceil_mode")
    return Window(size, stride, (pads[0], pads[1], pads[2], pads[3]), dilation)


def _pair(name: str, value: Sequence[int]) -> tuple[int, int]:
    if len(value) != 2:
        raise ValueError(f"{name}: expected windows over images, found {len(value)}-D")
    return int(value[0]), int(value[1])


def _normalise(chain: Chain, name: str, given: dict[str, Any], others: list[NDArray]) -> None:
    if given.get("training_mode", 0):
        raise ValueError(f"{name}: expected a model in evaluation mode")
    scale, bias, mean, variance = map(_floats, others)
    factor = scale / np.sqrt(variance + given.get("epsilon", 1e-5))
    if chain.shape is None:
        chain.shape = (len(mean),)
    form = (-1,) + (1,) * (len(chain.shape) - 1)
    shift = bias - mean * factor
    chain.scaled(name, factor.reshape(form), shift.reshape(form))


def _relu(chain: Chain, name: str, given: dict[str, Any], others: list[NDArray]) -> None:
    chain.activation(name, 0.0)


def _leaky(chain: Chain, name: str, given: dict[str, Any], others: list[NDArray]) -> None:
    chain.activation(name, given.get("alpha", float(np.float32(0.01))))


def _flatten(
    chain: Chain, name: str, kind: str, given: dict[str, Any], others: list[NDArray]
) -> None:
    if kind == "Flatten":
        flat = given.get("axis", 1) == 1
    else:
        shape = others[0].ravel().tolist()
        flat = len(shape) == 2 and (shape[1] == -1 or (chain.shape and shape[1] == chain.size))
    if not flat:
        raise ValueError(f"{name}: expected all values of a sample in a row")
    if chain.shape is not None:
        chain.flatten()


_PLAIN: dict[str, Callable[[Chain, str, dict[str, Any], list[NDArray]], None]] = {
    "Gemm": _gemm,
    "Conv": _conv,
    "AveragePool": _average,
    "GlobalAveragePool": _average_all,
    "MaxPool": _largest,
    "BatchNormalization": _normalise,
    "Relu": _relu,
    "LeakyRelu": _leaky,
}


def _attributes(node: Any, onnx: Any) -> dict[str, Any]:
    return {each.name: onnx.helper.get_attribute_value(each) for each in node.attribute}


def _floats(array: NDArray) -> Floats:
    return np.array(array, np.float64)


__all__ = ["read", "write"]
