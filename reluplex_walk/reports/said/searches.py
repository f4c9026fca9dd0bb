"""What is said of searches: many walks, whole networks, gradient methods, boxes."""

from typing import Any

import numpy as np

from .proof import proved_of, verdict
from .record import (
    Mark,
    Said,
    Saying,
    about,
    count,
    kind_of_loss,
    level,
    number,
    seconds,
    span,
    stopped,
)

_NO_CLAIM = (
    "A gradient method proves nothing: no claim is made that its end, or the best point it met, "
    "is a minimum."
)


def share(value: float) -> str:
    return f"{100.0 * value:.3g} %"


def minimization(found: Any) -> Said:
    """Of a :class:`Minimization`."""
    best = found.best
    mark, words = verdict(best.certificate)
    walks, levels, proved = len(found.losses), len(found.levels), int(found.proved.sum())
    are = "is that of a proved local minimum" if proved == 1 else "are those of proved local minima"
    sentences = [
        f"{count(walks, 'walk')}, from different starts and from kicked copies of the best ends, "
        f"came to {count(levels, 'level')}: losses at the ends of walks that came to their own "
        f"end, of which {proved} {are}.",
        f"The walk that is handed over as the best ends at a loss of {level(found.loss)}.",
        stopped("The search", found.ended),
        *proved_of(best.certificate, "The end of the best walk"),
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
            "least loss": level(found.loss),
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


def ensemble(found: Any) -> Said:
    """Of an :class:`Ensemble`."""
    minima, walks = found.minima(), len(found)
    title = f"Ensemble of walks: {about(found.problem)}"
    if not walks:
        return Said(title, Mark.OPEN, "no walk was made", {}, [stopped("The run", found.ended)])
    proved, ends = int(minima.proved.sum()), len(minima)
    mark, words = _of_ends(proved, ends)
    lowest = minima.keys.index(found.lowest_key) if found.lowest_key is not None else None
    sentences = [
        f"{count(walks, 'walk')} of different seeds ended at losses of "
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
            "least loss": level(found.loss),
            "walks": f"{walks}, of which {int(minima.counts.sum())} to their own end",
            "distinct ends": f"{ends}, of which {proved} proved minima",
            "median loss": level(np.median(found.losses)),
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
        f"The one met most often, by {share(share_of)} of them, has the loss "
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


def training(fit: Any) -> Said:
    """Of a :class:`TrainingFit`."""
    proved = [k for k in fit.layers if _holds(fit.certificates[k])]
    n, made = len(fit.layers), len(fit.rounds)
    mark = Mark.PROVED if fit.certified else Mark.PARTLY if proved else Mark.OPEN
    widths = "-".join(map(str, fit.network.widths))
    figures = {
        "loss": level(fit.loss),
        **({"loss and penalty": level(fit.objective)} if fit.penalty else {}),
        "layers": f"{len(proved)} of {n} trained layers proved",
        "rounds": str(made),
        "time": seconds(fit.elapsed),
    }
    sentences = [
        f"{count(made, 'round')} of gradient steps and exact walks, layer by layer, led to a "
        f"network with a loss of {level(fit.loss)} on the data given.",
        stopped("The training", fit.ended),
        *_layers(fit),
    ]
    if fit.validation_loss is not None:
        figures["held-out loss"] = f"{level(fit.validation_loss)} (mean of held-out samples)"
        sentences.append(
            f"The mean loss of the samples held out is {level(fit.validation_loss)}; which round "
            "is handed over was chosen by them, so that it is a little too favourable."
        )
    return Said(
        title=f"Trained network {widths}: "
        f"{kind_of_loss(fit.kind, fit.tau)} of {count(len(fit.X), 'sample')}",
        mark=mark,
        verdict=f"local minimum of {'each' if fit.certified else f'{len(proved)} of {n}'} "
        f"trained {'layer' if fit.certified or n == 1 else 'layers'}",
        figures=figures,
        sentences=sentences,
    )


def _holds(certificate: Any) -> bool:
    return certificate is not None and certificate.is_local_minimum


def _layers(fit: Any) -> list[str]:
    """What is proved of each trained layer."""
    sentences, what = [], "loss and penalty" if fit.penalty else "the loss"
    for layer in fit.layers:
        certificate = fit.certificates[layer]
        if _holds(certificate):
            scope = "global" if certificate.is_global else "local"
            sentences.append(
                f"Layer {layer} is proved to be at a {scope} minimum of {what} in its own "
                "parameters, the other layers as they are, up to the rounding of floats."
            )
        elif certificate is None:
            sentences.append(f"Layer {layer} has no certificate: nothing is proved of it.")
        else:
            why = certificate.reason.message if certificate.reason else "nothing is claimed"
            sentences.append(f"Nothing is proved of layer {layer}: {why}.")
    left = [k for k in range(fit.network.n_layers) if k not in fit.layers]
    if left:
        sentences.append(
            f"Layers that were not trained, of which nothing is said: {', '.join(map(str, left))}."
        )
    sentences.append(
        "That no change of several layers together lowers the loss, or that no better network "
        "exists, is not claimed."
    )
    if fit.certified:
        sentences.append("`fit.verify()` has the proofs checked again.")
    return sentences


def _round(found: Any) -> Said:
    held = {} if found.held_out is None else {"least held-out loss": level(found.held_out)}
    return Said(
        title=f"Round {found.number} of a training",
        mark=Mark.COMPUTED,
        verdict="a step of a search",
        figures={
            "start": found.start,
            "loss and penalty": level(found.loss),
            "least so far": level(found.best),
            **held,
            "time": seconds(found.elapsed),
        },
        sentences=[
            f"The round, from a start of the kind “{found.start}”, ended at {level(found.loss)}; "
            f"the least so far is {level(found.best)}. Nothing is proved of it."
        ],
    )


def _penalty_path(found: Any) -> Said:
    n, proved = len(found.penalties), sum(map(_holds, found.certificates))
    mark = Mark.PROVED if proved == n and n else Mark.PARTLY if proved else Mark.OPEN
    reach = span(min(found.penalties), max(found.penalties), 4) if n else "none"
    weights = span(found.n_nonzero.min(), found.n_nonzero.max()) if n else "none"
    return Said(
        title=f"Local minima along penalties: {about(found.loss)}",
        mark=mark,
        verdict=f"local minimum for {proved} of {count(n, 'penalty', 'penalties')}",
        figures={"penalties": f"{n}, {reach}", "proved": str(proved), "weights not 0": weights},
        sentences=[
            f"For {count(n, 'penalty', 'penalties')} on the sum of absolute weights, a walk from "
            "the minimum before led to the next.",
            stopped("The path", found.ended),
            f"{proved} of them are proved local minima of the loss with that penalty; each says "
            "nothing about lower minima elsewhere.",
        ],
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
    "Minimization": minimization,
    "GlobalMinimum": _global_minimum,
    "Ensemble": ensemble,
    "EnsembleMinima": _minima,
    "Unseen": _unseen,
    "TrainingFit": training,
    "Round": _round,
    "LayerPenaltyPath": _penalty_path,
    "DescentPath": descent_path,
    "DescentGap": _gap,
    "Descent": _descent,
    "AliceRun": _alice,
}

__all__ = ["SAID", "share"]
