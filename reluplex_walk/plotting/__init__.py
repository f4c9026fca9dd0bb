"""Figures of walks, with matplotlib (``pip install "reluplex_walk[plot]"``).

Every function takes the axes to draw on (`ax`, `axes`, or a `figure` where its panels differ in
kind) and a `title`, and returns what it drew on; without axes it makes a new figure.
matplotlib is imported when a function is called.
"""

from .activations import plot_activations
from .animation import animate
from .barrier import plot_barrier
from .basins import plot_basins
from .density import plot_density
from .descent import plot_descent
from .ensemble import plot_ensemble
from .escape import plot_escape
from .exploration import plot_exploration
from .fit import plot_fit, plot_fits
from .glass import plot_glass
from .graph import plot_graph
from .losses import plot_descending, plot_gap, plot_loss
from .merge_tree import plot_merge_tree, plot_persistence
from .minima import plot_minima
from .overview import overview
from .partial import plot_partial
from .penalty_path import plot_penalty_path
from .plane import plot_plane
from .process import plot_process
from .regret import plot_regret
from .residuals import plot_residuals
from .shattering import plot_shatteredness, plot_shattering
from .slice import plot_slice
from .training import plot_training
from .vanishing import plot_vanishing

__all__ = [
    "animate",
    "overview",
    "plot_activations",
    "plot_barrier",
    "plot_basins",
    "plot_density",
    "plot_descending",
    "plot_descent",
    "plot_ensemble",
    "plot_escape",
    "plot_exploration",
    "plot_fit",
    "plot_fits",
    "plot_gap",
    "plot_glass",
    "plot_graph",
    "plot_loss",
    "plot_merge_tree",
    "plot_minima",
    "plot_partial",
    "plot_penalty_path",
    "plot_persistence",
    "plot_plane",
    "plot_process",
    "plot_regret",
    "plot_residuals",
    "plot_shatteredness",
    "plot_shattering",
    "plot_slice",
    "plot_training",
    "plot_vanishing",
]
