"""The checker: whether a certificate holds for a loss, by computing alone, in rational arithmetic.

It reads the data, the network, and what the certificate claims; it shares no code with what proves,
searches for nothing, and believes nothing that it did not compute (docs/certificate-format).
"""

from fractions import Fraction
from time import process_time
from typing import NamedTuple

import numpy as np
from flint import fmpq, fmpq_mat
from numpy.typing import NDArray

from .._shown import repr_html
from ..exact.rationals import Objects, objects
from ..problem.loss import LayerLoss
from ..tolerances import PROOF
from .check_blocks import RefutedError
from .check_linear import Linear, is_linear
from .check_local import Vanishing, one_sided
from .check_loss import CheckedLoss, Piece, Signs, to_floats
from .check_parts import Parts, confirm_blocks
from .witness import Witness

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


class CertificateError(ValueError):
    """A certificate that does not hold; the message says what differs.

    Examples
    --------
    >>> import reluplex_walk as rw
    >>> net = rw.ReLUNetwork([[[0.0]]], [[0.0]])
    >>> loss = rw.LayerLoss(net, [[0.0], [1.0], [2.0]], [1.0, 2.0, 10.0])
    >>> other = rw.LayerLoss(net, [[0.0], [1.0], [2.0]], [1.0, 2.0, 11.0])
    >>> try:
    ...     rw.walk(loss).certificate.verify(other)
    ... except rw.CertificateError as error:
    ...     print(error)
    loss: the certificate is of another loss: y differs
    """


class Claim(NamedTuple):
    """What a certificate says of the end of a walk; fields as in :class:`.Certificate`."""

    method: str
    theta: Floats  # (h, q)
    point: Objects | None  # (h, q)
    loss: Fraction
    slopes: Floats  # (2r,)
    slope_tolerances: Floats  # (2r,)
    sides: NDArray[np.int8]  # (r + k,)
    active: Ints  # (r, 3)
    tied: Ints  # (k, 3)
    is_global: bool
    witness: Witness | None
    aliased: Ints  # (k,)
    combination: Objects  # (k, q)
    given_aliased: bool
    fit_intercept: bool


class ExactCheck(NamedTuple):
    """What :meth:`Certificate.verify_exact` computed, in rational arithmetic.

    Attributes
    ----------
    theta : ndarray (h, q) of Fraction
        The vertex.
    loss : Fraction
        The loss there.
    slopes : ndarray (2r,) of Fraction, or None
        Slopes of the half-edges, per unit of the breakpoint left; None where the loss is 0.
    method : str
        The proof.
    n_breakpoints, n_vanishing : int
        How many breakpoints have been looked at, and how many of them are exactly 0.
    bits : int
        Length of the longest numerator or denominator of `theta`.
    seconds : float
        Computing time taken.

    Examples
    --------
    >>> import reluplex_walk as rw
    >>> net = rw.ReLUNetwork([[[0.0]]], [[0.0]])
    >>> loss = rw.LayerLoss(net, [[0.0], [1.0], [2.0]], [1.0, 2.0, 10.0])
    >>> check = rw.walk(loss).certificate.verify_exact(loss)
    >>> check.method, check.loss, sorted(check.slopes)
    ('vertex', Fraction(7, 2), [Fraction(1, 2), Fraction(1, 2), Fraction(3, 2), Fraction(3, 2)])
    >>> check.n_breakpoints, check.n_vanishing
    (3, 2)
    """

    theta: Objects
    loss: Fraction
    slopes: Objects | None
    method: str
    n_breakpoints: int
    n_vanishing: int
    bits: int
    seconds: float

    def _repr_html_(self) -> str:
        return repr_html(self)


def check(claim: Claim, loss: LayerLoss) -> ExactCheck:
    """What was computed of the claim; CertificateError if it does not hold."""
    began = process_time()
    try:
        found = _Check(claim, loss)
        slopes = found.confirm()
    except (ValueError, TypeError, ArithmeticError, LookupError, AttributeError) as error:
        # RefutedError, or fields that are not what they are said to be
        raise CertificateError(str(error)) from None
    point = claim.point.ravel() if claim.point is not None else objects([])
    bits = max(max(abs(v.numerator), v.denominator).bit_length() for v in point)
    return ExactCheck(
        theta=claim.point.copy() if claim.point is not None else point,
        loss=claim.loss,
        slopes=slopes,
        method=claim.method,
        n_breakpoints=sum(sign.size for sign in found.signs),
        n_vanishing=len(found.vanishing),
        bits=bits,
        seconds=process_time() - began,
    )


