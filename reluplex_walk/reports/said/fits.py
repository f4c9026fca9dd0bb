"""What is said of regressions: fits, their processes and paths, inference, baselines."""

from typing import Any

import numpy as np

from ...regression.tables.summary import header_of
from ...tolerances import PLOTTING
from .record import Mark, Said, Saying, count, level, number, span, stopped


def fit_said(fit: Any) -> Said:
    """Of a :class:`QuantileFit`."""
    figures = header_of(fit)
    del figures["proof"]
    figures["pivots"] = str(fit.n_pivots)
    tau = 0.5 if fit.tau is None else fit.tau
    proved = fit.status.proved
    below, on, above = signs(fit)
    beside = " with penalty and constraints" if fit.beside is not None else ""
    sentences = [
        f"A linear function of {count(fit.X.shape[1], 'input')} was fitted to "
        f"{count(len(fit.y), 'sample')} at the quantile {tau:g}"
        f"{', by least absolute deviations' if fit.tau is None else ''}{beside}; the least that "
        f"was found of what is minimised is {level(fit.loss)}.",
        stopped("The fit", fit.ended),
        *_proved(fit, proved),
        f"{below} of {count(len(fit.y), 'sample')} lie below the fit, {on} on it and "
        f"{above} above it, as far as floats tell.",
    ]
    if len(fit.aliased):
        sentences.append(
            f"{count(len(fit.aliased), 'column is', 'columns are')} determined by the constant "
            "and earlier ones: the coefficients there are 0, and what is said holds for the "
            "others."
        )
    return Said(
        title=f"Quantile regression of {figures['response']}",
        mark=Mark.PROVED if proved else Mark.OPEN,
        verdict="global minimum" if proved else fit.status.message,
        figures=figures,
        sentences=sentences,
    )


def signs(fit: Any) -> tuple[int, int, int]:
    """How many samples lie below, on and above a fit, as far as floats tell."""
    residuals, on = np.asarray(fit.residuals), on_fit(fit)
    below, above = int((~on & (residuals < 0.0)).sum()), int((~on & (residuals > 0.0)).sum())
    return below, int(on.sum()), above


def on_fit(fit: Any) -> Any:
    """Which samples (n,) lie on a fit: their residual is 0 beside the largest target or fit."""
    most = max(np.abs(fit.y).max(initial=0.0), np.abs(np.asarray(fit.fitted)).max(initial=0.0))
    return np.abs(np.asarray(fit.residuals)) <= PLOTTING.same * most


def _proved(fit: Any, proved: bool) -> list[str]:
    if not proved:
        return [
            f"That it is a minimum is not proved: {fit.status.message}. Other coefficients may "
            "have a lower loss.",
        ]
    return [
        "It is proved to be a global minimum: multipliers of all samples balance, in rational "
        "arithmetic, so that no other coefficients have a lower loss. The coefficients are the "
        "floats nearest to the exact minimum.",
        "`fit.verify()` has the proof checked again. It says nothing about how well a linear "
        "function describes the data.",
    ]


def _process(found: Any) -> Said:
    n = len(found.taus)
    return _parametric(
        found,
        f"Quantile process: all quantiles, {count(len(found.y), 'sample')}",
        {"solutions": str(n), "quantiles": span(found.taus[0], found.taus[-1]) if n else "none"},
        f"For every quantile between those given a minimum of the loss is known: "
        f"{count(n, 'solution')}, of which {len(found.changes)} differ from the one before.",
        "quantile",
    )


def _penalty_path(found: Any) -> Said:
    n = len(found.alphas)
    return _parametric(
        found,
        f"Path of penalties at the quantile {found.tau:g}: {count(len(found.y), 'sample')}",
        {
            "solutions": str(n),
            "penalties": span(found.alphas[-1], found.alphas[0]) if n else "none",
        },
        f"For every penalty between those given a minimum of loss and penalty is known: "
        f"{count(n, 'solution')}.",
        "penalty",
    )


def _parametric(found: Any, title: str, figures: dict[str, str], what: str, by: str) -> Said:
    proved = found.status.proved
    claim = (
        f"All of them are proved to be global minima, for every {by} in their range; the "
        "coefficients are the floats nearest to the exact ones."
        if proved
        else f"That all of them are minima is not proved: {found.status.message}."
    )
    return Said(
        title=title,
        mark=Mark.PROVED if proved else Mark.OPEN,
        verdict=f"global minima for every {by}" if proved else found.status.message,
        figures={**figures, "coefficients": str(found.coefficients.shape[1])},
        sentences=[what, stopped("The search", found.ended), claim],
    )


