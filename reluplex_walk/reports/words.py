"""Results in plain, complete sentences: what was searched, where it ended, what is proved of it."""

from .said import (
    descents,
    ensembles,
    fits,
    landscape,
    proof,
    searches,
    studies,
    terrain,
    topology,
    training,
    walks,
)
from .said.record import Mark, Said, Saying

_SAID: Saying = {
    **walks.SAID,
    **proof.SAID,
    **searches.SAID,
    **ensembles.SAID,
    **training.SAID,
    **descents.SAID,
    **fits.SAID,
    **terrain.SAID,
    **topology.SAID,
    **landscape.SAID,
    **studies.SAID,
}


def said(result: object) -> Said:
    """Title, badge, figures and sentences of a `result`; of what is unknown, its text alone."""
    for cls in type(result).__mro__:
        if cls.__module__.startswith("reluplex_walk.") and cls.__name__ in _SAID:
            return _SAID[cls.__name__](result)
    return Said(type(result).__name__, Mark.COMPUTED, "nothing is claimed", {}, [repr(result)])


def known(cls: type) -> bool:
    """Whether there are words for results of this class."""
    return cls.__name__ in _SAID


def in_words(result: object) -> list[str]:
    """Summary and certificate of a `result`, a sentence or a few in each entry."""
    return said(result).sentences


__all__ = ["in_words", "known", "said"]
