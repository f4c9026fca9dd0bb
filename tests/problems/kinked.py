"""A function whose gradient jumps: curvature and glass to try a method on."""

import numpy as np


def kinked(size: int, seed: int, kinks: int = 300):
    """The gradient of ``theta.A theta / 2 + mean of c_k |u_k theta - t_k|``; keeps the dtype."""
    rng = np.random.default_rng(seed)
    root = rng.normal(size=(size, size)) / np.sqrt(size)
    A = root @ root.T
    u, t = rng.normal(size=(kinks, size)), rng.normal(size=kinks)
    c = rng.normal(size=kinks) + 0.5

    def gradient(theta):
        x = np.asarray(theta, dtype=np.float64)
        return (A @ x + (c * np.sign(u @ x - t)) @ u / kinks).astype(np.asarray(theta).dtype)

    return gradient
