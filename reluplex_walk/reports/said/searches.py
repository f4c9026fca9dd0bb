"""What is said of searches: many walks to one end, and boxes searched through."""

from typing import Any

from .proof import proved_of, verdict
from .record import Mark, Said, Saying, about, count, level, named, number, seconds, stopped


def minimization(found: Any) -> Said:
    """Of a :class:`Minimization`."""
    best, of = found.best, named(found.best.problem)
    mark, words = verdict(best.certificate)
    walks, levels, proved = len(found.losses), len(found.levels), int(found.proved.sum())
    are = "is that of a proved local minimum" if proved == 1 else "are those of proved local minima"
    sentences = [
        f"{count(walks, 'walk')}, from different starts and from kicked copies of the best ends, "
        f"came to {count(levels, 'level')}: the {of} at the ends of walks that came to their own "
        f"end, of which {proved} {are}.",
        f"The walk that is handed over as the best ends at a {of} of {level(found.loss)}.",
        stopped("The search", found.ended),
        *proved_of(best.certificate, "The end of the best walk", of),
    ]
    if levels and found.levels[0] < found.loss and not found.proved[0]:
        sentences.append(
            f"A lower end, at {level(found.levels[0])}, is not proved to be a local minimum, so "
            "that it is not the one handed over."
        )
    if mark is Mark.PROVED and not best.certificate.is_global:
        sentences.append("The search found no lower proved minimum; that is no proof of none.")
    return Said(
        title=f"Search by many walks: {about(best.problem)}",
        mark=mark,
        verdict=words,
        figures={
            f"least {of}": level(found.loss),
            "walks": str(walks),
            "levels found": f"{levels}, of which {proved} proved",
            "pivots of the best walk": str(best.n_pivots),
            "time": seconds(found.elapsed),
        },
        sentences=sentences,
    )


def _global_minimum(found: Any) -> Said:
    zero = found.method == "zero-loss"
    sentences = [
        f"The best parameters found have a loss of {level(found.loss)}; the search says that none "
        f"it was to look at have a loss below {level(found.lower_bound)}.",
        stopped("The search", found.ended) + f" In its own words: {found.message}.",
    ]
    if zero:
        sentences.append("The loss is 0 there, computed in floats, and no loss is below 0.")
    elif found.optimal:
        sentences.append(
            f"So the loss is the least over the box (or, without one, over all parameters of the "
            f"layer), up to {number(found.tolerance, 2)}: the tolerance of the computation in "
            "floats. There is no certificate in rational arithmetic."
        )
    else:
        sentences.append(
            f"It is not shown to be the least: a gap of {number(found.gap, 3)} is left between "
            "the loss and the bound."
        )
    if found.on_border:
        sentences.append("It lies on the border of the box: beyond it the loss may be lower.")
    return Said(
        title="Least loss over a box of parameters",
        mark=Mark.PROVED if found.optimal else Mark.OPEN,
        verdict="least loss, up to the tolerance of floats" if found.optimal else "a gap is left",
        figures={
            "loss": level(found.loss),
            "lower bound": level(found.lower_bound),
            "tolerance": number(found.tolerance, 3),
            "method": found.method,
            "time": seconds(found.elapsed),
        },
        sentences=sentences,
    )


SAID: Saying = {
    "Minimization": minimization,
    "GlobalMinimum": _global_minimum,
}

__all__ = ["SAID"]
