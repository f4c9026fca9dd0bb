"""Vanishing gradients and curvature: random chains and networks, exact laws, escape and cures.

With depth the gradient of a randomly initialised ReLU network vanishes, and so does the Hessian of
the loss: training starts on a plateau that gradient descent leaves slowly.  For one input and no
biases the law of a signal's size is known exactly (:func:`law`), for linear chains of single
weights the whole Hessian (:func:`hessian`); everything else is sampled.  Where sizes are spread
over many orders of magnitude only medians and means of logarithms say something, and networks all
of whose units are off are masked, not averaged.

The claims these figures test: Orvieto et al., arXiv 2106.03763.
"""

from .chain_hessian import hessian
from .chain_law import ChainLaw, law, median_product
from .chain_sample import ChainSample, sample
from .chain_spectrum import ChainSpectrum, spectrum
from .cures import Cures, cures
from .escape import Escape, escape, flow_time
from .vanishing import Vanishing, vanishing

__all__ = [
    "ChainLaw",
    "ChainSample",
    "ChainSpectrum",
    "Cures",
    "Escape",
    "Vanishing",
    "cures",
    "escape",
    "flow_time",
    "hessian",
    "law",
    "median_product",
    "sample",
    "spectrum",
    "vanishing",
]