def _solutions(found: Any) -> Said:
    n, finished = len(found.vertices), not found.ended.early
    return Said(
        title="All minimisers of a quantile regression",
        mark=Mark.PROVED if finished else Mark.PARTLY,
        verdict="these are all" if finished else "there may be more",
        figures={"vertices": str(n), "coefficients": str(found.vertices.shape[1])},
        sentences=[
            "The fit has one minimum only."
            if finished and n == 1
            else f"{count(n, 'vertex', 'vertices')} of the set of minimisers "
            f"{'was' if n == 1 else 'were'} found; all convex combinations of them have the same, "
            "least loss.",
            stopped("The search", found.ended),
        ],
    )


def _baselines(found: Any) -> Said:
    return Said(
        title="Losses to compare a network with",
        mark=Mark.COMPUTED,
        verdict="no proof was asked for",
        figures={
            "best constant": level(found.constant),
            "best linear function": level(found.linear),
        },
        sentences=[
            f"The best constant that was found has a loss of {level(found.constant)}, the best "
            f"linear function one of {level(found.linear)}; sums over samples and outputs. A "
            "network should end below."
        ],
    )


def _bootstrap(found: Any) -> Said:
    n = len(found.coefficients)
    sentences = [
        f"{count(n, 'replicate')} of the fit were made by the {found.method} bootstrap.",
        stopped("The bootstrap", found.ended),
        "Errors and intervals from them are estimates of how a fit scatters from sample to sample.",
    ]
    if found.singular:
        sentences.append(
            f"The samples of {count(found.singular, 'replicate')} do not tell all coefficients: of "
            "many minima one near the fit is taken."
        )
    return Said(
        title="Bootstrap of a quantile regression",
        mark=Mark.COMPUTED,
        verdict="replicates, an estimate of errors",
        figures={
            "replicates": str(n),
            "method": found.method,
            "coefficients": str(len(found.centre)),
        },
        sentences=sentences,
    )


def _comparison(found: Any) -> Said:
    return Said(
        title="Test of nested fits",
        mark=Mark.COMPUTED,
        verdict="a test statistic",
        figures={
            "F": number(found.statistic),
            "degrees of freedom": f"{found.df[0]} and {found.df[1]}",
            "p": number(found.p_value, 3),
            "test": found.test,
        },
        sentences=[
            f"{found.message[0].upper()}{found.message[1:]}.",
            f"Where the restrictions hold, a larger statistic is met with a probability of about "
            f"{number(found.p_value, 3)}; the test holds for large samples.",
        ],
    )


def _summary(found: Any) -> Said:
    figures = dict(found.header)
    proof = figures.pop("proof", "")
    proved = proof.endswith(", proved")
    return Said(
        title=f"Summary of a fit of {figures.get('response', 'y')}",
        mark=Mark.PROVED if proved else Mark.OPEN,
        verdict=proof.removesuffix(", proved") if proved else proof.removeprefix("not proved: "),
        figures=figures,
        sentences=list(found.notes),
    )


def _averaged(found: Any) -> Said:
    n = len(found.outputs)
    proved = sum(each.status.proved for each in (found.linear, *found.outputs))
    mark = Mark.PROVED if proved == n + 1 else Mark.PARTLY if proved else Mark.OPEN
    return Said(
        title=f"A linear fit and {count(n, 'network')}, averaged",
        mark=mark,
        verdict=f"global minimum of {proved} of {n + 1} fits of one layer",
        figures={
            "networks": str(n),
            "their share": number(found.share),
            "steps": str(found.n_iter),
        },
        sentences=[
            f"What is predicted is made of a linear fit and of {count(n, 'network')} with a share "
            f"of {number(found.share)}.",
            f"{proved} of the {n + 1} fits, each of one layer, are proved global minima of their "
            "own loss, of the networks with their penalty; the other layers are as they were "
            "drawn or trained, and nothing is claimed of them.",
        ],
    )


SAID: Saying = {
    "QuantileFit": fit_said,
    "QuantileProcess": _process,
    "PenaltyPath": _penalty_path,
    "Solutions": _solutions,
    "Baselines": _baselines,
    "Bootstrap": _bootstrap,
    "FitComparison": _comparison,
    "Summary": _summary,
    "Averaged": _averaged,
}

__all__ = ["SAID", "fit_said", "on_fit", "signs"]
