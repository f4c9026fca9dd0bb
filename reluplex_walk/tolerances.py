"""All tolerances of the library, in one immutable record."""

from typing import NamedTuple


class Tolerances(NamedTuple):
    """When floating-point numbers count as equal.  Every figure is relative and dimensionless.

    Attributes
    ----------
    zero : float
        A breakpoint whose absolute value is at most ``zero`` times the largest sum of absolute
        terms (weights times inputs, bias) in its layer counts as active.
    rate : float
        A breakpoint whose derivative along a direction is at most ``rate`` times the bound of its
        layer's derivatives counts as constant along it (and cannot enter the basis).
    slope : float
        A half-edge descends if its slope per unit length is below minus ``slope`` times the bound
        on it that the norms of inputs and backpropagated rows give; between the two it is flat.
    drift : float
        The basis is refactorised when a derivative that should vanish exceeds ``drift`` times
        what ``rate`` allows.

    Examples
    --------
    >>> import reluplex_walk as rw
    >>> rw.TOLERANCES._replace(zero=1e-10)  # for walk(loss, tolerances=...)
    Tolerances(zero=1e-10, rate=1e-11, slope=1e-12, drift=0.1)
    """

    zero: float = 1e-11
    rate: float = 1e-11
    slope: float = 1e-12
    drift: float = 0.1


TOLERANCES = Tolerances()
"""The tolerances in force wherever none are given."""

__all__ = ["TOLERANCES", "Tolerances"]
