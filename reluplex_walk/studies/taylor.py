"""Neural Taylor approximations: the regret of training against the best linearised network.

To first order in a layer, or in all of them, a network is affine, and its loss convex: so a run of
a gradient method, each loss linearised where it was met, is one of online convex optimisation.  Its
regret against the best fixed parameters has a bound.  The optimum it is measured against is a
regression by least absolute deviations for the L1 loss, solved and proved here.

The claims these figures test: arXiv 1611.02345.
"""

from .approximation import Approximation, approximation
from .regret import regret
from .run_regret import Regret
from .shatteredness import Shatteredness, shatteredness
from .shattering import Shattering, shattering
from .shattering_spectrum import ShatteringSpectrum, shattering_spectrum
from .taylor_loss import TaylorLoss, TaylorMinimum

__all__ = [
    "Approximation",
    "Regret",
    "Shatteredness",
    "Shattering",
    "ShatteringSpectrum",
    "TaylorLoss",
    "TaylorMinimum",
    "approximation",
    "regret",
    "shatteredness",
    "shattering",
    "shattering_spectrum",
]
