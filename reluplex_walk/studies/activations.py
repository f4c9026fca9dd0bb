"""Exploration: the activation configurations that a method of training goes through.

Which hidden units are active on a sample says which affine piece of the network it sees.  It is
said that training goes through ever new ones, and with adaptive methods through more of them.  How
many, is counted here at the points where a method rests and, where one layer moves, also on the way
from one to the next, which no sample of points shows.

The claims these figures test: arXiv 1611.02345.
"""

from .exploration import Exploration, exploration

__all__ = ["Exploration", "exploration"]
