"""Sums of small complete regression trees, as arrays: evaluated here, grown elsewhere."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray


class Trees(NamedTuple):
    """T complete binary trees of depth d over p features; their leaves are added up.

    Node i has the children 2 i + 1 (feature <= threshold) and 2 i + 2.
    """

    feature: NDArray[np.int16]  # (T, 2^d - 1)
    threshold: NDArray[np.float32]  # (T, 2^d - 1)
    leaf: NDArray[np.float32]  # (T, 2^d)
    offset: float

    def __call__(self, x: NDArray[np.float64]) -> NDArray[np.float64]:
        """Sums (m,) for the rows of `x` (m, p)."""
        x = x.astype(np.float32)
        inner = self.feature.shape[1]
        tree, row = np.arange(len(self.feature)), np.arange(len(x))[:, None]
        node = np.zeros((len(x), tree.size), np.int64)
        while inner and node[0, 0] < inner:  # all nodes of a level are reached together
            right = x[row, self.feature[tree, node]] > self.threshold[tree, node]
            node = 2 * node + 1 + right
        return self.offset + self.leaf[tree, node - inner].astype(float).sum(axis=1)
