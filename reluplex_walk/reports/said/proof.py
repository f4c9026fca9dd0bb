"""A certificate in plain sentences: what is proved, what that rests on, what it means, what not."""

from typing import Any

from ...proof.certificate import METHODS, Certificate
from ...proof.check import ExactCheck
from ...proof.witness import Witness
from .record import Mark, Said, Saying, count, level, number, seconds

_CHECK = "`certificate.verify_exact(loss)` has the independent checker confirm all of that."


def proved_of(certificate: Certificate, what: str = "The end", of: str = "loss") -> list[str]:
    """What is proved of `what`, a subject, and what is not; `of` what it is a minimum."""
    if not certificate.is_local_minimum:
        return _nothing(certificate, what, of)
    scope = "global" if certificate.is_global else "local"
    strict = "strict " if certificate.strict else ""
    basis = METHODS[certificate.method]
    sentences = [
        f"{what} is proved to be a {strict}{scope} minimum of the {of} in the parameters of this "
        f"layer, everything else as it is.",
        f"The proof: {basis}. It was made in rational arithmetic, of an exact point; the "
        f"parameters handed over are that point rounded to floats, where the {of} is the same up "
        "to rounding.",
    ]
    if certificate.is_global:
        sentences.append(f"No other parameters of this layer have a lower {of}.")
    else:
        near = (
            f"raises the {of}" if certificate.strict else f"leaves the {of} as it is or raises it"
        )
        sentences.append(
            f"Every small enough change of these parameters {near}. That no lower minimum lies "
            "elsewhere is not claimed."
        )
    return [*sentences, *_aliased(certificate), _CHECK]


def verdict(certificate: Certificate) -> tuple[Mark, str]:
    """The badge of what ends at a certificate."""
    if certificate.is_local_minimum:
        scope = "global" if certificate.is_global else "local"
        return Mark.PROVED, f"{'strict ' if certificate.strict else ''}{scope} minimum"
    reason = certificate.reason
    return Mark.OPEN, reason.message if reason else "nothing is claimed"


def _nothing(certificate: Certificate, what: str, of: str) -> list[str]:
    reason = certificate.reason
    sentences = [
        f"Nothing is proved of {what[0].lower()}{what[1:]}"
        f"{f': {reason.message}' if reason else ''}.",
        f"Whether it is a local minimum is left open: the {of} may descend from there.",
    ]
    return [*sentences, *([f"What may help: {reason.remedy}."] if reason else [])]


def _aliased(certificate: Certificate) -> list[str]:
    if not len(certificate.aliased):
        return []
    many = count(len(certificate.aliased), "input column is", "input columns are")
    holds = (
        "the proof is for these given weights only"
        if certificate.given_aliased
        else "the proof holds whatever they are"
    )
    return [
        f"{many} determined by others, and the weights there are left where the walk started: "
        f"{holds}."
    ]


def _certificate(found: Certificate) -> Said:
    mark, words = verdict(found)
    return Said(
        title="Certificate",
        mark=mark,
        verdict=words,
        figures={
            "loss": level(found.loss),
            "proof": f"{found.method}: {METHODS[found.method]}",
            "active breakpoints": f"{found.rank} of {found.dim} dimensions, {found.n_tied} tied",
            "least slope": number(found.smallest_slope, 4),
            "exact point": "known" if found.exact else "not known",
        },
        sentences=proved_of(found, "The point", "loss, with its penalty if it has one,"),
    )


def _check(found: ExactCheck) -> Said:
    return Said(
        title="Check in rational arithmetic",
        mark=Mark.PROVED,
        verdict="the certificate holds",
        figures={
            "loss": level(found.loss),
            "proof": f"{found.method}: {METHODS[found.method]}",
            "breakpoints": f"{found.n_breakpoints}, of which {found.n_vanishing} vanish",
            "longest number": count(found.bits, "bit"),
            "time": seconds(found.seconds),
        },
        sentences=[
            "The independent checker confirmed the certificate by computing alone, in rational "
            f"arithmetic: {count(found.n_breakpoints, 'breakpoint')} were looked at, "
            f"{found.n_vanishing} are exactly 0 at the point, and the loss there is "
            f"{level(found.loss)}.",
            f"The proof that was checked: {METHODS[found.method]}.",
        ],
    )


def _witness(found: Witness) -> Said:
    return Said(
        title="Witness of a proof",
        mark=Mark.COMPUTED,
        verdict="what a proof rests on; a check confirms it",
        figures={
            "vanishing breakpoints": str(len(found.sides)),
            "in the basis": str(len(found.pivots)),
            "blocks": str(len(found.blocks)),
        },
        sentences=[
            "The witness holds what a checker needs to confirm, by computing alone, that the loss "
            "does not descend in any direction. On its own it proves nothing: "
            "`certificate.verify_exact(loss)` checks it.",
        ],
    )


def optimality(found: Any) -> Said:
    """Of an :class:`OptimalityCertificate`."""
    return Said(
        title="Certificate of a regression",
        mark=Mark.PROVED if found.is_global else Mark.OPEN,
        verdict="global minimum" if found.is_global else "nothing is claimed",
        figures={
            "least value": level(found.loss),
            "vanishing residuals": str(len(found.vanishing)),
            "constraints": str(found.of_constraints.shape[1]),
        },
        sentences=[
            "The exact point is proved to be a global minimum of the loss of the samples with "
            "penalty and constraints: its multipliers balance, in rational arithmetic. The "
            "coefficients of the fit are the floats nearest to it.",
            "`verify_exact()` has that checked again.",
        ]
        if found.is_global
        else ["Nothing is proved: no multipliers are known that would show a minimum."],
    )


SAID: Saying = {
    "Certificate": _certificate,
    "ExactCheck": _check,
    "Witness": _witness,
    "OptimalityCertificate": optimality,
}

__all__ = ["SAID", "proved_of", "verdict"]
