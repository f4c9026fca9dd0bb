"""`Certificate`: what was proved about the end of a walk, and what was not."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .._files import load_archive, write_archive
from .._shown import repr_html
from .._validate import choice, instance
from ..exact.rationals import Objects
from ..problem.loss import LayerLoss
from .certificate_fields import check_fields
from .check import CertificateError, Claim, ExactCheck, check
from .reason import Reason
from .witness import Witness
from .witness_file import from_words, read, to_words, write

METHODS = {
    "vertex": "all half-edges of a non-degenerate vertex (or face) have slopes >= 0",
    "cells": "the one-sided derivative is >= 0 on every cell around a degenerate vertex",
    "convex": "the loss is convex around a degenerate vertex, and 0 is one of its subgradients",
    "zero-loss": "the loss is 0, its least possible value",
    "none": "not proved",
    "unfinished": "not proved: the walk stopped before its end",
}
"""What each proof rests on."""


@dataclass(frozen=True, eq=False)
class Certificate:
    """Evidence that the end of a walk is a local minimum of the loss.

    At a non-degenerate vertex the loss is affine on each of the 2^r cones around it, and each
    cone is spanned by r of the 2r half-edges: all 2r slopes >= 0 is necessary and sufficient for a
    local minimum (Hinz and van de Geer, arXiv 2011.14895).  At a degenerate vertex the one-sided
    derivative is shown to be >= 0 in all directions.  Every proof is one in rational arithmetic,
    at a point without rounding, and carries a witness, which :meth:`verify` confirms by computing.

    Attributes
    ----------
    method : str
        The proof, a key of ``certificate.METHODS``: ``vertex``, ``convex``, ``cells``,
        ``zero-loss``, or ``none`` / ``unfinished`` where there is no proof.
    reason : Reason or None
        Why nothing is proved; None where it is.
    theta : ndarray (h, q)
        The end; where something is proved, `point` rounded to the nearest floats.
    point : ndarray (h, q) of Fraction, or None
        The end without rounding; None where it is not known.
    loss : Fraction or float
        The loss at `point`, exactly; without one, the loss at `theta`.
    slopes : ndarray (2r,)
        Slopes of all half-edges per unit length in parameter space: the near ones in the order of
        `active`, then the far ones.  At a degenerate end they are the one-sided derivatives along
        the half-edges of one basis, which alone prove nothing; where the walk was stopped before
        its end, the slopes in the regions beside its own.
    active : ndarray (r, 3)
        The basis: (hidden layer above the trained one or residual, sample, neuron).
    tied : ndarray (k, 3)
        Further breakpoints that vanish at the end; none at a non-degenerate one.
    sides : ndarray (r + k,)
        Sides (-1 or 1) of `active` and `tied` in the region that the slopes are seen from.
    is_global : bool
        Whether the proof is global: the loss is convex throughout, or 0.
    slope_tolerances : ndarray (2r,)
        Size up to which each slope counts as 0: 0 where they were computed exactly.
    zero_tolerance : float
        Relative size up to which breakpoints counted as 0 in floating point.
    fingerprint : str
        Of the loss the certificate is about.
    witness : Witness or None
        What the proof rests on, for a checker.
    digest : str
        Checksum of all others; filled in if not given.
    aliased : ndarray (k,)
        Input columns of the trained layer that others determine up to rounding: their weights are
        where the walk started (see :attr:`LayerLoss.aliased`).
    fit_intercept : bool
        Whether the biases of the trained layer were free.
    combination : ndarray (k, q) of Fraction
        The aliased columns by the free ones (the constant last).
    given_aliased : bool
        Whether the proof is for the given weights of the aliased columns only: the combination
        holds up to rounding.  Else it is exact, and what is proved holds whatever they are.

    Raises
    ------
    ValueError
        If `method` is no known proof.

    Examples
    --------
    The best line passes through the first and the last of three points:

    >>> import reluplex_walk as rw
    >>> net = rw.ReLUNetwork([[[0.0]]], [[0.0]])
    >>> loss = rw.LayerLoss(net, [[0.0], [1.0], [2.0]], [1.0, 2.0, 10.0])
    >>> certificate = rw.walk(loss).certificate
    >>> certificate.method, certificate.is_local_minimum, certificate.is_global
    ('vertex', True, True)
    >>> certificate.rank, certificate.dim, certificate.n_tied, certificate.degenerate
    (2, 2, 0, False)
    >>> sorted(certificate.active.tolist())  # the residuals of the samples 0 and 2
    [[0, 0, 0], [0, 2, 0]]
    >>> len(certificate.slopes), round(certificate.smallest_slope, 6), certificate.strict
    (4, 0.447214, True)
    """

    method: str
    theta: NDArray[np.float64]
    loss: Fraction | float
    slopes: NDArray[np.float64]
    active: NDArray[np.int64]
    tied: NDArray[np.int64]
    sides: NDArray[np.int8]
    is_global: bool
    slope_tolerances: NDArray[np.float64]
    zero_tolerance: float
    fingerprint: str
    point: Objects | None = None
    aliased: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, np.int64))
    fit_intercept: bool = True
    combination: Objects = field(default_factory=lambda: np.zeros((0, 0), object))
    given_aliased: bool = False
    witness: Witness | None = None
    reason: Reason | None = None
    digest: str = ""

    def __post_init__(self) -> None:
        choice("method", self.method, METHODS)
        if self.is_local_minimum == (self.reason is not None):
            raise ValueError(f"reason: expected one if nothing is proved, found {self.reason}")
        if not self.digest:
            object.__setattr__(self, "digest", self.checksum())

    def checksum(self) -> str:
        """The checksum that `digest` has to equal: SHA-256 of all other fields, in hexadecimal.

        Examples
        --------
        >>> import dataclasses, fractions
        >>> import reluplex_walk as rw
        >>> net = rw.ReLUNetwork([[[0.0]]], [[0.0]])
        >>> loss = rw.LayerLoss(net, [[0.0], [1.0], [2.0]], [1.0, 2.0, 10.0])
        >>> certificate = rw.walk(loss).certificate
        >>> changed = dataclasses.replace(certificate, loss=fractions.Fraction(0))
        >>> [each.checksum() == each.digest for each in (certificate, changed)]
        [True, False]
        """
        checksum = hashlib.sha256()
        for name, part in self.to_arrays().items():
            if name != "digest":
                value = np.ascontiguousarray(part)
                checksum.update(f"{name}{value.shape}{value.dtype.kind}".encode())
                checksum.update(value.tobytes())
        return checksum.hexdigest()

    @property
    def exact(self) -> bool:
        """Whether the end is known without rounding: `point`.

        Examples
        --------
        >>> import reluplex_walk as rw
        >>> loss = rw.LayerLoss(rw.ReLUNetwork([[[0.0]]], [[0.0]]), [[0.0], [1.0]], [1.0, 2.0])
        >>> rw.walk(loss).certificate.exact, rw.walk(loss, max_pivots=0).certificate.exact
        (True, False)
        """
        return self.point is not None

    @property
    def is_local_minimum(self) -> bool:
        """Whether a local minimum was proved."""
        return self.method not in ("none", "unfinished")

    @property
    def n_tied(self) -> int:
        """How many further breakpoints vanish at the end."""
        return len(self.tied)

    @property
    def degenerate(self) -> bool:
        """Whether more breakpoints vanish at the end than the basis holds."""
        return self.n_tied > 0

    @property
    def dim(self) -> int:
        """The number of free parameters: D, less those of aliased columns and fixed biases."""
        h, q = self.theta.shape
        return h * (q - len(self.aliased) - (not self.fit_intercept))

    @property
    def rank(self) -> int:
        """r, the number of active breakpoints in the basis; r < dim: the end is a face."""
        return len(self.active)

    @property
    def smallest_slope(self) -> float:
        """Smallest slope of a half-edge (0.0 where there is none: the loss is locally constant)."""
        return float(self.slopes.min()) if self.slopes.size else 0.0

    @property
    def strict(self) -> bool:
        """Whether the minimum is proved to be strict: every direction (of what is free) ascends.

        Only said at non-degenerate vertices; elsewhere the minimum may or may not be weak.
        """
        return (
            self.method == "vertex"
            and not self.degenerate
            and self.rank == self.dim
            and bool((self.slopes > self.slope_tolerances).all())
        )

    def verify(self, loss: LayerLoss) -> None:
        """Check the certificate against `loss`; see :meth:`verify_exact`, which returns figures.

        Raises
        ------
        CertificateError
            (a ValueError) If anything differs; the message says what.

        Examples
        --------
        >>> import reluplex_walk as rw
        >>> net = rw.ReLUNetwork([[[0.0]]], [[0.0]])
        >>> loss = rw.LayerLoss(net, [[0.0], [1.0], [2.0]], [1.0, 2.0, 10.0])
        >>> rw.walk(loss).certificate.verify(loss)
        """
        self.verify_exact(loss)

    def verify_exact(self, loss: LayerLoss) -> ExactCheck:
        """Check the certificate against `loss` in rational arithmetic, independently of the walk.

        A small checker, which shares no code with what proves and searches for nothing, computes
        from the data, the network, `point` and the witness: the signs of all breakpoints and the
        loss at the point, that of its rounding `theta`, the slopes of all half-edges, and at a
        degenerate end that the witness shows the one-sided derivative to be >= 0.

        Parameters
        ----------
        loss : LayerLoss
            The loss that the certificate is about.

        Returns
        -------
        ExactCheck
            The exact vertex, slopes and loss, as fractions.

        Raises
        ------
        CertificateError
            (a ValueError) If anything differs; the message says what.

        Examples
        --------
        >>> import reluplex_walk as rw
        >>> net = rw.ReLUNetwork([[[0.0]]], [[0.0]])
        >>> loss = rw.LayerLoss(net, [[0.0], [1.0], [2.0]], [1.0, 2.0, 10.0])
        >>> check = rw.walk(loss).certificate.verify_exact(loss)
        >>> check.loss, check.theta.ravel().tolist()
        (Fraction(7, 2), [Fraction(9, 2), Fraction(1, 1)])
        """
        return check(self._claim(loss), loss)

    def _claim(self, loss: LayerLoss) -> Claim:
        """What is to be checked; CertificateError if it is not about `loss`, or was changed."""
        instance("loss", loss, LayerLoss)
        differ = _differences(self.fingerprint, loss.fingerprint)
        if differ or self.fingerprint != loss.fingerprint:
            raise CertificateError(f"loss: the certificate is of another loss: {differ}")
        if not np.array_equal(self.aliased, loss.aliased):
            raise CertificateError(
                f"aliased: {self.aliased.tolist()} is said, {loss.aliased.tolist()} found"
            )
        if self.checksum() != self.digest:
            raise CertificateError("digest: the certificate was changed after it was made")
        if not self.is_local_minimum:
            reason = self.reason.message if self.reason else ""
            raise CertificateError(f"method: {self.method!r}, nothing is claimed: {reason}")
        return Claim(**{name: getattr(self, name) for name in Claim._fields})

    def save(self, path: str | Path, force: bool = False) -> None:
        """Write the certificate to `path` (npz); FileExistsError if it exists, unless `force`.

        Neither the data nor the network are in it: :meth:`Trajectory.save` keeps them, too.

        Examples
        --------
        >>> import pathlib, tempfile
        >>> import reluplex_walk as rw
        >>> net = rw.ReLUNetwork([[[0.0]]], [[0.0]])
        >>> loss = rw.LayerLoss(net, [[0.0], [1.0], [2.0]], [1.0, 2.0, 10.0])
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     path = pathlib.Path(folder, "certificate.npz")
        ...     rw.walk(loss).certificate.save(path)
        ...     path.stat().st_size < 10_000
        True
        """
        write_archive(path, "certificate", self.to_arrays(), force)

    def to_arrays(self) -> dict[str, Any]:
        """The fields as arrays and plain values, as files hold them; numbers of `point` in hex.

        Examples
        --------
        >>> import reluplex_walk as rw
        >>> net = rw.ReLUNetwork([[[0.0]]], [[0.0]])
        >>> loss = rw.LayerLoss(net, [[0.0], [1.0], [2.0]], [1.0, 2.0, 10.0])
        >>> arrays = rw.walk(loss).certificate.to_arrays()
        >>> arrays["method"], arrays["active"].shape
        ('vertex', (2, 3))
        """
        arrays = {each.name: getattr(self, each.name) for each in fields(self)}
        for name in ("point", "witness", "reason"):
            if arrays[name] is None:
                del arrays[name]
        if not len(self.aliased):
            del arrays["aliased"], arrays["combination"], arrays["given_aliased"]
        else:
            arrays["combination"] = to_words(self.combination)
        if self.fit_intercept:
            del arrays["fit_intercept"]
        if self.reason is not None:
            arrays["reason"] = self.reason.name
        if self.point is not None:
            arrays["point"] = to_words(self.point)
            arrays["loss"] = to_words(np.array(self.loss, object))
        if self.witness is not None:
            arrays["witness"] = write(self.witness)
        return arrays

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, Any]) -> "Certificate":
        """The certificate whose :meth:`to_arrays` are `arrays`; ValueError if they are of none.

        Examples
        --------
        >>> import reluplex_walk as rw
        >>> net = rw.ReLUNetwork([[[0.0]]], [[0.0]])
        >>> loss = rw.LayerLoss(net, [[0.0], [1.0], [2.0]], [1.0, 2.0, 10.0])
        >>> certificate = rw.walk(loss).certificate
        >>> rw.Certificate.from_arrays(certificate.to_arrays()).digest == certificate.digest
        True
        """
        check_fields(arrays)
        values: dict[str, Any] = {name: np.asarray(value) for name, value in arrays.items()}
        values = {name: v if v.ndim else v.item() for name, v in values.items()}
        if "point" in values:
            values["point"] = from_words(values["point"])
            values["loss"] = from_words(np.array(values["loss"])).item()
        if "combination" in values:
            values["combination"] = from_words(values["combination"])
        if "witness" in values:
            values["witness"] = read(values["witness"])
        if "reason" in values:
            values["reason"] = Reason[values["reason"]]
        return cls(**values)

    @classmethod
    def load(cls, path: str | Path) -> "Certificate":
        """Read a certificate from `path`, where :meth:`save` wrote it.

        FileNotFoundError if there is no file, ValueError if it is another one or damaged.

        Examples
        --------
        >>> import pathlib, tempfile
        >>> import reluplex_walk as rw
        >>> net = rw.ReLUNetwork([[[0.0]]], [[0.0]])
        >>> loss = rw.LayerLoss(net, [[0.0], [1.0], [2.0]], [1.0, 2.0, 10.0])
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     path = pathlib.Path(folder, "certificate.npz")
        ...     rw.walk(loss).certificate.save(path)
        ...     rw.Certificate.load(path).verify_exact(loss).loss
        Fraction(7, 2)
        """
        return load_archive(path, "certificate", cls.from_arrays)

    _repr_html_ = repr_html

    def __repr__(self) -> str:
        kind = "strict" if self.strict else "weak"
        if self.reason is not None:
            kind = f"unproved ({self.reason.name.lower()})"
        return (
            f"Certificate({self.method}{', exact' if self.exact else ''}, {kind}, "
            f"rank {self.rank}/{self.dim}, {self.n_tied} tied, "
            f"smallest slope {self.smallest_slope:.3g})"
        )


def unproved(certificate: Certificate, reason: Reason) -> Certificate:
    """The same end, of which nothing is claimed for a `reason`."""
    return replace(
        certificate, method="none", is_global=False, witness=None, reason=reason, digest=""
    )


def _differences(fingerprint: str, other: str) -> str:
    """Which parts of two fingerprints of losses differ, in words."""
    parts = (dict(p.split("=", 1) for p in f.split(" ") if "=" in p) for f in (fingerprint, other))
    mine, theirs = parts
    names = [*theirs, *(k for k in mine if k not in theirs)]
    return ", ".join(f"{k} differs" for k in names if mine.get(k) != theirs.get(k))


__all__ = ["METHODS", "Certificate", "unproved"]
