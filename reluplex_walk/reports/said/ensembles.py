"""What is said of ensembles of walks: their ends, and what was not seen."""

from typing import Any

import numpy as np

from .record import Mark, Said, Saying, about, count, level, named, number, share, span, stopped


def ensemble(found: Any) -> Said:
    """Of an :class:`Ensemble`."""
    minima, walks, of = found.minima(), len(found), named(found.problem)
    title = f"Ensemble of walks: {about(found.problem)}"
    if not walks:
        return Said(title, Mark.OPEN, "no walk was made", {}, [stopped("The run", found.ended)])
    proved, ends = int(minima.proved.sum()), len(minima)
    mark, words = _of_ends(proved, ends)
    lowest = minima.keys.index(found.lowest_key) if found.lowest_key is not None else None
    sentences = [
        f"{count(walks, 'walk')} of different seeds ended at a {of} of "
        f"{span(found.losses.min(), found.losses.max(), 6)}.",
        stopped("The run", found.ended),
        *_ends(minima),
    ]
    if lowest is None:
        sentences.append(
            f"The lowest end, at {level(found.loss)}, is that of a walk cut short: nothing is "
            "proved of it."
        )
    elif minima.proved[lowest]:
        sentences.append(
            f"The lowest end, at {level(found.loss)}, is a proved local minimum. That there is no "
            "lower one is not claimed."
        )
    else:
        sentences.append(
            f"Of the lowest end, at {level(found.loss)}, nothing is proved: whether it is a local "
            "minimum is left open."
        )
    return Said(
        title=title,
        mark=mark,
        verdict=words,
        figures={
            f"least {of}": level(found.loss),
            "walks": f"{walks}, of which {int(minima.counts.sum())} to their own end",
            "distinct ends": f"{ends}, of which {count(proved, 'proved minimum', 'proved minima')}",
            f"median {of}": level(np.median(found.losses)),
        },
        sentences=[*sentences, *_unseen_words(found.unseen())],
    )


def _of_ends(proved: int, ends: int) -> tuple[Mark, str]:
    if proved == ends and ends:
        one = "the only distinct end is a local minimum"
        return Mark.PROVED, one if ends == 1 else f"all {ends} distinct ends are local minima"
    if proved:
        are = "is a local minimum" if proved == 1 else "are local minima"
        return Mark.PARTLY, f"{proved} of {ends} distinct ends {are}"
    return Mark.OPEN, f"nothing is claimed of {count(ends, 'distinct end')}"


def _ends(minima: Any) -> list[str]:
    """What was met, and how often."""
    proved, ends = int(minima.proved.sum()), len(minima)
    if not ends:
        return ["No walk came to its own end."]
    most = int(minima.counts.argmax())
    share_of = minima.counts[most] / minima.counts.sum()
    are = "is a proved local minimum" if proved == 1 else "are proved local minima"
    others = "." if proved == ends else "; of the others nothing is claimed."
    return [
        f"The walks that came to their own end met {count(ends, 'distinct end')}, of which "
        f"{proved} {are}{others}",
        f"The one met most often, by {share(share_of)} of them, ends at "
        f"{level(minima.losses[most])}; the probability that a walk ends there is between "
        f"{share(minima.low[most])} and {share(minima.high[most])} (95 % interval).",
    ]


def _minima(found: Any) -> Said:
    proved, ends = int(found.proved.sum()), len(found)
    mark, words = _of_ends(proved, ends)
    least = {"losses": span(found.losses[0], found.losses[-1], 10)} if ends else {}
    return Said(
        title="Distinct ends of many walks",
        mark=mark,
        verdict=words,
        figures={
            "distinct ends": str(ends),
            "proved minima": str(proved),
            **least,
            "walks": str(int(found.counts.sum())),
        },
        sentences=_ends(found),
    )


def _unseen_words(found: Any) -> list[str]:
    if not found.n_walks:
        return ["As no walk came to its own end, nothing can be said of what was not seen."]
    sentences = [
        f"A further walk is estimated to end somewhere new with a probability of "
        f"{share(found.share)} (95 % interval: {share(found.share_low)} to "
        f"{share(found.share_high)}): {found.once} of {count(found.n_walks, 'walk')} came to an "
        "end that no other walk met.",
        f"At least {number(found.total, 4)} distinct ends are estimated to exist (95 % interval: "
        f"{span(found.total_low, found.total_high)}); {found.n_distinct} were met. These are "
        "estimates from a sample of starts, no proofs.",
    ]
    if found.once > found.n_distinct / 2:
        sentences.append("As most ends were met once, the number of ends says little.")
    return sentences


def _unseen(found: Any) -> Said:
    return Said(
        title="What an ensemble of walks has not seen",
        mark=Mark.COMPUTED,
        verdict="estimates, no bounds",
        figures={
            "walks to their own end": str(found.n_walks),
            "distinct ends": f"{found.n_distinct} ({found.once} met once, {found.twice} twice)",
            "share of new ends": f"{share(found.share)} "
            f"({share(found.share_low)} to {share(found.share_high)})",
            "ends, at least": f"{number(found.total, 4)} "
            f"({span(found.total_low, found.total_high)})",
        },
        sentences=_unseen_words(found),
    )


SAID: Saying = {
    "Ensemble": ensemble,
    "EnsembleMinima": _minima,
    "Unseen": _unseen,
}

__all__ = ["SAID"]
