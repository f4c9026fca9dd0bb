"""Exact descent on the piecewise affine training loss of a ReLU network, one layer at a time.

>>> import reluplex_walk as rw
>>> net = rw.ReLUNetwork.random([1, 8, 1], seed=0)
>>> data = rw.datasets.load_motorcycle()
>>> loss = rw.LayerLoss(net, data.X, data.y, layer=0, kind="l1")
>>> traj = rw.walk(loss, seed=0, max_pivots=20)
>>> traj.status.name
'PIVOT_LIMIT'
"""

from importlib import import_module
from typing import TYPE_CHECKING

from ._version import __version__ as __version__
from .native._collector import importing as _importing

if TYPE_CHECKING:  # what type checkers and editors see
    from . import (
        datasets as datasets,
        estimators as estimators,
        testing as testing,
        torch as torch,
    )
    from .ended import Ended as Ended
    from .ensembles import measures as measures
    from .ensembles.ensemble import ensemble as ensemble
    from .ensembles.minima import EnsembleMinima as EnsembleMinima
    from .ensembles.progress import EnsembleProgress as EnsembleProgress
    from .ensembles.result import Ensemble as Ensemble
    from .ensembles.unseen import Unseen as Unseen
    from .graphs.barrier import barrier as barrier
    from .graphs.barrier_record import Barrier as Barrier, BarrierProgress as BarrierProgress
    from .graphs.exploration import GraphProgress as GraphProgress, vertex_graph as vertex_graph
    from .graphs.merge import merge as merge
    from .graphs.merge_tree import MergeTree as MergeTree
    from .graphs.topology import merge_tree as merge_tree
    from .graphs.vertex_graph import VertexGraph as VertexGraph
    from .landscape import density as density, glass as glass
    from .optimize.alice import Alice as Alice, AliceRun as AliceRun
    from .optimize.descend import DescentProgress as DescentProgress, descend as descend
    from .optimize.descent_path import DescentPath as DescentPath
    from .optimize.gap import DescentGap as DescentGap
    from .optimize.global_minimum import (
        GlobalMinimum as GlobalMinimum,
        global_minimum as global_minimum,
    )
    from .optimize.layerwise import TrainingProgress as TrainingProgress, train as train
    from .optimize.minimize import (
        Minimization as Minimization,
        MinimizationProgress as MinimizationProgress,
        minimize as minimize,
    )
    from .optimize.penalty_path import (
        LayerPenaltyPath as LayerPenaltyPath,
        PenaltyProgress as PenaltyProgress,
        penalty_path as penalty_path,
    )
    from .optimize.polyak import Descent as Descent, polyak_descent as polyak_descent
    from .optimize.training.fit import TrainingFit as TrainingFit
    from .optimize.training.search import Round as Round
    from .problem.aliased import RankWarning as RankWarning
    from .problem.loss import LayerLoss as LayerLoss
    from .problem.network import ReLUNetwork as ReLUNetwork
    from .problem.network_loss import NetworkLoss as NetworkLoss
    from .proof.certificate import Certificate as Certificate
    from .proof.check import CertificateError as CertificateError, ExactCheck as ExactCheck
    from .proof.reason import Reason as Reason
    from .proof.witness import Witness as Witness
    from .regions.enumeration import (
        RegionsProgress as RegionsProgress,
        enumerate_regions as enumerate_regions,
    )
    from .regions.line import (
        Crossings as Crossings,
        LineSection as LineSection,
        crossings as crossings,
        line_section as line_section,
    )
    from .regions.minima import LocalMinima as LocalMinima
    from .regions.plane import Slice as Slice, slice as slice, slice_through as slice_through
    from .regions.regions import Minimum as Minimum, Regions as Regions
    from .regression.baseline import (
        Baselines as Baselines,
        baselines as baselines,
        with_fitted_output as with_fitted_output,
    )
    from .regression.beside import constraints as constraints
    from .regression.beside.optimality import OptimalityCertificate as OptimalityCertificate
    from .regression.bootstrap import (
        Bootstrap as Bootstrap,
        BootstrapProgress as BootstrapProgress,
    )
    from .regression.comparison import FitComparison as FitComparison
    from .regression.fit import QuantileFit as QuantileFit
    from .regression.parametric.penalty_path import quantile_penalty_path as quantile_penalty_path
    from .regression.parametric.penalty_record import PenaltyPath as PenaltyPath
    from .regression.parametric.process import quantile_process as quantile_process
    from .regression.parametric.process_fit import QuantileProcess as QuantileProcess
    from .regression.parametric.solutions import Solutions as Solutions
    from .regression.quantile import (
        lad as lad,
        quantile as quantile,
        quantile_path as quantile_path,
    )
    from .regression.responses import quantile_responses as quantile_responses
    from .regression.solver import FitProgress as FitProgress
    from .regression.tables.summary import Summary as Summary
    from .reports.report import report as report
    from .simplex.certify_point import certify as certify
    from .simplex.held_out import HeldOut as HeldOut, HeldOutLosses as HeldOutLosses
    from .simplex.level import LevelEstimate as LevelEstimate
    from .simplex.point_check import PointCheck as PointCheck
    from .simplex.progress import Progress as Progress
    from .simplex.records import WalkOptions as WalkOptions, WalkStatus as WalkStatus
    from .simplex.trajectory import Trajectory as Trajectory
    from .simplex.walk import walk as walk
    from .studies import activations as activations, chains as chains, taylor as taylor
    from .tolerances import TOLERANCES as TOLERANCES, Tolerances as Tolerances

