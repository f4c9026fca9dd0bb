"""What is said of walks, and of what is found along one."""

from typing import Any

import numpy as np

from ...simplex.summary import off
from .proof import proved_of, verdict
from .record import Mark, Said, Saying, about, count, level, named, number, seconds, span, stopped


def walk_said(traj: Any) -> Said:
    """Of a :class:`Trajectory`."""
    certificate, pivots = traj.certificate, traj.n_pivots
    of = named(traj.problem)
    mark, words = verdict(certificate)
    if mark is Mark.OPEN:
        words = traj.status.message
    dead, neurons = len(traj.dead_neurons), traj.problem.shape[0]
    figures = {
        of: f"{level(traj.loss)} (start {level(traj.losses[0])})",
        "pivots": f"{pivots} ({traj.n_zero_length} of length zero)",
        "active breakpoints": f"{certificate.rank} of {certificate.dim} dimensions, "
        f"{certificate.n_tied} tied",
        "least slope": number(certificate.smallest_slope, 4),
        "walk": f"{traj.options.step} steps, rule {traj.options.rule}, seed {traj.options.seed}",
        "time": seconds(traj.elapsed),
    }
    where = (
        f"The walk went {count(pivots, 'pivot')} along edges between affine regions, from a {of} "
        f"of {level(traj.losses[0])} down to {level(traj.loss)}."
        if pivots
        else f"The walk made no pivot: it stayed at its start, where the {of} is "
        f"{level(traj.loss)}."
    )
    sentences = [
        f"{where} {stopped('It', traj.ended, True)}",
        *proved_of(certificate, "The end of the walk", of),
    ]
    if traj.held_out is not None:
        sentences.append(_best_held_out(traj.held_out))
    if dead:
        sentences.append(f"{off(dead, neurons)}.")
    return Said(f"Walk: {about(traj.problem)}", mark, words, figures, sentences)


def _best_held_out(found: Any) -> str:
    return (
        f"Of the {count(len(found.at), 'entry', 'entries')} at which the held-out loss was looked "
        f"at, it was lowest at entry {found.best}: {level(found.best_loss)}. That is a sample of "
        "the loss on other data, not a bound."
    )


def _held_out(found: Any) -> Said:
    return Said(
        title="Held-out loss along a walk",
        mark=Mark.COMPUTED,
        verdict="losses that were met",
        figures={
            "least held-out loss": level(found.best_loss),
            "at entry": str(found.best),
            "looked at": count(len(found.at), "entry", "entries"),
        },
        sentences=[_best_held_out(found)],
    )


def _level(found: Any) -> Said:
    several = np.ndim(found.level) > 0
    last, low, high = (float(np.ravel(x)[-1]) for x in (found.level, found.low, found.high))
    where = "at the last of its entries" if several else "from where it was asked for"
    return Said(
        title="Estimate of the level a walk ends at",
        mark=Mark.COMPUTED,
        verdict="an estimate, no bound",
        figures={
            "level": level(last),
            "80 % interval": span(low, high, 6),
            "method": found.method,
            "estimates": str(np.size(found.level)),
        },
        sentences=[
            f"The walk is estimated, {where}, to end at a loss of {level(last)}; it is as "
            "likely to end above that as below.",
            f"Of walks like those it was calibrated on, four in five end within "
            f"{span(low, high, 6)}. Nothing about this walk is proved by that.",
        ],
    )


def _point(found: Any) -> Said:
    if found.is_local_minimum:
        mark, words = Mark.PROVED, verdict(found.certificate)[1]
    elif found.decided:
        mark, words = Mark.PROVED, f"no local minimum: the {named(found.end.problem)} descends"
    else:
        mark, words = Mark.OPEN, "neither a minimum nor a way down was found"
    message, of = found.message, named(found.end.problem)
    sentences = [f"{message[0].upper()}{message[1:]}."]
    if found.is_local_minimum:
        sentences += proved_of(found.certificate, "The point", of)
    elif found.decided:
        sentences.append(
            f"That the {of} descends is a one-sided derivative in rational arithmetic, below 0."
        )
        sentences += proved_of(found.end.certificate, "The end of the walk from there", of)
    elif found.reason is not None:
        sentences.append(f"What may help: {found.reason.remedy}.")
    return Said(
        title=f"Check of a point: {about(found.end.problem)}",
        mark=mark,
        verdict=words,
        figures={
            of: level(found.loss),
            "steepest slope": number(found.slope, 4),
            "end of the walk from there": level(found.end.loss),
            "gap": number(found.gap),
        },
        sentences=sentences,
    )


def _passage(found: Any) -> Said:
    steps = len(np.unique(found.steps))
    return Said(
        title=f"Affine regions along a walk: {about(found.problem)}",
        mark=Mark.COMPUTED,
        verdict="regions that were passed",
        figures={"regions": str(len(found)), "steps of the walk": str(steps)},
        sentences=[
            f"The walk passed through {count(len(found), 'affine region')} in "
            f"{count(steps, 'step')}; on each the loss is affine, with the gradient and offset "
            "given. Where an edge borders on several regions, one of them is taken."
        ],
    )


SAID: Saying = {
    "Trajectory": walk_said,
    "HeldOutLosses": _held_out,
    "LevelEstimate": _level,
    "PointCheck": _point,
    "Passage": _passage,
}

__all__ = ["SAID", "walk_said"]
