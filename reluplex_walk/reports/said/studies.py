"""What is said of studies: claims of papers, each confirmed or corrected by a measurement."""

from typing import Any

import numpy as np

from .record import Mark, Said, Saying, count, kind_of_loss, level, number, span, stopped

_SAMPLE = "Figures of random networks of a seed: a measurement, not a theorem."


def _measured(title: str, figures: dict[str, str], words: str, ended: Any = None) -> Said:
    why = [] if ended is None else [stopped("The study", ended)]
    return Said(title, Mark.COMPUTED, "a measurement", figures, [words, *why, _SAMPLE])


def _ends(values: Any) -> str:
    """The first and the last of some values along depth, of which some may be masked."""
    known = np.ma.compressed(np.ma.masked_invalid(values))
    return span(known[0], known[-1]) if known.size else "none"


def _law(found: Any) -> Said:
    return Said(
        title=f"Law of a random chain of layers: width {found.width}, depth {found.depth}",
        mark=Mark.COMPUTED,
        verdict="a formula, evaluated",
        figures={
            "mean of log |x|²": number(found.mean_log),
            "its variance": number(found.var_log),
            "probability of a dead network": number(found.p_dead),
            "weights": found.init,
        },
        sentences=[
            f"Of networks that are alive, log |x|² after {count(found.depth, 'layer')} has the "
            f"mean {number(found.mean_log)} and the variance {number(found.var_log)}; with "
            f"probability {number(found.p_dead)} a network is dead: all of its outputs are 0."
        ],
    )


def _sample(found: Any) -> Said:
    n, depth = found.log_norm.shape
    dead = number(found.p_dead[-1]) if depth else "none"
    return _measured(
        f"Sample of random networks: width {found.width}",
        {"networks": str(n), "layers": str(depth), "share dead at the end": dead},
        f"{count(n, 'network')} of {count(depth, 'layer')} were drawn; a share of {dead} is dead "
        "at the end.",
        found.ended,
    )


def _spectrum(found: Any) -> Said:
    return _measured(
        "Spectrum of the Hessian of random chains",
        {
            "depths": span(found.depths.min(), found.depths.max()) if len(found.depths) else "none",
            "share of saddles": _ends(found.saddles),
            "log of the largest eigenvalue": _ends(found.log_lambda),
        },
        "From the least to the largest depth the logarithm of the median largest eigenvalue goes "
        f"from {_ends(found.log_lambda)}.",
        found.ended,
    )


def _cures(found: Any) -> Said:
    return _measured(
        "Designs against vanishing gradients",
        {
            "designs": ", ".join(map(str, found.designs)),
            "depths": span(found.depths.min(), found.depths.max()) if len(found.depths) else "none",
        },
        f"The mean logarithm of the gradient in the first layer was measured for "
        f"{count(len(found.designs), 'design')} at {count(len(found.depths), 'depth')}.",
        found.ended,
    )


def _escape(found: Any) -> Said:
    return _measured(
        f"Escape of chains from a plateau: depth {found.depth}",
        {
            "chains": str(len(found.start)),
            "share that escaped": number(found.escaped),
            "median of gradients": number(found.median),
            "learning rate": number(found.learning_rate),
        },
        f"Of {count(len(found.start), 'chain')} a share of {number(found.escaped)} left the "
        f"plateau within {count(found.taken, 'gradient')}; the median is {number(found.median)}.",
        found.ended,
    )


def _vanishing(found: Any) -> Said:
    return _measured(
        "Gradient and curvature over widths and depths",
        {
            "widths": span(found.widths.min(), found.widths.max()) if len(found.widths) else "none",
            "depths": span(found.depths.min(), found.depths.max()) if len(found.depths) else "none",
            "networks of each": str(found.networks),
            "largest share dead": number(found.dead.max()) if found.dead.size else "none",
        },
        f"{count(found.networks, 'network')} were drawn for each of "
        f"{count(found.log_gradient.size, 'pair')} of a width and a depth, and the medians of the "
        "logarithms of gradient and Hessian taken.",
        found.ended,
    )


def _shattering(found: Any) -> Said:
    return _measured(
        f"Correlation of gradients at two inputs: {found.design}, width {found.width}",
        {
            "depths": span(found.depths.min(), found.depths.max()) if len(found.depths) else "none",
            "mean correlation": _ends(found.mean),
            "law of large widths": "none known" if found.law is None else _ends(found.law),
            "cosine of the inputs": number(found.cosine),
        },
        f"From the least to the largest depth the mean correlation goes from {_ends(found.mean)}: "
        "near 0 the gradients have nothing to do with each other.",
        found.ended,
    )


def _shattering_spectrum(found: Any) -> Said:
    return _measured(
        f"Spectrum of gradients along a circle: {found.design}, depth {found.depth}",
        {
            "width": str(found.width),
            "half of the power up to": f"{number(found.half)} waves",
            "networks": str(found.networks),
        },
        f"Half of the gradient's power lies at up to {number(found.half)} waves along the circle: "
        "the more, the whiter.",
        found.ended,
    )