_HOMES = {
    "ended": ("Ended",),
    "ensembles.ensemble": ("ensemble",),
    "ensembles.minima": ("EnsembleMinima",),
    "ensembles.progress": ("EnsembleProgress",),
    "ensembles.result": ("Ensemble",),
    "ensembles.unseen": ("Unseen",),
    "graphs.barrier": ("barrier",),
    "graphs.barrier_record": ("Barrier", "BarrierProgress"),
    "graphs.exploration": ("GraphProgress", "vertex_graph"),
    "graphs.vertex_graph": ("VertexGraph",),
    "graphs.merge": ("merge",),
    "graphs.merge_tree": ("MergeTree",),
    "graphs.topology": ("merge_tree",),
    "optimize.alice": ("Alice", "AliceRun"),
    "optimize.descend": ("DescentProgress", "descend"),
    "optimize.descent_path": ("DescentPath",),
    "optimize.gap": ("DescentGap",),
    "optimize.global_minimum": ("GlobalMinimum", "global_minimum"),
    "optimize.layerwise": ("TrainingProgress", "train"),
    "optimize.training.fit": ("TrainingFit",),
    "optimize.training.search": ("Round",),
    "optimize.minimize": ("Minimization", "MinimizationProgress", "minimize"),
    "optimize.penalty_path": ("LayerPenaltyPath", "PenaltyProgress", "penalty_path"),
    "optimize.polyak": ("Descent", "polyak_descent"),
    "problem.aliased": ("RankWarning",),
    "problem.loss": ("LayerLoss",),
    "problem.network": ("ReLUNetwork",),
    "problem.network_loss": ("NetworkLoss",),
    "proof.certificate": ("Certificate",),
    "proof.check": ("CertificateError", "ExactCheck"),
    "proof.reason": ("Reason",),
    "proof.witness": ("Witness",),
    "regions.enumeration": ("RegionsProgress", "enumerate_regions"),
    "regions.line": ("Crossings", "LineSection", "crossings", "line_section"),
    "regions.minima": ("LocalMinima",),
    "regions.plane": ("Slice", "slice", "slice_through"),
    "regions.regions": ("Minimum", "Regions"),
    "regression.baseline": ("Baselines", "baselines", "with_fitted_output"),
    "regression.bootstrap": ("Bootstrap", "BootstrapProgress"),
    "regression.comparison": ("FitComparison",),
    "regression.fit": ("QuantileFit",),
    "regression.beside.optimality": ("OptimalityCertificate",),
    "regression.quantile": ("lad", "quantile", "quantile_path"),
    "regression.responses": ("quantile_responses",),
    "regression.parametric.penalty_path": ("quantile_penalty_path",),
    "regression.parametric.penalty_record": ("PenaltyPath",),
    "regression.parametric.process": ("quantile_process",),
    "regression.parametric.process_fit": ("QuantileProcess",),
    "regression.parametric.solutions": ("Solutions",),
    "regression.solver": ("FitProgress",),
    "regression.tables.summary": ("Summary",),
    "reports.report": ("report",),
    "simplex.certify_point": ("certify",),
    "simplex.point_check": ("PointCheck",),
    "simplex.held_out": ("HeldOut", "HeldOutLosses"),
    "simplex.level": ("LevelEstimate",),
    "simplex.progress": ("Progress",),
    "simplex.records": ("WalkOptions", "WalkStatus"),
    "simplex.trajectory": ("Trajectory",),
    "simplex.walk": ("walk",),
    "tolerances": ("TOLERANCES", "Tolerances"),
}
_HOME = {name: module for module, names in _HOMES.items() for name in names}
_MODULES = {
    "chains": "studies.chains",
    "constraints": "regression.beside.constraints",
    "activations": "studies.activations",
    "datasets": "datasets",
    "density": "landscape.density",
    "glass": "landscape.glass",
    "measures": "ensembles.measures",
    "taylor": "studies.taylor",
    "testing": "testing",
}
_EXTRAS = {
    "torch": "torch",
    "estimators": "estimators",
}  # modules that need an extra, so that they are not in __all__

__all__ = ["__version__", *_MODULES, *_HOME]


def __getattr__(name: str) -> object:
    """Public names are imported when first asked for (PEP 562): Numba and SciPy take a second."""
    module = _HOME.get(name) or {**_MODULES, **_EXTRAS}.get(name)
    if module is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    with _importing():
        imported = import_module(f".{module}", __name__)
    value = getattr(imported, name) if name in _HOME else imported
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
