"""What is said of trained networks, and of minima along penalties."""

from typing import Any

from .record import Mark, Said, Saying, about, count, kind_of_loss, level, seconds, span, stopped


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
    are = "is a proved local minimum" if proved == 1 else "are proved local minima"
    return Said(
        title=f"Local minima along penalties: {about(found.loss)}",
        mark=mark,
        verdict=f"local minimum for {proved} of {count(n, 'penalty', 'penalties')}",
        figures={"penalties": f"{n}, {reach}", "proved": str(proved), "weights not 0": weights},
        sentences=[
            f"For {count(n, 'penalty', 'penalties')} on the sum of absolute weights, a walk from "
            "the minimum before led to the next.",
            stopped("The path", found.ended),
            f"{proved} of them {are} of the loss with that penalty; each says "
            "nothing about lower minima elsewhere.",
        ],
    )


SAID: Saying = {
    "TrainingFit": training,
    "Round": _round,
    "LayerPenaltyPath": _penalty_path,
}

__all__ = ["SAID"]
