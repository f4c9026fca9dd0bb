"""What is said of merge trees and of barriers between minima."""

from typing import Any

import numpy as np

from .record import Mark, Said, Saying, about, count, level, number, seconds, span, stopped


def merge_tree(tree: Any) -> Said:
    """Of a :class:`MergeTree`."""
    n, plane = len(tree), tree.points.ndim == 2
    finite = tree.persistence[np.isfinite(tree.persistence)]
    where = "on a plane" if plane else "of the loss"
    proved = int(tree.proved.sum())
    begin = f"{proved} {'is' if proved == 1 else 'are'}"
    what = (
        count(n, "local minimum", "local minima")
        if tree.exact
        else f"{count(n, 'valley')}, of which {begin} proved to begin at a local minimum,"
    )
    sentences = [
        f"{what} {where} {'was' if n == 1 else 'were'} found, among "
        f"{count(len(tree.points), 'point')} and {count(len(tree.links), 'edge')}.",
        stopped("The exploration", tree.ended),
    ]
    if finite.size:
        middle = f", the median is {number(np.median(finite), 4)}" if finite.size > 1 else ""
        sentences.append(
            f"As a level rises, {count(finite.size, 'valley merges', 'valleys merge')} into a "
            "lower one, at a pass above its minimum by "
            f"{span(finite.min(), finite.max())}{middle}."
        )
    sentences.append(
        f"These are all minima and the lowest passes between them: {tree.reason}."
        if tree.exact
        else f"Minima may be missing, and passes may be lower than those found: {tree.reason}."
    )
    if plane:
        sentences.append("Beside the plane nothing is said: there passes may be lower.")
    return Said(
        title=f"Merge tree{' of a plane' if plane else ''}: {about(tree.terrain.problem)}",
        mark=Mark.PROVED if tree.exact else Mark.OPEN,
        verdict="all minima and their lowest passes" if tree.exact else "upper bounds of passes",
        figures={
            ("local minima" if tree.exact else "valleys"): str(n),
            "lowest points": span(tree.births.min(), tree.births.max(), 10) if n else "none",
            "barriers above them": span(finite.min(), finite.max(), 6) if finite.size else "none",
            "points and edges": f"{len(tree.points)} and {len(tree.links)}",
            "time": seconds(tree.elapsed),
        },
        sentences=sentences,
    )


def barrier(found: Any) -> Said:
    """Of a :class:`Barrier`."""
    first, last = found.losses[0], found.losses[-1]
    sentences = [
        f"A path of {count(len(found.path) - 1, 'segment')} leads from a loss of {level(first)} to "
        f"one of {level(last)}; the highest loss on it is {level(found.level)}, "
        f"{number(found.height)} above the higher end.",
        f"On the straight segment the highest loss is {level(found.straight)}.",
        stopped("The search", found.ended),
        "No path between the two points stays lower: this is the lowest pass, up to rounding."
        if found.exact
        else f"The lowest pass is not known: it lies between {level(found.lower)}, which is "
        f"proved to be no more than it, and {level(found.level)}, that of the path.",
    ]
    return Said(
        title=f"Barrier between two points: {about(found.problem)}",
        mark=Mark.PROVED if found.exact else Mark.PARTLY,
        verdict="the lowest pass" if found.exact else "a bound from above and one from below",
        figures={
            "level of the path": level(found.level),
            "proved lower bound": level(found.lower),
            "above the higher end": number(found.height),
            "level of the straight segment": level(found.straight),
            "points of the path": str(len(found.path)),
            "time": seconds(found.elapsed),
        },
        sentences=sentences,
    )


SAID: Saying = {"MergeTree": merge_tree, "Barrier": barrier}

__all__ = ["SAID"]
