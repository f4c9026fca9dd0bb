"""Exact descent on the piecewise affine training loss of a ReLU network, one layer at a time.

>>> import reluplex_walk as rw
>>> net = rw.ReLUNetwork.random([1, 8, 1], seed=0)
>>> data = rw.datasets.load_motorcycle()
>>> loss = rw.LayerLoss(net, data.X, data.y, layer=0, kind="l1")
>>> traj = rw.walk(loss, seed=0, max_pivots=20)
>>> traj.status.name
'PIVOT_LIMIT'
"""

from . import datasets, density
from ._version import __version__
from .certificate import Certificate
from .crossings import Crossings, crossings
from .decay import LevelEstimate
from .enumeration import RegionsProgress, enumerate_regions
from .global_minimum import GlobalMinimum, global_minimum
from .graph import merge
from .loss import LayerLoss
from .network import ReLUNetwork
from .polyak import Descent, polyak_descent
from .regions import Minimum, Regions
from .search import Minimization, minimize
from .skeleton import VertexGraph, vertex_graph
from .slices import LineSection, Slice, line_section, slice, slice_through
from .tolerances import TOLERANCES, Tolerances
from .trajectory import Trajectory, WalkOptions, WalkStatus
from .verify import CertificateError, ExactCheck
from .walk import walk
from .walker import Progress

__all__ = [
    "TOLERANCES",
    "Certificate",
    "CertificateError",
    "ExactCheck",
    "GlobalMinimum",
    "Crossings",
    "LayerLoss",
    "LineSection",
    "Minimization",
    "Minimum",
    "Descent",
    "LevelEstimate",
    "Progress",
    "ReLUNetwork",
    "Regions",
    "RegionsProgress",
    "Slice",
    "Tolerances",
    "Trajectory",
    "VertexGraph",
    "WalkOptions",
    "WalkStatus",
    "__version__",
    "crossings",
    "datasets",
    "enumerate_regions",
    "global_minimum",
    "line_section",
    "slice",
    "slice_through",
    "vertex_graph",
    "density",
    "merge",
    "minimize",
    "polyak_descent",
    "walk",
]
