"""Exact descent on the piecewise affine training loss of a ReLU network, one layer at a time.

>>> import reluplex_walk as rw
>>> net = rw.ReLUNetwork.random([1, 8, 1], seed=0)
>>> data = rw.datasets.load_motorcycle()
>>> loss = rw.LayerLoss(net, data.X, data.y, layer=0, kind="l1")
>>> traj = rw.walk(loss, seed=0, max_pivots=20)
>>> traj.status.name
'PIVOT_LIMIT'
"""

import sys
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING

from ._version import __version__ as __version__

if TYPE_CHECKING:  # what type checkers and editors see
    from . import datasets as datasets, density as density
    from .certificate import Certificate as Certificate
    from .crossings import Crossings as Crossings, crossings as crossings
    from .decay import LevelEstimate as LevelEstimate
    from .enumeration import (
        RegionsProgress as RegionsProgress,
        enumerate_regions as enumerate_regions,
    )
    from .exploration import vertex_graph as vertex_graph
    from .global_minimum import GlobalMinimum as GlobalMinimum, global_minimum as global_minimum
    from .graph import merge as merge
    from .loss import LayerLoss as LayerLoss
    from .network import ReLUNetwork as ReLUNetwork
    from .polyak import Descent as Descent, polyak_descent as polyak_descent
    from .regions import Minimum as Minimum, Regions as Regions
    from .regression import (
        QuantileFit as QuantileFit,
        lad as lad,
        quantile as quantile,
        quantile_path as quantile_path,
    )
    from .search import Minimization as Minimization, minimize as minimize
    from .sections import LineSection as LineSection, line_section as line_section
    from .skeleton import VertexGraph as VertexGraph
    from .slices import Slice as Slice, slice as slice, slice_through as slice_through
    from .tolerances import TOLERANCES as TOLERANCES, Tolerances as Tolerances
    from .trajectory import (
        Trajectory as Trajectory,
        WalkOptions as WalkOptions,
        WalkStatus as WalkStatus,
    )
    from .verify import CertificateError as CertificateError, ExactCheck as ExactCheck
    from .walk import walk as walk
    from .walker import Progress as Progress

_HOMES = {
    "certificate": ("Certificate",),
    "crossings": ("Crossings", "crossings"),
    "decay": ("LevelEstimate",),
    "enumeration": ("RegionsProgress", "enumerate_regions"),
    "exploration": ("vertex_graph",),
    "global_minimum": ("GlobalMinimum", "global_minimum"),
    "graph": ("merge",),
    "loss": ("LayerLoss",),
    "network": ("ReLUNetwork",),
    "polyak": ("Descent", "polyak_descent"),
    "regions": ("Minimum", "Regions"),
    "regression": ("QuantileFit", "lad", "quantile", "quantile_path"),
    "search": ("Minimization", "minimize"),
    "sections": ("LineSection", "line_section"),
    "skeleton": ("VertexGraph",),
    "slices": ("Slice", "slice", "slice_through"),
    "tolerances": ("TOLERANCES", "Tolerances"),
    "trajectory": ("Trajectory", "WalkOptions", "WalkStatus"),
    "verify": ("CertificateError", "ExactCheck"),
    "walk": ("walk",),
    "walker": ("Progress",),
}
_HOME = {name: module for module, names in _HOMES.items() for name in names}
_SUBMODULES = ("datasets", "density")

__all__ = ["__version__", *_SUBMODULES, *_HOME]


class _Package(ModuleType):
    """Public names are imported when first asked for (PEP 562): Numba and SciPy take a second."""

    def __getattr__(self, name: str) -> object:
        if name in _HOME:
            value = getattr(import_module(f".{_HOME[name]}", __name__), name)
        elif name in _SUBMODULES:
            value = import_module(f".{name}", __name__)
        else:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        super().__setattr__(name, value)
        return value

    def __setattr__(self, name: str, value: object) -> None:
        """Importing the module ``walk`` must not hide the function `walk` of the same name."""
        if isinstance(value, ModuleType) and _HOME.get(name) == name:
            value = getattr(value, name)
        super().__setattr__(name, value)

    def __dir__(self) -> list[str]:
        return sorted({*super().__dir__(), *__all__})


sys.modules[__name__].__class__ = _Package
