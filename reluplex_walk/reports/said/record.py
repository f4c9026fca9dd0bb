"""`Said`: what is said of a result, and the words that several kinds of results share."""

import math
from collections.abc import Callable, Mapping
from enum import Enum
from typing import Any, NamedTuple

from ...ended import Ended


class Mark(Enum):
    """Whether something is proved: a sign, and the word that stands beside it."""

    PROVED = ("✓", "proved")
    PARTLY = ("◐", "proved in part")
    OPEN = ("○", "not proved")
    COMPUTED = ("≈", "computed")  # figures, of which none is claimed to be a minimum

    @property
    def sign(self) -> str:
        return self.value[0]

    @property
    def word(self) -> str:
        return self.value[1]


class Said(NamedTuple):
    """Title, what is proved, the main figures, and all of it in plain sentences."""

    title: str
    mark: Mark
    verdict: str  # a few words: what is proved, or why nothing is
    figures: dict[str, str]
    sentences: list[str]


Saying = Mapping[str, Callable[[Any], Said]]
"""What is said of results, by the names of their classes."""

_ENDED = {
    Ended.FINISHED: "came to its own end",
    Ended.WORK_LIMIT: "stopped at its limit of work, before its own end",
    Ended.TIME_LIMIT: "stopped at its time limit, before its own end",
    Ended.INTERRUPTED: "was interrupted before its own end",
    Ended.LEVEL_GAP: "stopped where the estimated remaining decrease was small, before its own end",
    Ended.STOPPED: "was stopped as asked for, before its own end",
    Ended.PRECISION: "stopped where floats can follow no further",
    Ended.DIVERGED: "diverged: floats do not hold the loss or its gradient",
}


def stopped(what: str, ended: Ended, resumes: bool = False) -> str:
    """Why `what` stopped, as a sentence, and what may help; `resumes`: it can be resumed."""
    sentence = f"{what} {_ENDED[ended]}."
    if ended is Ended.FINISHED or (ended is Ended.INTERRUPTED and not resumes):
        return sentence
    advice = ended.advice if resumes or not ended.early else "more work or time"
    return f"{sentence} What may help: {advice}."


def number(value: Any, digits: int = 6) -> str:
    """A number as text; of what is not finite, what that means."""
    value = float(value)
    if math.isnan(value):
        return "not known"
    if math.isinf(value):
        return "infinite" if value > 0 else "minus infinite"
    return f"{value:.{digits}g}"


def level(value: Any) -> str:
    """A loss, with the digits that summaries of results have."""
    return number(value, 10)


def count(n: Any, one: str, many: str = "") -> str:
    """``3 walks``, ``1 walk``."""
    return f"{int(n)} {one if int(n) == 1 else many or one + 's'}"


def seconds(value: float) -> str:
    return f"{value:.3g} s"


def share(value: float) -> str:
    return f"{100.0 * value:.3g} %"


def span(low: Any, high: Any, digits: int = 4) -> str:
    """``low to high``, or one number where they are equal."""
    low, high = number(low, digits), number(high, digits)
    return low if low == high else f"{low} to {high}"


def kind_of_loss(kind: str, tau: float | None) -> str:
    """``least absolute deviations`` and the like."""
    if kind == "pinball":
        return f"pinball loss, quantile {0.5 if tau is None else tau:g}"
    names = {"l1": "absolute deviations", "hinge": "hinge loss", "squared": "squared errors"}
    return names.get(kind, kind)


def named(loss: Any) -> str:
    """What is minimised: ``loss``, or ``loss and penalty``."""
    return "loss and penalty" if getattr(loss, "penalty", 0.0) else "loss"


def about(loss: Any) -> str:
    """Which loss: ``network 1-8-1, layer 0, absolute deviations of 133 samples``."""
    widths = "-".join(map(str, loss.network.widths))
    layer = f", layer {loss.layer}" if hasattr(loss, "layer") else ""
    kind = kind_of_loss(loss.kind, getattr(loss, "tau", None))
    penalty = getattr(loss, "penalty", 0.0)
    beside = f", penalty {penalty:g}" if penalty else ""
    return f"network {widths}{layer}, {kind} of {count(len(loss.X), 'sample')}{beside}"


__all__ = [
    "Mark", "Said", "Saying", "about", "count", "kind_of_loss", "level", "named", "number",
    "seconds", "share", "span", "stopped",
]  # fmt: skip
