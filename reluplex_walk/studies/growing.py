"""Random ReLU networks that grow layer by layer, and what their gradient and Hessian are then.

Everything is carried forwards, so that no weights are kept and one stack of networks gives all
depths.  With x_l = D_l W_l x_{l-1}, D_l which units are active, f = v.x_l and K_j = dx_l/dz_j:

    gradient in W_1:  v (x) x_0 through K_1;     |g_1|^2 = |x_0|^2 v'A v,    A = K_1 K_1'
    Hessian of f:     blocks of two layers i < j, of Frobenius norm |x_{i-1}| |dx_{j-1}/dz_i| |g_j|

so that the sum over i of the squares is the trace of S_j, and that over j is v'Q v; A, S and Q obey
one recursion, Y <- D (W Y W' + c I) D, with c = 0, |x|^2 and tr S.

All of them grow and shrink as |x_l|^2 does, so that one power of two for each network, taken out of
its signal and forms in each layer, keeps them from under- and overflow at any depth.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ._scale import LOG2, exponents

Floats = NDArray[np.float64]


def random_weights(rng: np.random.Generator, networks: int, width: int, init: str) -> Floats:
    """One layer of each of `networks`, (n, d, d), by one of the inits of the law."""
    shape = (networks, width, width)
    if init == "uniform":
        return rng.uniform(-1.0, 1.0, shape)
    drawn = rng.standard_normal(shape)
    if init == "orthogonal":
        q, r = np.linalg.qr(drawn)
        return np.asarray(np.sqrt(2.0) * q * np.sign(np.diagonal(r, axis1=1, axis2=2))[:, None, :])
    drawn *= np.sqrt((2.0 if init == "he" else 1.0) / width)
    return drawn


@dataclass
class Growing:
    """`x` (n, d) is the signal, `forms` (1 or 3, n, d, d) are A, and S and Q where wanted.

    The signal is ``x`` times 2^`scale`, `scale` (n,), the forms are `forms` times 4^`scale`.
    """

    x: Floats
    forms: Floats
    scale: NDArray[np.int64]
    layers: int = 0

    @classmethod
    def begun(
        cls, rng: np.random.Generator, networks: int, width: int, with_hessian: bool
    ) -> "Growing":
        """Networks without a layer, each with one input of length 1, uniform in direction."""
        x = rng.standard_normal((networks, width))
        x /= np.linalg.norm(x, axis=1, keepdims=True)
        forms = np.zeros((3 if with_hessian else 1, networks, width, width))
        return cls(x, forms, np.zeros(networks, np.int64))

    def add(self, w: Floats) -> None:
        """Put a layer of weights `w` (n, d, d) on top."""
        z = np.einsum("nij,nj->ni", w, self.x)
        active = (z > 0.0).astype(float)
        forms = w @ self.forms @ w.transpose(0, 2, 1) if self.layers else self.forms
        diagonal = np.einsum("fnii->fni", forms)  # a view: additions go to the forms
        if self.layers == 0:
            diagonal[0] += 1.0
        if len(forms) == 3:
            traces = np.einsum("nii->n", self.forms[1])
            diagonal[1] += (self.x**2).sum(axis=1)[:, None]
            diagonal[2] += traces[:, None]
        grown = exponents(active * z)
        active *= np.ldexp(1.0, -grown)[:, None]
        self.forms = forms * (active[:, :, None] * active[:, None, :])
        self.x = active * z
        self.scale = self.scale + grown
        self.layers += 1

    @property
    def alive(self) -> NDArray[np.bool_]:
        """Which networks have an active unit in every layer, (n,)."""
        return np.asarray((self.x > 0.0).any(axis=1))

    def log_norm(self) -> np.ma.MaskedArray:
        """Log |x_l|, (n,), masked where a network is dead."""
        return self._log((self.x**2).sum(axis=1))

    def log_gradient(self, v: Floats) -> np.ma.MaskedArray:
        """Log |df/dW_1| for the output weights `v` (n, d), (n,); |x_0| is 1."""
        return self._log(self._form(0, v))

    def log_hessian(self, v: Floats) -> np.ma.MaskedArray:
        """That of the Frobenius norm of the Hessian of f in all weights, `v` included, (n,)."""
        return self._log(2.0 * (self._form(2, v) + np.einsum("nii->n", self.forms[1])))

    def _log(self, squares: Floats) -> np.ma.MaskedArray:
        return log_alive(squares, self.alive) + LOG2 * self.scale

    def _form(self, which: int, v: Floats) -> Floats:
        return np.asarray(np.einsum("ni,nij,nj->n", v, self.forms[which], v, optimize=True))


def output_weights(rng: np.random.Generator, networks: int, width: int) -> Floats:
    """Normal of variance 1 / d, (n, d)."""
    return rng.standard_normal((networks, width)) / np.sqrt(width)


def log_alive(squares: Floats, alive: NDArray[np.bool_]) -> np.ma.MaskedArray:
    """Half the logarithm of `squares`, masked where a network is dead."""
    known = alive & (squares > 0.0)
    logs = 0.5 * np.log(np.where(known, squares, 1.0))
    return np.ma.MaskedArray(logs, ~known)


__all__ = ["Growing", "log_alive", "output_weights", "random_weights"]
