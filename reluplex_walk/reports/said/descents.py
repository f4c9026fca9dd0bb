"""What is said of gradient methods, which prove nothing."""

from typing import Any

from .proof import proved_of, verdict
from .record import Mark, Said, Saying, about, count, level, number, seconds, share, stopped

_NO_CLAIM = (
    "A gradient method proves nothing: no claim is made that its end, or the best point it met, "
    "is a minimum."
)


def descent_path(path: Any) -> Said:
    """Of a :class:`DescentPath`."""
    figures = {
        "loss": f"{level(path.loss)} (start {level(path.losses[0])})",
        "least loss met": level(path.best_loss),
        "gradients": f"{int(path.gradients[-1])} in {count(path.n_steps, 'step')}",
        "method": repr(path.method),
        "time": seconds(path.elapsed),
    }
    why = f" What floats do not hold: {path.reason}." if path.reason else ""
    return Said(
        title=f"Gradient descent: {about(path.problem)}",
        mark=Mark.OPEN,
        verdict="a gradient method proves nothing",
        figures=figures,
        sentences=[
            f"{count(path.n_steps, 'step')} of {type(path.method).__name__} led from a loss of "
            f"{level(path.losses[0])} to {level(path.loss)}; the least that was met is "
            f"{level(path.best_loss)}.",
            stopped("The descent", path.ended, True) + why,
            f"{_NO_CLAIM} `path.gap()` walks on from its end and says how far above a minimum it "
            "is."
            if hasattr(path.problem, "layer")
            else _NO_CLAIM,
        ],
    )


def _gap(found: Any) -> Said:
    mark, words = verdict(found.walk.certificate)
    return Said(
        title=f"How far a descent stopped above a minimum: {about(found.walk.problem)}",
        mark=mark,
        verdict=f"end of the walk: {words}",
        figures={
            "gap": number(found.fall),
            "of the loss": share(found.relative),
            "loss at the end of the walk": level(found.walk.loss),
            "pivots": str(found.walk.n_pivots),
        },
        sentences=[
            f"A walk from the end of the descent went {count(found.walk.n_pivots, 'pivot')} and "
            f"fell by {number(found.fall)}, which is {share(found.relative)} of the loss; the gap "
            "is the difference of two losses in rational arithmetic.",
            stopped("The walk", found.ended, True),
            *proved_of(found.walk.certificate, "The end of the walk"),
        ],
    )


def _descent(found: Any) -> Said:
    return Said(
        title="Subgradient descent with Polyak's steps",
        mark=Mark.OPEN,
        verdict="a gradient method proves nothing",
        figures={
            "least loss": level(found.loss),
            "loss at the start": level(found.losses[0]),
            "steps": str(len(found.losses) - 1),
        },
        sentences=[
            f"{count(len(found.losses) - 1, 'step')} led from a loss of {level(found.losses[0])} "
            f"to a least one of {level(found.loss)}.",
            stopped("The descent", found.ended),
            _NO_CLAIM,
        ],
    )


def _alice(run: Any) -> Said:
    return Said(
        title="A run of Alice",
        mark=Mark.OPEN,
        verdict="a gradient method proves nothing",
        figures={
            "steps": str(run.steps),
            "learning rate": number(run.learning_rate),
            "parameters": str(len(run.theta)),
            "seed": str(run.seed),
        },
        sentences=[
            f"The run has made {count(run.steps, 'step')}, those of the burn-in included.",
            _NO_CLAIM,
        ],
    )


SAID: Saying = {
    "DescentPath": descent_path,
    "DescentGap": _gap,
    "Descent": _descent,
    "AliceRun": _alice,
}

__all__ = ["SAID"]
