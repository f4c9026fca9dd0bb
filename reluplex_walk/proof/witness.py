"""The witness of a proof at an exact vertex: all that a checker needs to confirm it by computing.

Around a point at which the breakpoints 0..k-1 vanish, the one-sided derivative of the loss, seen
from the region in which they have given `sides`, is

    F'(d) = g . d + sum_c gamma_c min(0, t_c),    t_c = n_c . d + sum_b alpha_cb min(0, t_b)

(:class:`.LocalModel`).  The normals of the `pivots` are a basis of all: their rates are the
coordinates.  A breakpoint whose coordinate no other normal contains is *single*; the others form
*blocks*, and F' is a sum of one function for each single breakpoint and each block.  A block is a

    f(y) = l . y + sum_c k_c min(0, t_c(y)),   t_c = a_c . y + sum_b alpha_cb min(0, t_b),

with one coordinate for each of its pivots and one term for each member, in ascending order.  Of the
terms that follow nothing (no alpha_cb), the kinks of those with proportional rows are moved to the
first of them: where a_c = m a_b, k_c min(0, t_c) is (k_c |m|) min(0, t_b), less (k_c |m|) t_b if
m < 0; so k_b += k_c |m|, k_c = 0, and for m < 0 also l += k_c m a_b.  Proofs are about the f so
merged.
"""

from fractions import Fraction
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from .._shown import repr_html

Ints = NDArray[np.int64]


class Multipliers(NamedTuple):
    """A convex f is >= 0: all k_c <= 0, no alpha, and l + sum_c theta_c k_c a_c = 0."""

    theta: tuple[Fraction, ...]  # in [0, 1], one for each term


class Fan(NamedTuple):
    """f >= 0 on simplicial cones that fill the space.

    The cones are first the orthants, in the order of ``itertools.product`` over the coordinates, +1
    before -1, each with the generators +-e_1 .. +-e_d.  `nodes` lists them depth first.  A row
    (term, p, n): the cone is cut by the point between its generators p (t > 0) and n (t < 0) at
    which the term is 0; the part in which it takes the place of generator p comes first, then that
    of generator n, each with its own parts.  A row (-1, first, last): a leaf.  Terms of one sign at
    all generators are linear there, concave ones (k > 0) lie above their interpolation, convex ones
    (k < 0) of two signs above  theta_c k_c t_c, theta_c in [0, 1]  being ``theta[first:last]`` for
    the terms ``terms[first:last]`` (0 for those not listed); the sum of all is >= 0 at every
    generator.  No term of two signs feeds another.
    """

    nodes: Ints  # (m, 3)
    terms: Ints  # (s,)
    theta: tuple[Fraction, ...]  # (s,)


class Bound(NamedTuple):
    """Why m_e = max(0, -t_e) of a term e is at most low_e, see :class:`Leaf`."""

    term: int
    kappa: Fraction  # how often it is used
    x: tuple[tuple[int, Fraction], ...]
    rest: tuple[tuple[int, Fraction], ...] = ()


class Leaf(NamedTuple):
    """f >= 0 where the terms on the path have their signs.

    Written with m_c = max(0, -t_c) as a variable for each term c that is not on the path, all is
    linear in (y, m):  t_c = a_c . y - sum_b alpha_cb m_b  and  f = l . y - sum_c k_c m_c,  where
    m_c = 0 for terms on the path with t_c >= 0, and m_c = -t_c for those with t_c <= 0.  The
    *forms*  F_c = m_c and F_(n+c) = p_c = m_c + t_c, c = 0 .. n-1, are >= 0.  For bound number j of
    `above`, (e, kappa, x, v), as linear functions of (y, m),

        t_e = sum_c x_c t_c + sum_i v_i F_i,   so that   m_e <= low_e,
        low_e = sum_c (max(0, x_c) m_c + max(0, -x_c) p_c) + sum_i max(0, -v_i) F_i,

    which is a further form, F_(2n+j) = low_e - m_e >= 0; of these, v has those of bounds before it
    only.  With all kappa >= 0 and multipliers lambda >= 0, as linear functions of (y, m),

        f = sum_i lambda_i F_i + sum_j kappa_j F_(2n+j).

    Lists hold pairs (form i or term c, number); entries not given are 0.
    """

    multipliers: tuple[tuple[int, Fraction], ...]  # of the forms 0 .. 2n-1
    above: tuple[Bound, ...]


class Tree(NamedTuple):
    """f >= 0 on the leaves of a tree of splits by the signs of terms.

    `nodes`, depth first: a term >= 0 splits into its sides t >= 0 (first) and t <= 0; -1 is the
    next of the leaves.
    """

    nodes: Ints  # (m,)
    leaves: tuple[Leaf, ...]


class Shares(NamedTuple):
    """f >= g >= 0, where g is a sum of functions of fewer coordinates.

    In g each of the `terms` c, convex (k_c < 0) and followed by none, has a tangent in its place:
    theta_c k_c t_c, theta_c in [0, 1].  So l += theta_c k_c a_c, k_b += theta_c k_c alpha_cb, and
    the term is gone.  What its kink held together falls apart: coordinates that no term has in
    common, directly or through those it follows, are of different functions, each a block of g with
    its other terms as members.  Of coordinates without a term l is 0.
    """

    terms: Ints  # (s,) ascending
    theta: tuple[Fraction, ...]  # (s,)
    blocks: "tuple[Block, ...]"


class Block(NamedTuple):
    """A block of breakpoints (or of the terms of a function), and why its function is >= 0."""

    members: Ints  # ascending, among the vanishing breakpoints
    proof: "Multipliers | Fan | Tree | Shares"


Proof = Multipliers | Fan | Tree | Shares


class Witness(NamedTuple):
    """Why the one-sided derivative F' of the loss is >= 0 at an exact vertex.

    A record of what a checker needs to confirm that by computing; the formulas are in
    docs/certificate-format.

    Attributes
    ----------
    sides : ndarray (k,)
        -1 or 1: sides of the vanishing breakpoints in the region F' is seen from.
    pivots : ndarray (r,)
        Breakpoints whose normals are a basis of all.
    prices : tuple of Fraction (r,)
        The gradient as a combination of the normals of the pivots.
    blocks : tuple of Block
        Groups of breakpoints that depend on each other, each with a proof.
    order : ndarray (k,) or None
        Breakpoint c of the witness is number ``order[c]`` of those that the certificate lists (its
        `active`, then its `tied` ones); None: they are in that order.

    Examples
    --------
    The slope of each half-edge is its price, or what the price lacks of the jump of the slope, 2:

    >>> import reluplex_walk as rw
    >>> net = rw.ReLUNetwork([[[0.0]]], [[0.0]])
    >>> loss = rw.LayerLoss(net, [[0.0], [1.0], [2.0]], [1.0, 2.0, 10.0])
    >>> certificate = rw.walk(loss).certificate
    >>> sorted(certificate.witness.prices), certificate.witness.blocks
    ([Fraction(1, 2), Fraction(1, 2)], ())
    """

    sides: NDArray[np.int8]
    pivots: Ints
    prices: tuple[Fraction, ...]
    blocks: tuple[Block, ...]
    order: Ints | None = None

    def _repr_html_(self) -> str:
        return repr_html(self)


__all__ = ["Block", "Bound", "Fan", "Leaf", "Multipliers", "Proof", "Shares", "Tree", "Witness"]