class _Check:
    """One claim about one loss, and what is computed of it."""

    def __init__(self, claim: Claim, loss: LayerLoss) -> None:
        if claim.point is None or claim.point.shape != loss.shape:
            raise RefutedError(f"point: expected rationals of shape {loss.shape}")
        r, k = len(claim.active), len(claim.tied)
        slopes = claim.slopes.shape == claim.slope_tolerances.shape == (2 * r,)
        if claim.theta.shape != loss.shape or not slopes or claim.sides.shape != (r + k,):
            raise RefutedError("theta, slopes, sides: the shapes do not fit")
        if (claim.slope_tolerances != 0.0).any():
            raise RefutedError("slope_tolerances: expected 0, as every proof is exact")
        if not np.isfinite(claim.slopes).all() or (claim.slopes < 0.0).any():
            raise RefutedError("slopes: expected numbers >= 0")
        self.claim, self.loss = claim, loss
        self.data = CheckedLoss(loss)
        self.point = _matrix(claim.point)
        self.signs = self.data.signs(self.point)
        self.vanishing = Vanishing.of(self.data, self.signs)

    def confirm(self) -> Objects | None:
        """The exact slopes of the half-edges, after everything else was confirmed."""
        claim = self.claim
        self._confirm_held()
        said = np.concatenate([claim.active, claim.tied])
        groups = self.vanishing.order(said)
        order = self._order(len(said))
        given = self._sides(order)
        sides = self.vanishing.sides(self.signs, groups, given)
        piece = self.data.piece(sides)
        self._confirm_loss(piece)
        if claim.is_global and self.loss.n_hidden > 0 and claim.loss != 0:
            raise RefutedError("is_global: the loss is neither convex nor 0")
        if claim.witness is None:
            self._confirm_zero()
            return None
        if not np.array_equal(claim.sides, given):
            raise RefutedError("sides: not those of the witness")
        slopes = self._slopes(claim.witness, said[order], groups[order], sides, piece)
        self._confirm_method()
        if not np.array_equal(claim.active, said[order][claim.witness.pivots]):
            raise RefutedError("active: not the basis of the witness")
        return self._confirm_slopes(slopes)

    def _slopes(
        self, witness: Witness, said: Ints, groups: Ints, sides: Signs, piece: Piece
    ) -> list[fmpq]:
        """Slopes of the half-edges, after F' >= 0 was confirmed."""
        data, vanishing, free = self.data, self.vanishing, self._free()
        if is_linear(data, witness.blocks):
            linear = Linear(data, vanishing, groups, witness)
            return linear.confirm(piece, free, witness.blocks)
        places = [tuple(place) for place in said.tolist()]
        f = one_sided(data, vanishing, places, sides, piece, free)
        parts = Parts(f, witness.pivots.tolist(), witness.prices)
        confirm_blocks(parts, witness.blocks)
        return parts.slopes()

    def _order(self, count: int) -> Ints:
        witness, order = self.claim.witness, np.arange(count)
        if witness is None or witness.order is None:
            return order
        if not np.array_equal(np.sort(witness.order), order):
            raise RefutedError("witness: not about the breakpoints that vanish")
        return witness.order

    def _sides(self, order: Ints) -> Ints:
        """Sides of the breakpoints said to vanish in the region F' is seen from."""
        sides = np.ones(len(order), np.int64)
        if self.claim.witness is not None:
            given = self.claim.witness.sides
            if given.shape != order.shape or not np.isin(given, (-1, 1)).all():
                raise RefutedError("sides: expected -1 or 1 for each breakpoint that vanishes")
            sides[order] = given
        return sides

    def _free(self) -> list[int]:
        """Flat indices of the parameters the claim is about."""
        free = np.ones(self.loss.shape, np.bool_)
        free[:, self.claim.aliased] = False
        if not self.claim.fit_intercept:
            free[:, -1] = False
        return np.flatnonzero(free.ravel()).tolist()

    def _confirm_held(self) -> None:
        """The parameters that are not free are those of the loss, its aliased columns dependent."""
        claim, loss = self.claim, self.loss
        if claim.aliased.tolist() != loss.aliased.tolist():
            raise RefutedError("aliased: not the columns that the loss holds")
        if claim.fit_intercept != loss.fit_intercept:
            raise RefutedError("fit_intercept: not as in the loss")
        if not len(claim.aliased):
            return
        if self.data.penalty > 0:
            raise RefutedError("aliased: no column is held where weights have a penalty")
        if claim.combination.shape != (len(claim.aliased), loss.shape[1]):
            raise RefutedError("combination: expected a row for each aliased column")
        used = {j for row in claim.combination for j, v in enumerate(row) if v}
        held = {*claim.aliased.tolist(), *(() if loss.fit_intercept else (loss.shape[1] - 1,))}
        if used & held:
            raise RefutedError("combination: of columns that are not free")
        for column, row in zip(claim.aliased.tolist(), claim.combination, strict=True):
            weights = [fmpq(Fraction(v).numerator, Fraction(v).denominator) for v in row]
            if not self.data.depends(column, weights, not claim.given_aliased):
                raise RefutedError(f"aliased: column {column} does not depend on the free ones")

    def _confirm_loss(self, piece: Piece) -> None:
        """The exact loss is as said, and little lies between it and the loss at theta."""
        claim, data = self.claim, self.data
        value = piece.value(self.point)
        if value != fmpq(claim.loss.numerator, claim.loss.denominator):
            raise RefutedError(
                f"loss: said to be {float(claim.loss):.10g}, is {_float(value):.10g}"
            )
        if (to_floats(self.point) != claim.theta).any():
            raise RefutedError("theta: is not the float nearest to the exact vertex")
        targets = _fraction(data.target_size)
        allowed = gap_allowed(claim.loss, targets)
        spread = data.spread()
        close = spread is not None and spread <= allowed
        if not close and (targets > 0 or claim.loss > 0):
            gap = loss_at(data, claim.theta) - claim.loss
            if gap > allowed:
                raise RefutedError(
                    f"theta: the loss there is {float(gap):.3g} above the exact end's"
                )

    def _confirm_zero(self) -> None:
        if self.claim.method != "zero-loss" or self.claim.loss != 0:
            raise RefutedError(f"method: {self.claim.method} is said without a witness")
        if (self.claim.slopes != 0).any():
            raise RefutedError("slopes: nothing is said of them without a witness but 0")

    def _confirm_method(self) -> None:
        """The name of the proof is that of its hardest part."""
        claim, blocks = self.claim, self.claim.witness.blocks if self.claim.witness else ()
        if claim.method == "zero-loss" and claim.loss == 0:
            return
        kinds = {type(block.proof).__name__ for block in blocks}
        expected = "cells" if kinds & {"Fan", "Tree", "Shares"} else "convex" if kinds else "vertex"
        if claim.method != expected:
            raise RefutedError(f"method: {claim.method} is said, the witness is of {expected}")

    def _confirm_slopes(self, exact: list[fmpq]) -> Objects:
        """Signs of the slopes are those of the exact ones, all of which are >= 0."""
        if any(slope < 0 for slope in exact):
            least = min(_float(slope) for slope in exact)
            raise RefutedError(f"slopes: a half-edge descends, with slope {least:.3g}")
        said = (self.claim.slopes > 0).tolist()
        if [slope > 0 for slope in exact] != said:
            raise RefutedError("slopes: which half-edges ascend and which are flat is not as said")
        return objects([_fraction(slope) for slope in exact])


