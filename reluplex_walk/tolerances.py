"""All tolerances of the library: a record for walks, and one for each other room."""

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


class ProblemTolerances(NamedTuple):
    """When a loss counts as reproduced: ``share`` of it, ``targets`` of sum w |y|, ``terms`` of the
    sum of all absolute terms may be missing together.  And when a column counts as dependent: if
    other columns leave at most ``aliased`` of its norm.
    """

    share: float = 1e-6
    targets: float = 1e-9
    terms: float = 1e-13
    aliased: float = 1e-12


class ProofTolerances(NamedTuple):
    """What is trusted in a search for proofs, and what a claim allows.

    Attributes
    ----------
    gap_share, gap_targets : float
        A claim is about theta if the loss there lies above that of the exact end by at most this
        share of it plus this share of sum w |y|.
    tangents : float
        A lower bound in floats is trusted beyond this share of its terms: far above the rounding of
        a sum of 10^4 of them.
    relaxed : float
        A least value of a linear program of unit scale at most this far below 0 may be 0.
    """

    gap_share: float = 1e-9
    gap_targets: float = 1e-12
    tangents: float = 1e-11
    relaxed: float = 1e-9


class RegionTolerances(NamedTuple):
    """When numbers count as equal among affine regions.

    Attributes
    ----------
    rank : float
        A pivot of the inputs at most this share of the largest counts as 0.
    near : tuple of float
        Shares of the size of their terms up to which breakpoints may vanish at a minimiser over a
        region: guesses, which exact arithmetic tells apart.
    touch : float
        Share of the size of their terms up to which the pieces of neighbours meet at a minimiser.
    tilt : float
        Share of a gradient by which it is turned to find the corners of a face.
    apart : float
        Share of their terms by which losses found by HiGHS are different.
    gradient : float
        Relative difference of gradients that are the same.
    least : float
        Difference of losses, relative to their terms, up to which exact arithmetic decides which
        is lower.
    covered : float
        Share of the window that the polygons of a slice may miss.
    parallel : float
        Sine of the angle between directions that span no plane.
    noise : float
        Bound, as for one rounding error, within which all along a line is noise: values are 0,
        positions the same.
    """

    rank: float = 1e-11
    near: tuple[float, ...] = (1e-13, 1e-11, 1e-9, 1e-7, 1e-5, 1e-3)
    touch: float = 1e-13
    tilt: float = 1e-6
    apart: float = 1e-6
    gradient: float = 1e-12
    least: float = 1e-10
    covered: float = 1e-9
    parallel: float = 1e-9
    noise: float = 2.0**-45


class SimplexTolerances(NamedTuple):
    """When a walk looks closer.

    Attributes
    ----------
    nothing : float
        A loss at most this share of the first is decided exactly.
    dependent : float
        A pivot among the normals that stay active at most this size (they have length 1) is 0.
    rise, rise_targets : float
        A loss may rise by this share of it plus this share of sum w |y|: rounding.
    rounding : float
        Share of the sum of its absolute terms that rounding may move a loss by in some hundred
        pivots.
    drifted : float
        Share of what a loss may rise by that the kernels' own may be off by at the end of a chunk:
        beyond it, all of the chunk are computed anew.
    stalled : float
        A fall of the loss by at most this share of it in many pivots is none.
    near : float
        Share of the parameters within which a minimum counts as near in words.
    """

    nothing: float = 1e-13
    dependent: float = 1e-9
    rise: float = 1e-9
    rise_targets: float = 1e-12
    rounding: float = 1e-13
    drifted: float = 0.1
    stalled: float = 1e-15
    near: float = 1e-9


class GraphTolerances(NamedTuple):
    """When vertices are the same.

    Attributes
    ----------
    same : float
        Relative distance of two computations of one vertex.
    small : float
        Share of the size of the parameters a search begins at, below which vertices are compared
        at that size.
    rounding : float
        Components at most this share of the largest are rounding; losses that differ by at most
        this share of their terms are compared exactly.
    doubt : float
        Multiple of what floats count as 0 up to which exact arithmetic decides.
    corner : float
        Distance, relative to the window of a slice, within which corners of polygons are one.
    """

    same: float = 1e-8
    small: float = 1e-4
    rounding: float = 1e-12
    doubt: float = 1e4
    corner: float = 1e-10


class EnsembleTolerances(NamedTuple):
    """When walks have one end: the same breakpoints vanish there, all others lie on the same sides,
    and their losses differ by at most ``same_loss`` of them, by rounding.
    """

    same_loss: float = 1e-9


class OptimizeTolerances(NamedTuple):
    """What searches for low minima allow.

    Attributes
    ----------
    level : float
        Relative difference of losses that are one level.
    rounding : float
        Relative error of the loss at the vertices of regions.
    feasibility : float
        Of HiGHS: integrality, primal feasibility, and its absolute gap.
    nothing : float
        An end of at most this share of sum w |y| may be one of loss 0.
    room : float
        How far above the known loss, relative to it, an integer program still admits solutions.
    near : float
        Share of a layer's largest parameter by which those of a network may differ from the point
        of the layer's certificate.
    """

    level: float = 1e-9
    nothing: float = 1e-10
    rounding: float = 1e-10
    feasibility: float = 1e-6
    room: float = 1e-6
    near: float = 1e-9


class TestingTolerances(NamedTuple):
    """What assertions allow for rounding.

    Attributes
    ----------
    loss, targets : float
        Two losses are one if they differ by this share of them plus this share of sum w |y|.
    theta : float
        Share of the parameters, by what they do, up to which a point is a minimum rounded.
    vertices : float
        How much more than losses vertices may differ: they solve linear systems.
    """

    loss: float = 1e-9
    targets: float = 1e-12
    theta: float = 1e-9
    vertices: float = 1e3


class PlottingTolerances(NamedTuple):
    """What pictures show as equal.

    Attributes
    ----------
    on_plane : float
        Distance from a plane, relative to the size of theta, that counts as 0.
    same : float
        Relative difference of losses that are the same.
    flat : float
        Height of a triangle of three vertices, relative to its sides, that spans no plane.
    """

    on_plane: float = 1e-9
    same: float = 1e-9
    flat: float = 1e-9


WORK_PER_SECOND = 1e6
"""Work that a second of a budget stands for, as measured once (``python -m benchmarks limits``)."""

TOLERANCES = Tolerances()
"""The tolerances of walks, in force wherever none are given."""

PROBLEM = ProblemTolerances()
PROOF = ProofTolerances()
REGIONS = RegionTolerances()
SIMPLEX = SimplexTolerances()
GRAPHS = GraphTolerances()
ENSEMBLES = EnsembleTolerances()
OPTIMIZE = OptimizeTolerances()
PLOTTING = PlottingTolerances()
TESTING = TestingTolerances()

__all__ = [
    "ENSEMBLES",
    "GRAPHS",
    "OPTIMIZE",
    "PLOTTING",
    "PROBLEM",
    "PROOF",
    "REGIONS",
    "SIMPLEX",
    "TESTING",
    "TOLERANCES",
    "WORK_PER_SECOND",
    "Tolerances",
]
