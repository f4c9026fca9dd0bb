"""Modules of PyTorch as networks, and back (extra ``torch``)."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..network import ReLUNetwork
from .chain import Chain
from .convolution import Window, average, convolve, image_of, largest

Floats = NDArray[np.float64]

_NOTHING = ("Identity", "Dropout", "Dropout1d", "Dropout2d", "Dropout3d", "AlphaDropout")
_LAST = ("Softmax", "LogSoftmax", "Sigmoid", "LogSigmoid", "Tanh", "Softplus")


def read(
    source: Any, input_shape: Sequence[int] | None = None, negative_slope: float = 0.0
) -> ReLUNetwork:
    """The network of a module or of a state_dict."""
    if isinstance(source, Mapping):
        return _of_state(source, negative_slope)
    nn = _torch().nn
    if not isinstance(source, nn.Module):
        raise TypeError(
            f"source: expected a torch.nn.Module or a state_dict, found {type(source).__name__}"
        )
    chain = Chain(input_shape)
    for name, layer in _layers(source, "", nn):
        _add(chain, name, layer)
    return chain.network()


def write(network: ReLUNetwork) -> Any:
    """The network as a ``torch.nn.Sequential`` of float64."""
    torch = _torch()
    slope, layers = network.negative_slope, list[Any]()
    for w, b in zip(network.weights, network.biases, strict=True):
        if layers:
            layers.append(torch.nn.LeakyReLU(slope) if slope else torch.nn.ReLU())
        layer = torch.nn.Linear(w.shape[1], w.shape[0], dtype=torch.float64)
        with torch.no_grad():
            layer.weight.copy_(torch.from_numpy(w.copy()))
            layer.bias.copy_(torch.from_numpy(b.copy()))
        layers.append(layer)
    return torch.nn.Sequential(*layers)


def _torch() -> Any:
    try:
        import torch
    except ImportError:
        raise ImportError(
            'models of PyTorch need torch: pip install "reluplex_walk[torch]"'
        ) from None
    return torch


def _of_state(state: Mapping[str, Any], negative_slope: float) -> ReLUNetwork:
    """The network of weights and biases in their order, with activations between them."""
    chain, names = Chain(None), list(state)
    weights = [name for name in names if name.split(".")[-1] == "weight"]
    stems = [name[: -len("weight")] for name in weights]
    known = {*weights, *(f"{stem}bias" for stem in stems)}
    for name in names:
        if name not in known or _array(state[name]).ndim not in (1, 2):
            raise ValueError(
                f"{name}: expected weights and biases of linear layers, found something else; "
                "give the module"
            )
    for at, (name, stem) in enumerate(zip(weights, stems, strict=True)):
        if at:
            chain.activation(name, negative_slope)
        _linear(chain, stem.rstrip(".") or "layer", state[name], state.get(f"{stem}bias"))
    return chain.network()


def _layers(module: Any, name: str, nn: Any) -> Iterator[tuple[str, Any]]:
    """Layers in the order in which they are called, with their names."""
    if isinstance(module, nn.Sequential):
        for child_name, child in module._modules.items():  # one may be there twice
            yield from _layers(child, f"{name}.{child_name}" if name else child_name, nn)
    elif type(module).__module__.startswith("torch.nn."):
        yield f"{name or 'module'} ({type(module).__name__})", module
    else:
        yield from _traced(module, name, nn)


def _traced(module: Any, name: str, nn: Any) -> Iterator[tuple[str, Any]]:
    """The same of a module with a forward of its own, if that is a chain."""
    where = name or type(module).__name__
    from torch import fx

    try:
        graph = fx.symbolic_trace(module).graph
    except Exception as error:
        text = " ".join(str(error).split())[:200]
        raise ValueError(f"{where}: its forward cannot be traced ({text})") from None
    before = None
    for node in graph.nodes:
        inputs = node.all_input_nodes
        if node.op == "placeholder" and before is None:
            before = node
            continue
        if inputs != [before] or (node.op != "output" and len(node.users) != 1):
            raise ValueError(f"{where}: expected layers one after the other, found {node.name}")
        if node.op == "call_module":
            child = module.get_submodule(node.target)
            yield from _layers(child, f"{name}.{node.target}" if name else str(node.target), nn)
        elif node.op != "output":
            yield f"{where} ({node.name})", _called(node, where, nn)
        before = node


def _called(node: Any, where: str, nn: Any) -> Any:
    """The layer that a function in a forward is."""
    name = node.target if isinstance(node.target, str) else node.target.__name__
    if name in ("relu", "relu_"):
        return nn.ReLU()
    if name in ("leaky_relu", "leaky_relu_"):
        slope = node.args[1] if len(node.args) > 1 else node.kwargs.get("negative_slope", 0.01)
        return nn.LeakyReLU(slope)
    if name == "flatten" and (node.args[1:] or node.kwargs) in ((1,), {"start_dim": 1}):
        return nn.Flatten()
    raise ValueError(f"{where}: {name} is no layer of a ReLU network that can be read")


def _add(chain: Chain, name: str, layer: Any) -> None:
    """One layer, in evaluation mode."""
    kind = type(layer).__name__
    if kind in _NOTHING:
        return
    if kind == "Linear":
        _linear(chain, name, layer.weight, layer.bias)
    elif kind == "ReLU":
        chain.activation(name, 0.0)
    elif kind == "LeakyReLU":
        chain.activation(name, float(layer.negative_slope))
    elif kind == "Flatten" and (layer.start_dim, layer.end_dim) == (1, -1):
        if chain.shape is not None:
            chain.flatten()
    elif kind in ("BatchNorm1d", "BatchNorm2d"):
        _normalise(chain, name, layer)
    elif kind == "Conv2d" and layer.padding_mode == "zeros":
        weight = _array(layer.weight)
        bias = np.zeros(len(weight)) if layer.bias is None else _array(layer.bias)
        convolve(name, chain, weight, bias, _window(layer, _pair(layer.dilation)), layer.groups)
    elif kind == "AvgPool2d" and not layer.ceil_mode and layer.divisor_override is None:
        average(name, chain, _window(layer), bool(layer.count_include_pad))
    elif kind == "AdaptiveAvgPool2d" and _pair(layer.output_size) == (1, 1):
        _, height, width = image_of(name, chain)
        average(name, chain, Window((height, width), (1, 1), (0, 0, 0, 0)), True)
    elif kind == "MaxPool2d" and not layer.ceil_mode:
        largest(name, chain, _window(layer, _pair(layer.dilation)))
    else:
        raise ValueError(f"{name}: {_advice(kind)}")


def _advice(kind: str) -> str:
    if kind in _LAST:
        return f"{kind} is not piecewise affine; leave it out: the network gives what it is fed"
    return f"{kind}, as it is here, is no layer of a ReLU network that can be read"


def _linear(chain: Chain, name: str, weight: Any, bias: Any) -> None:
    matrix = _array(weight)
    if matrix.ndim != 2:
        raise ValueError(f"{name}: expected weights of a linear layer, found shape {matrix.shape}")
    if chain.shape is not None and len(chain.shape) > 1:
        raise ValueError(f"{name}: expected Flatten before it, found values of shape {chain.shape}")
    constant = np.zeros(len(matrix)) if bias is None else _array(bias)
    chain.affine(name, matrix, constant, (len(matrix),))


def _normalise(chain: Chain, name: str, layer: Any) -> None:
    if layer.running_mean is None:
        raise ValueError(f"{name}: expected running statistics, found none")
    mean, variance = _array(layer.running_mean), _array(layer.running_var)
    scale = 1.0 / np.sqrt(variance + layer.eps)
    if layer.weight is not None:
        scale = scale * _array(layer.weight)
    shift = -mean * scale + (0.0 if layer.bias is None else _array(layer.bias))
    if chain.shape is None:
        chain.shape = (len(mean),)
    if chain.shape[0] != len(mean):
        raise ValueError(f"{name}: expected {len(mean)} channels, found shape {chain.shape}")
    form = (-1,) + (1,) * (len(chain.shape) - 1)
    chain.scaled(name, scale.reshape(form), shift.reshape(form))


def _window(layer: Any, dilation: tuple[int, int] = (1, 1)) -> Window:
    size, padding = _pair(layer.kernel_size), layer.padding
    if padding == "valid":
        padding = 0
    elif padding == "same":
        total = [dilation[k] * (size[k] - 1) for k in range(2)]
        before = [each // 2 for each in total]
        pads = (*before, total[0] - before[0], total[1] - before[1])
        return Window(size, _pair(layer.stride), (pads[0], pads[1], pads[2], pads[3]), dilation)
    top, left = _pair(padding)
    return Window(size, _pair(layer.stride), (top, left, top, left), dilation)


def _pair(value: Any) -> tuple[int, int]:
    return (value[0], value[1]) if isinstance(value, tuple | list) else (value, value)


def _array(tensor: Any) -> Floats:
    """A tensor as floats: float32 numbers are floats, too, and stay what they are."""
    array = tensor.detach().cpu().numpy() if hasattr(tensor, "detach") else np.asarray(tensor)
    return np.array(array, np.float64)


__all__ = ["read", "write"]