def gap_allowed(loss: Fraction, target_size: Fraction) -> Fraction:
    """How far the loss at theta may lie above the exact one for a claim to be about theta.

    Where both are 0 there is no scale: the rounding of theta is allowed.
    """
    share, targets = Fraction(PROOF.gap_share), Fraction(PROOF.gap_targets)
    return share * loss + targets * target_size


def loss_at(data: CheckedLoss, theta: Floats) -> Fraction:
    """The exact loss at the floats `theta` (h, q)."""
    entries = [fmpq(*v.as_integer_ratio()) for v in theta.ravel().tolist()]
    point = fmpq_mat(theta.shape[0], theta.shape[1], entries)
    signs: Signs = [np.where(sign == 0, 1, sign).astype(np.int8) for sign in data.signs(point)]
    return _fraction(data.piece(signs).value(point))


def _matrix(point: Objects) -> fmpq_mat:
    entries = [fmpq(v.numerator, v.denominator) for v in point.ravel()]
    return fmpq_mat(point.shape[0], point.shape[1], entries)


def _fraction(value: fmpq) -> Fraction:
    return Fraction(int(value.p), int(value.q))


def _float(value: fmpq) -> float:
    return float(_fraction(value))


__all__ = ["CertificateError", "Claim", "ExactCheck", "check", "gap_allowed", "loss_at"]