def _shatteredness(found: Any) -> Said:
    return _measured(
        "Gradient, curvature and glass along depth",
        {
            "depths": span(found.depths.min(), found.depths.max()) if len(found.depths) else "none",
            "log of the gradient": _ends(found.log_gradient),
            "log of the index": _ends(found.log_index),
        },
        "The index is the hidden glass over the squared slopes; its mean logarithm goes from "
        f"{_ends(found.log_index)} along depth.",
        found.ended,
    )


def _exploration(found: Any) -> Said:
    passed = "not known" if found.passed is None else number(found.passed[-1], 4)
    seen = number(found.configurations[-1], 4)
    return Said(
        title="Activation configurations along a run",
        mark=Mark.COMPUTED,
        verdict="counts along the run",
        figures={
            "configurations of a point": seen,
            "with those passed on the way": passed,
            "switches of a unit": number(found.switched[-1], 4),
            "entries": str(len(found.losses)),
            "units": str(found.n_units),
        },
        sentences=[
            f"At {count(len(found.losses), 'entry', 'entries')} of the run a point has seen {seen} "
            f"configurations on average ({passed} with all that lie on the straight way).",
            stopped("The study", found.ended),
        ],
    )


def _regret(found: Any) -> Said:
    n, horizons = len(found.losses), len(found.horizon)
    title = f"Regret of {type(found.method).__name__}: {count(n, 'step')}"
    if not horizons:
        return Said(title, Mark.OPEN, "no horizon", {}, [stopped("The study", found.ended)])
    proved, last = int(np.sum(found.proved)), float(found.regret[-1])
    mark = Mark.PROVED if proved == horizons else Mark.PARTLY if proved else Mark.OPEN
    bound = float(found.bound[-1])
    limit = (
        f"it cannot exceed {number(bound)}." if np.isfinite(bound) else "no bound is known for it."
    )
    return Said(
        title=title,
        mark=mark,
        verdict=f"Taylor optimum of {proved} of {count(horizons, 'horizon')}",
        figures={
            "regret at the last horizon": number(last),
            "bound": number(bound) if np.isfinite(bound) else "none",
            "Taylor optimum": level(found.optimum[-1]),
            "horizons": span(found.horizon[0], found.horizon[-1]),
        },
        sentences=[
            f"Over the first {int(found.horizon[-1])} steps the losses of the run lie "
            f"{number(last)} above the least sum of their linearisations; {limit}",
            stopped("The study", found.ended),
            f"{proved} of {count(horizons, 'Taylor optimum', 'Taylor optima')} "
            f"{'is' if proved == 1 else 'are'} proved to be the least sums; of the others, such as "
            "those of least squares, that is computed in floats.",
        ],
    )


def _taylor_loss(found: Any) -> Said:
    rows, dim = found.jacobian.shape
    kind = kind_of_loss(found.kind, found.tau)
    return Said(
        title=f"Taylor loss of {count(found.n_steps, 'step')}: {kind}",
        mark=Mark.COMPUTED,
        verdict="a convex loss; `minimum()` finds its least",
        figures={"outputs": str(rows), "parameters": str(dim), "steps": str(found.n_steps)},
        sentences=[
            f"The sum of the linearised losses of {count(found.n_steps, 'step')}, convex and "
            f"affine in pieces, of {count(rows, 'output')} and {count(dim, 'parameter')}."
        ],
    )


def _taylor_minimum(found: Any) -> Said:
    given = " It is taken as given that redundant parameters add nothing."
    return Said(
        title="Minimum of a Taylor loss",
        mark=Mark.PROVED if found.proved else Mark.OPEN,
        verdict="least value" if found.proved else "computed in floats",
        figures={
            "value": level(found.value),
            "rank": f"{found.rank} of {found.outputs} outputs",
            "residuals of 0": str(found.zeros),
        },
        sentences=[
            f"The loss at the Taylor optimum is {level(found.value)}; {found.zeros} of "
            f"{found.outputs} residuals vanish there.",
            "It is proved that nothing lies below that, but for rounding."
            + (given if found.given_dependence else "")
            if found.proved
            else "That nothing lies below is not proved.",
        ],
    )


def _approximation(found: Any) -> Said:
    n, outputs, dim = found.jacobian.shape
    return Said(
        title=f"Linear approximation of a network: {found.network!r}",
        mark=Mark.COMPUTED,
        verdict="outputs and their derivatives",
        figures={
            "layers": ", ".join(map(str, found.block)),
            "samples": str(n),
            "outputs": str(outputs),
            "parameters": str(dim),
        },
        sentences=[
            f"The outputs of {count(n, 'sample')} as affine functions of "
            f"{count(dim, 'parameter')}"
            + (
                ": exact in the affine region of the network's own parameters."
                if len(found.block) == 1
                else ", of several layers: an approximation nearby."
            )
        ],
    )


SAID: Saying = {
    "ChainLaw": _law,
    "ChainSample": _sample,
    "ChainSpectrum": _spectrum,
    "Cures": _cures,
    "Escape": _escape,
    "Vanishing": _vanishing,
    "Shattering": _shattering,
    "ShatteringSpectrum": _shattering_spectrum,
    "Shatteredness": _shatteredness,
    "Exploration": _exploration,
    "Regret": _regret,
    "TaylorLoss": _taylor_loss,
    "TaylorMinimum": _taylor_minimum,
    "Approximation": _approximation,
}

__all__ = ["SAID"]
