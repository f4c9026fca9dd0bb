"""`ReLUNetwork`: the weights and biases of a fully connected (leaky) ReLU network."""

from collections.abc import Iterable, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .._files import load_archive, write_archive
from .._memory import require_memory
from .._validate import choice, inputs, integer, real, real_array, sequence

Floats = NDArray[np.float64]

INITIALISATIONS = ("uniform", "he", "xavier")


class ReLUNetwork:
    """A fully connected network ``x -> W_L a(... a(W_0 x + b_0) ...) + b_L``.

    `a` is the (leaky) ReLU, applied after every layer but the last.  Immutable: the arrays are
    read-only copies.

    Parameters
    ----------
    weights : sequence of array_like
        ``weights[l]`` has shape (n_{l+1}, n_l).
    biases : sequence of array_like
        ``biases[l]`` has shape (n_{l+1},).
    negative_slope : float, default 0.0
        Slope of the activation at negative values, in [0, 1); 0 is the ReLU.

    Raises
    ------
    ValueError, TypeError
        If shapes do not fit together, a number is not finite, or there is no layer.

    Examples
    --------
    >>> import reluplex_walk as rw
    >>> net = rw.ReLUNetwork([[[1.0], [-1.0]], [[1.0, 1.0]]], [[0.0, 0.0], [0.0]])
    >>> net([[3.0], [-2.0]])
    array([[3.],
           [2.]])
    >>> net.widths, net.n_layers
    ((1, 2, 1), 2)
    """

    def __init__(
        self,
        weights: Sequence[ArrayLike],
        biases: Sequence[ArrayLike],
        negative_slope: float = 0.0,
    ) -> None:
        weights, biases = sequence("weights", weights), sequence("biases", biases)
        if len(weights) == 0:
            raise ValueError("weights: expected at least one layer, found none")
        if len(biases) != len(weights):
            raise ValueError(
                f"biases: expected one per layer ({len(weights)}), found {len(biases)}"
            )
        slope = real("negative_slope", negative_slope)
        if not 0.0 <= slope < 1.0:
            raise ValueError(f"negative_slope: expected a number in [0, 1), found {slope}")
        checked_weights: list[Floats] = []
        checked_biases: list[Floats] = []
        for layer, (w, b) in enumerate(zip(weights, biases, strict=True)):
            width_in = checked_weights[-1].shape[0] if checked_weights else None
            expected = f"of shape (n_out, {width_in or 'n_in'})"
            matrix = real_array(f"weights[{layer}]", w, 2, expected)
            if 0 in matrix.shape or (width_in is not None and matrix.shape[1] != width_in):
                raise ValueError(
                    f"weights[{layer}]: expected an array {expected}, found shape {matrix.shape}"
                )
            vector = real_array(f"biases[{layer}]", b, 1, f"of shape ({matrix.shape[0]},)")
            if vector.shape[0] != matrix.shape[0]:
                raise ValueError(
                    f"biases[{layer}]: expected an array of shape ({matrix.shape[0]},), "
                    f"found shape {vector.shape}"
                )
            matrix.flags.writeable = vector.flags.writeable = False
            checked_weights.append(matrix)
            checked_biases.append(vector)
        self.weights: tuple[Floats, ...] = tuple(checked_weights)
        self.biases: tuple[Floats, ...] = tuple(checked_biases)
        self.negative_slope = slope

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Pickles forget that arrays are read-only."""
        self.__dict__.update(state)
        for array in (*self.weights, *self.biases):
            array.flags.writeable = False

    @classmethod
    def random(
        cls,
        widths: Iterable[int],
        seed: int | np.random.Generator = 0,
        init: str = "uniform",
        negative_slope: float = 0.0,
    ) -> "ReLUNetwork":
        """A network with random parameters.

        Parameters
        ----------
        widths : iterable of int
            Inputs, neurons of each hidden layer, outputs: ``[4, 5, 4, 2, 1]``.
        seed : int or numpy.random.Generator, default 0
            Source of the numbers.
        init : {"uniform", "he", "xavier"}, default "uniform"
            ``uniform``: weights and biases uniform on (-1, 1), the example of Hinz and van de
            Geer (arXiv 2011.14895).  ``he``: weights normal with variance 2 / n_in, biases 0 (He
            et al. 2015).  ``xavier``: weights uniform on +-sqrt(6 / (n_in + n_out)), biases 0
            (Glorot and Bengio 2010).
        negative_slope : float, default 0.0
            Slope of the activation at negative values.

        Returns
        -------
        ReLUNetwork
            The same for the same arguments.

        Raises
        ------
        ValueError, TypeError
            If an argument does not fit; the message names it.

        Examples
        --------
        >>> import reluplex_walk as rw
        >>> net = rw.ReLUNetwork.random([4, 5, 4, 2, 1], seed=0)
        >>> net, [w.shape for w in net.weights]
        (ReLUNetwork(4-5-4-2-1), [(5, 4), (4, 5), (2, 4), (1, 2)])
        >>> rw.ReLUNetwork.random([1, 8, 1], init="he").biases[0]
        array([0., 0., 0., 0., 0., 0., 0., 0.])
        """
        sizes = [
            integer(f"widths[{k}]", int(n) if isinstance(n, np.integer) else n, low=1)
            for k, n in enumerate(sequence("widths", widths))
        ]
        if len(sizes) < 2:
            raise ValueError(f"widths: expected at least inputs and outputs, found {sizes}")
        require_memory(
            f"widths: a network {'-'.join(map(str, sizes))}",
            16.0 * sum(n_out * (n_in + 1) for n_in, n_out in pairwise(sizes)),
            "give smaller ones",
        )
        choice("init", init, INITIALISATIONS)
        rng = np.random.default_rng(seed)
        weights, biases = [], []
        for n_in, n_out in pairwise(sizes):
            if init == "uniform":
                weights.append(rng.uniform(-1.0, 1.0, (n_out, n_in)))
                biases.append(rng.uniform(-1.0, 1.0, n_out))
                continue
            if init == "he":
                weights.append(rng.normal(0.0, np.sqrt(2.0 / n_in), (n_out, n_in)))
            else:
                bound = np.sqrt(6.0 / (n_in + n_out))
                weights.append(rng.uniform(-bound, bound, (n_out, n_in)))
            biases.append(np.zeros(n_out))
        return cls(weights, biases, negative_slope)

    @property
    def widths(self) -> tuple[int, ...]:
        """Inputs, neurons of each hidden layer, outputs."""
        return (self.weights[0].shape[1], *(w.shape[0] for w in self.weights))

    @property
    def n_layers(self) -> int:
        """Layers with parameters: hidden layers and the output layer."""
        return len(self.weights)

    def activation(self, values: Floats) -> Floats:
        """The (leaky) ReLU of `values`, an array of any shape.

        Examples
        --------
        >>> import numpy as np, reluplex_walk as rw
        >>> net = rw.ReLUNetwork.random([1, 2, 1], negative_slope=0.25)
        >>> net.activation(np.array([-2.0, 0.0, 3.0]))
        array([-0.5,  0. ,  3. ])
        """
        return np.where(values >= 0.0, values, self.negative_slope * values)

    def __call__(self, X: ArrayLike) -> Floats:
        """Outputs (n, n_out) for inputs `X` (n, n_in); ValueError, TypeError if it does not fit."""
        hidden = self.features(inputs("X", X, self.widths[0]), self.n_layers - 1)
        return hidden @ self.weights[-1].T + self.biases[-1]

    def features(self, X: Floats, layer: int) -> Floats:
        """What layer `layer` receives: `X` (n, n_in) through the layers below it, (n, n_l).

        Summed in the order of the inputs, so that no digit depends on the processor or on BLAS:
        certificates of layers above are about these floats.

        Examples
        --------
        >>> import numpy as np, reluplex_walk as rw
        >>> net = rw.ReLUNetwork.random([4, 5, 3, 1])
        >>> [net.features(np.ones((7, 4)), layer).shape for layer in range(net.n_layers)]
        [(7, 4), (7, 5), (7, 3)]
        """
        for w, b in zip(self.weights[:layer], self.biases[:layer], strict=True):
            z = np.zeros((len(X), len(w)))
            for column, weight in zip(X.T, w.T, strict=True):
                z += column[:, None] * weight
            X = self.activation(z + b)
        return X

    def layer_parameters(self, layer: int) -> Floats:
        """Weights and, in the last column, biases of layer `layer`: (n_{l+1}, n_l + 1).

        ValueError, TypeError if there is no such layer.

        Examples
        --------
        >>> import reluplex_walk as rw
        >>> net = rw.ReLUNetwork([[[1.0], [-1.0]], [[1.0, 1.0]]], [[2.0, 3.0], [0.0]])
        >>> net.layer_parameters(0)
        array([[ 1.,  2.],
               [-1.,  3.]])
        """
        layer = integer("layer", layer, 0, self.n_layers - 1)
        return np.column_stack([self.weights[layer], self.biases[layer]])

    def with_layer(self, layer: int, theta: ArrayLike) -> "ReLUNetwork":
        """A copy with the parameters of layer `layer` replaced by `theta` (n_{l+1}, n_l + 1).

        ValueError, TypeError if there is no such layer or `theta` does not fit it.

        Examples
        --------
        >>> import reluplex_walk as rw
        >>> net = rw.ReLUNetwork.random([1, 8, 1], seed=0)
        >>> again = net.with_layer(0, 2.0 * net.layer_parameters(0))
        >>> bool((again.weights[0] == 2.0 * net.weights[0]).all()), again == net
        (True, False)
        """
        layer = integer("layer", layer, 0, self.n_layers - 1)
        rows, columns = self.weights[layer].shape
        parameters = real_array("theta", theta, 2, f"of shape ({rows}, {columns + 1})")
        if parameters.shape != (rows, columns + 1):
            raise ValueError(
                f"theta: expected an array of shape ({rows}, {columns + 1}), "
                f"found shape {parameters.shape}"
            )
        weights, biases = list(self.weights), list(self.biases)
        weights[layer], biases[layer] = parameters[:, :-1], parameters[:, -1]
        return ReLUNetwork(weights, biases, self.negative_slope)

    def to_arrays(self) -> dict[str, NDArray]:
        """The network as named arrays, the inverse of :meth:`from_arrays`.

        Examples
        --------
        >>> import reluplex_walk as rw
        >>> sorted(rw.ReLUNetwork.random([2, 3, 1]).to_arrays())
        ['biases_0', 'biases_1', 'negative_slope', 'weights_0', 'weights_1']
        """
        arrays: dict[str, NDArray] = {"negative_slope": np.array(self.negative_slope)}
        for layer, (w, b) in enumerate(zip(self.weights, self.biases, strict=True)):
            arrays[f"weights_{layer}"] = w
            arrays[f"biases_{layer}"] = b
        return arrays

    @classmethod
    def from_arrays(cls, arrays: dict[str, NDArray]) -> "ReLUNetwork":
        """The network in `arrays`, as :meth:`to_arrays` names them; KeyError if one is missing.

        Examples
        --------
        >>> import reluplex_walk as rw
        >>> net = rw.ReLUNetwork.random([2, 3, 1])
        >>> rw.ReLUNetwork.from_arrays(net.to_arrays()) == net
        True
        """
        layers = sum(name.startswith("weights_") for name in arrays)
        return cls(
            [arrays[f"weights_{layer}"] for layer in range(layers)],
            [arrays[f"biases_{layer}"] for layer in range(layers)],
            float(arrays["negative_slope"]),
        )

    def save(self, path: str | Path, force: bool = False) -> None:
        """Write the network to `path` (npz); FileExistsError if it exists, unless `force`.

        Examples
        --------
        >>> import pathlib, tempfile, reluplex_walk as rw
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     path = pathlib.Path(folder, "net.npz")
        ...     rw.ReLUNetwork.random([1, 8, 1]).save(path)
        ...     rw.ReLUNetwork.random([2, 3, 1]).save(path, force=True)  # replaces it
        ...     rw.ReLUNetwork.load(path)
        ReLUNetwork(2-3-1)
        """
        write_archive(path, "network", self.to_arrays(), force)

    @classmethod
    def load(cls, path: str | Path) -> "ReLUNetwork":
        """Read a network from `path`, where :meth:`save` wrote it.

        FileNotFoundError if there is no file, ValueError if it is another one or damaged.

        Examples
        --------
        >>> import pathlib, tempfile, reluplex_walk as rw
        >>> net = rw.ReLUNetwork.random([1, 8, 1], seed=3)
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     net.save(pathlib.Path(folder, "net.npz"))
        ...     rw.ReLUNetwork.load(pathlib.Path(folder, "net.npz")) == net
        True
        """
        return load_archive(path, "network", cls.from_arrays)

    # ---------------------------------------------------------------- models of other libraries

    @classmethod
    def from_torch(
        cls, source: Any, input_shape: Sequence[int] | None = None, negative_slope: float = 0.0
    ) -> "ReLUNetwork":
        """The network of a model of PyTorch (extra ``torch``), as it is in evaluation mode.

        Parameters
        ----------
        source : torch.nn.Module or dict
            A ``Sequential``, a module whose forward is one layer after the other, or a state_dict
            of linear layers.  Linear, ReLU, LeakyReLU (one slope), Flatten, Dropout, BatchNorm,
            Conv2d, AvgPool2d, MaxPool2d; any other layer is refused by its name.
        input_shape : sequence of int, optional
            Shape of one sample, (channels, height, width), needed for images; the network takes it
            in a row.
        negative_slope : float, default 0.0
            Of the activations between the layers of a state_dict, which does not tell.

        Returns
        -------
        ReLUNetwork
            Its numbers are those of the model (float32 numbers are floats, too), but where
            layers without an activation between them are multiplied: that rounds once.

        Raises
        ------
        ValueError, TypeError
            If a layer cannot be read; the message names it.
        ImportError
            If PyTorch is not installed.

        Examples
        --------
        A state_dict may hold arrays:

        >>> import numpy as np, reluplex_walk as rw
        >>> state = {"0.weight": np.ones((3, 2)), "2.weight": np.ones((1, 3))}
        >>> net = rw.ReLUNetwork.from_torch(state)
        >>> net.widths, net([[1.0, 1.0]])
        ((2, 3, 1), array([[6.]]))
        """
        from .importers import torch_modules

        return torch_modules.read(source, input_shape, negative_slope)

    def to_torch(self) -> Any:
        """The network as a ``torch.nn.Sequential`` of float64, all numbers as they are.

        ImportError if PyTorch (extra ``torch``) is not installed.

        Examples
        --------
        >>> import reluplex_walk as rw
        >>> rw.ReLUNetwork.random([1, 8, 1]).to_torch()  # doctest: +SKIP
        Sequential(...)
        """
        from .importers import torch_modules

        return torch_modules.write(self)

    @classmethod
    def from_sklearn(cls, model: Any) -> "ReLUNetwork":
        """The network of a fitted MLPRegressor or MLPClassifier of scikit-learn.

        Parameters
        ----------
        model : estimator
            With the activation relu; or a Pipeline that ends with one, whose StandardScaler and
            MinMaxScaler are multiplied into the first layer.

        Returns
        -------
        ReLUNetwork
            Of a classifier: with the logits for outputs.

        Raises
        ------
        ValueError, TypeError
            If it is another one, or not fitted.

        Examples
        --------
        >>> import numpy as np, reluplex_walk as rw
        >>> from sklearn.neural_network import MLPRegressor
        >>> X, y = np.arange(6.0)[:, None], np.arange(6.0) ** 2
        >>> model = MLPRegressor(hidden_layer_sizes=(4,), solver="lbfgs", random_state=0)
        >>> net = rw.ReLUNetwork.from_sklearn(model.fit(X, y))
        >>> net, bool(np.allclose(net(X)[:, 0], model.predict(X)))
        (ReLUNetwork(1-4-1), True)
        """
        from .importers import sklearn_models

        return sklearn_models.read(model)

    @classmethod
    def from_onnx(cls, path: str | Path) -> "ReLUNetwork":
        """The network in the ONNX file at `path` (extra ``onnx``).

        Gemm, MatMul, Add, Sub, Mul, Div by constants, Relu, LeakyRelu, Flatten, Reshape, Dropout,
        BatchNormalization, Conv, AveragePool, GlobalAveragePool and MaxPool, one after the other;
        any other node is refused by its name.  Numbers stay as they are, but where layers without
        an activation between them are multiplied.

        FileNotFoundError if there is no file, ValueError if it cannot be read, ImportError if onnx
        is not installed.

        Examples
        --------
        >>> import pathlib, tempfile, reluplex_walk as rw
        >>> net = rw.ReLUNetwork.random([2, 3, 1], seed=1)
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     path = pathlib.Path(folder, "net.onnx")
        ...     net.to_onnx(path)
        ...     rw.ReLUNetwork.from_onnx(path) == net
        True
        """
        from .importers import onnx_graph

        return onnx_graph.read(path)

    def to_onnx(self, path: str | Path, force: bool = False) -> None:
        """Write the network to `path` in the ONNX format (extra ``onnx``), in double precision.

        A leaky ReLU is written as max(z, slope z), since the format keeps the slope of a LeakyRelu
        in single precision.  FileExistsError if it exists, unless `force`; ImportError if onnx is
        not installed.

        Examples
        --------
        >>> import pathlib, tempfile, reluplex_walk as rw
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     path = pathlib.Path(folder, "net.onnx")
        ...     rw.ReLUNetwork.random([1, 8, 1]).to_onnx(path)
        ...     path.exists()
        True
        """
        from .importers import onnx_graph

        onnx_graph.write(self, path, force)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, ReLUNetwork):
            return NotImplemented
        return (
            self.widths == other.widths
            and self.negative_slope == other.negative_slope
            and all(map(np.array_equal, self.weights, other.weights))
            and all(map(np.array_equal, self.biases, other.biases))
        )

    def __hash__(self) -> int:
        return hash(
            (self.widths, self.negative_slope, *((w + 0.0).tobytes() for w in self.weights))
        )

    def __repr__(self) -> str:
        leak = f", negative_slope={self.negative_slope:g}" if self.negative_slope else ""
        return f"ReLUNetwork({'-'.join(map(str, self.widths))}{leak})"


__all__ = ["INITIALISATIONS", "ReLUNetwork"]
