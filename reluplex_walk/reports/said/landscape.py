"""What is said of densities of breakpoints, and of the glass of a loss."""

from typing import Any

import numpy as np

from .record import Mark, Said, Saying, about, count, number, span, stopped

_MEASURED = "A measurement on the segments that were drawn, not a proof about others."


def _breakpoint_density(found: Any) -> Said:
    n = len(found.lengths)
    return Said(
        title="Density of breakpoints around a point",
        mark=Mark.COMPUTED,
        verdict="a measurement on random segments",
        figures={
            "crossings per unit length": number(found.value),
            "of breakpoints that do not vanish there": number(found.inactive),
            "around controls": number(found.control),
            "radius": number(found.radius),
            "segments": str(n),
        },
        sentences=[
            f"{count(n, 'segment')} around the point cross {number(found.value)} breakpoints per "
            f"unit length, {number(found.inactive)} without those that vanish at the point "
            f"itself; around controls of the same norm it is {number(found.control)}.",
            stopped("The search", found.ended),
            _MEASURED,
        ],
    )


def _vertex_density(found: Any) -> Said:
    n = len(found.control)
    return Said(
        title="Density of vertices along a walk",
        mark=Mark.COMPUTED,
        verdict="a measurement along one walk and its controls",
        figures={
            "radii": span(found.radii.min(), found.radii.max()),
            "vertices near the end": span(found.at_end.min(), found.at_end.max()),
            "near the first vertex": span(found.at_first.min(), found.at_first.max()),
            "control walks": str(n),
        },
        sentences=[
            f"Within {number(found.radii.max())} of the end the walk visited "
            f"{int(found.at_end.max())} vertices, within as much of its first vertex "
            f"{int(found.at_first.max())}; {count(n, 'control walk')} say what is usual.",
            stopped("The search", found.ended),
            "A measurement of what these walks visited, not of all vertices that there are.",
        ],
    )


def _exact_glass(found: Any) -> Said:
    k, crossed = len(found.segments), found.n_crossings
    mean = float(crossed.mean()) if k else 0.0
    over = found.mean_over_rms
    return Said(
        title=f"Glass on segments: {about(found.problem)}",
        mark=Mark.COMPUTED,
        verdict="every jump on these segments",
        figures={
            "density along them": number(np.mean(found.rho)) if k else "none",
            "density of all coordinates": number(found.rho_total),
            "crossings on a segment": number(mean),
            "mean of jumps over their size": f"hidden {number(over.hidden, 3)}, "
            f"residual {number(over.residual, 3)}",
            "segments": f"{k} of length {number(found.length)}",
        },
        sentences=[
            f"On {count(k, 'segment')} of length {number(found.length)} every jump of the gradient "
            f"is known: {number(mean)} on each on average.",
            "Near 0 the mean of the jumps over their size says that they cancel, as those of a "
            "glass do; near 1 or -1 that they add up to a curvature.",
            stopped("The search", found.ended),
            _MEASURED,
        ],
    )


def _estimated_glass(found: Any) -> Said:
    lines = len(found.offsets)
    return Said(
        title="Glass around a point, estimated from gradients",
        mark=Mark.COMPUTED,
        verdict="an estimate",
        figures={
            "density of all coordinates": f"{number(found.rho_total)} "
            f"(standard error at most {number(found.rho_total_error, 3)})",
            "density along a line": number(found.rho_along),
            "curvature along a line": number(found.h_along),
            "gradients": f"{found.gradients} on {count(lines, 'line')} of ±{number(found.sigma)}",
        },
        sentences=[
            f"From {count(found.gradients, 'gradient')} on {count(lines, 'line')} the density of "
            f"the glass is estimated as {number(found.rho_total)}, summed over coordinates.",
            stopped("The search", found.ended),
            "The estimate is right as far as jumps are independent of each other; "
            "`variogram().holds` says whether they look so at these distances.",
        ],
    )


def _jumps(found: Any) -> Said:
    n, hidden = len(found.times), int(found.hidden.sum())
    return Said(
        title="Jumps of the gradient on a segment",
        mark=Mark.COMPUTED,
        verdict="every jump on the segment",
        figures={
            "jumps": str(n),
            "hidden neurons": str(hidden),
            "residuals": str(n - hidden),
            "change of the slope": number(found.along.sum()),
        },
        sentences=[
            f"The gradient jumps at {count(n, 'breakpoint')} of the segment: {hidden} of hidden "
            f"neurons, {n - hidden} of residuals. Together they change the slope of the loss "
            f"along it by {number(found.along.sum())}."
        ],
    )


def _variogram(found: Any) -> Said:
    ratio = found.ratio
    return Said(
        title="Variogram of the gradient",
        mark=Mark.COMPUTED,
        verdict="linear, as of a glass" if found.holds else "not linear, unlike a glass",
        figures={
            "distances": span(found.distance.min(), found.distance.max()),
            "ratio to a glass": span(np.nanmin(ratio), np.nanmax(ratio)),
        }
        if np.isfinite(ratio).any()
        else {"distances": str(len(found.distance))},
        sentences=[
            "The variance of differences of the gradient grows with the distance as in a glass: "
            "estimates at these distances hold."
            if found.holds
            else "The variance of differences of the gradient does not grow with the distance as "
            "in a glass: estimates from gradients so far apart fail."
        ],
    )


def _mean_over_rms(found: Any) -> Said:
    return Said(
        title="Mean of jumps over their root mean square",
        mark=Mark.COMPUTED,
        verdict="a measurement on segments",
        figures={"hidden neurons": number(found.hidden, 4), "residuals": number(found.residual, 4)},
        sentences=[
            "Near 0 jumps cancel and are a glass; near 1 or -1 they add up, as those of a "
            "curvature do."
        ],
    )


SAID: Saying = {
    "BreakpointDensity": _breakpoint_density,
    "VertexDensity": _vertex_density,
    "ExactGlass": _exact_glass,
    "EstimatedGlass": _estimated_glass,
    "Jumps": _jumps,
    "Variogram": _variogram,
    "MeanOverRms": _mean_over_rms,
}

__all__ = ["SAID"]
