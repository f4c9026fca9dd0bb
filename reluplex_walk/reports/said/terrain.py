"""What is said of affine regions, minima among them, lines, planes and graphs of vertices."""

from typing import Any

from .record import Mark, Said, Saying, about, count, level, seconds, span, stopped


def _regions(found: Any) -> Said:
    n, complete = len(found), found.complete
    return Said(
        title=f"Affine regions: {about(found.problem)}",
        mark=Mark.COMPUTED,
        verdict="all regions" if complete else "not all regions",
        figures={
            "regions": str(n),
            "bounded": str(int(found.bounded.sum())),
            "facets between them": str(len(found.edges)),
            "least loss on them": level(found.lowest.min()) if n else "none",
            "time": seconds(found.elapsed),
        },
        sentences=[
            f"{count(n, 'affine region')} {'was' if n == 1 else 'were'} found, on each of which "
            "the loss is affine.",
            stopped("The search", found.ended),
            "These are all of them (in the box, if one was given), so that the least loss is "
            "among those on the regions: `regions.minimum()`."
            if complete
            else "Others may have a lower loss: nothing is said of what was not found.",
        ],
    )


def _minimum(found: Any) -> Said:
    strict = "strict" if found.strict else "not strict"
    return Said(
        title="A minimum among affine regions",
        mark=Mark.COMPUTED,
        verdict=f"the least loss on the regions around it, {strict}",
        figures={
            "loss": level(found.loss),
            "strict": "yes" if found.strict else "no",
            "regions around it": str(len(found.regions)),
        },
        sentences=[
            f"A minimum among the regions that were found, with a loss of {level(found.loss)}; "
            f"{count(len(found.regions), 'region lies', 'regions lie')} around it.",
            "In every direction the loss ascends there."
            if found.strict
            else "It is not strict, or not shown to be: along some directions the loss may stay "
            "as it is.",
            "What that says of other parameters depends on whether all regions were found, which "
            "the `Regions` say.",
        ],
    )


def _local_minima(found: Any) -> Said:
    n, strict = len(found), sum(each.strict for each in found)
    finished = not found.ended.early
    least = {"losses": span(found[0].loss, found[-1].loss, 10)} if n else {}
    return Said(
        title="Local minima among affine regions",
        mark=(Mark.PROVED if finished else Mark.PARTLY) if n else Mark.COMPUTED,
        verdict=count(n, "local minimum", "local minima"),
        figures={"local minima": str(n), "strict": str(strict), **least},
        sentences=[
            f"The regions that were found prove {count(n, 'local minimum', 'local minima')}, of "
            f"which {strict} {'is' if strict == 1 else 'are'} strict; each was decided in rational "
            "arithmetic.",
            stopped("The search among them", found.ended),
            "Whether there are others depends on whether all regions were found, which the "
            "`Regions` say.",
        ],
    )


def _crossings(found: Any) -> Said:
    n = len(found.times)
    return Said(
        title="Breakpoints crossed on a segment",
        mark=Mark.COMPUTED,
        verdict="all crossings on the segment",
        figures={"crossings": str(n)},
        sentences=[
            f"The segment crosses {count(n, 'breakpoint')}"
            f"{f', at times from {span(found.times[0], found.times[-1])}' if n else ''}; 0 is its "
            "start and 1 its end."
        ],
    )


def _line(found: Any) -> Said:
    losses = found.losses
    return Said(
        title=f"Loss on a line: {about(found.problem)}",
        mark=Mark.COMPUTED,
        verdict="the loss at every breakpoint of the line",
        figures={
            "breakpoints": str(len(found.breakpoints)),
            "positions": span(found.positions[0], found.positions[-1]),
            "losses": span(losses.min(), losses.max(), 10),
        },
        sentences=[
            f"Between {count(len(found.breakpoints), 'position')} at which breakpoints change "
            "sign, and the ends, the loss is affine: it is known all along the segment.",
            f"It lies between {level(losses.min())} and {level(losses.max())}; beyond the segment "
            "and beside the line nothing is said.",
        ],
    )


def _slice(found: Any) -> Said:
    complete = not found.ended.early
    losses = found.losses
    s0, s1, t0, t1 = found.extent
    return Said(
        title=f"Loss on a plane: {about(found.problem)}",
        mark=Mark.COMPUTED,
        verdict="the polygons cover the window" if complete else "some polygons may be missing",
        figures={
            "polygons": str(len(found)),
            "window": f"{span(s0, s1)} by {span(t0, t1)}",
            "losses": span(losses.min(), losses.max(), 10) if len(losses) else "none",
        },
        sentences=[
            f"{count(len(found), 'polygon')} of the plane; on each the loss is affine, with the "
            "gradient and offset given.",
            stopped("The search", found.ended),
            "A minimum on the plane need not be one of the loss: beside the plane nothing is said.",
        ],
    )


def _graph(found: Any) -> Said:
    n, faces = len(found), len(found.minimal_faces)
    return Said(
        title=f"Graph of vertices: {about(found.problem)}",
        mark=Mark.COMPUTED,
        verdict="all vertices that edges lead to" if found.complete else "not all vertices",
        figures={
            "vertices": str(n),
            "edges": str(len(found.edges)),
            "faces no half-edge descends from": str(faces),
            "least loss": level(found.losses.min()) if n else "none",
            "time": seconds(found.elapsed),
        },
        sentences=[
            f"{count(n, 'vertex', 'vertices')} and {count(len(found.edges), 'edge')} were found; "
            f"from {count(faces, 'face')}, vertices joined by flat edges, no half-edge descends.",
            stopped("The search", found.ended),
            "No vertex is missing that edges lead to from the start."
            if found.complete
            else "Vertices may be missing, and minima with them.",
            "That no half-edge descends is no certificate: a walk from such a vertex makes one.",
        ],
    )


SAID: Saying = {
    "Regions": _regions,
    "Minimum": _minimum,
    "LocalMinima": _local_minima,
    "Crossings": _crossings,
    "LineSection": _line,
    "Slice": _slice,
    "VertexGraph": _graph,
}

__all__ = ["SAID"]
