"""The moving record `S` of the kernels that divide: nodes of the search and regions found."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

NONE, INFINITY, BORDER = -1, -2, -3
"""Facet ids that are no breakpoints: an empty slot, the directions, BORDER - k of the window."""

ROOT = -2
"""Beside breakpoints and NONE, what a node has been cut by: nothing yet."""

EMPTY, FULL, DOUBT, RAYS, FACETS, FRAMES, LEAF, STOPPED = range(8)
"""What `advance` returns: nothing left to do, output full, a sign is asked for; more room needed
for rays and lists, for facets of a region, for frames; a region reached (probing); stopped at
once, since another thread has set N_STOP: the stack is of no further use."""

FIRST, COUNT, FIRST_OPEN, N_OPEN, CUT, SIDE = range(6)  # columns of `frame`
# Entries of `number`:
N_FRAMES, N_REGIONS, N_FACETS, N_VERTICES, N_DOUBTS, N_SPLITS, N_FAR, N_STOP = range(8)


class Stack(NamedTuple):
    """The stack of nodes, and room for the regions found until it is emptied by the caller."""

    linear: Floats  # (h, n, D + 1) pre-activations of the trained layer as affine functions of y
    linear_size: Floats  # the same shape: sums of absolute terms of each coefficient
    side: Floats  # (R, n) signs of the decided hidden breakpoints
    side_r: Floats  # (K, m) of the decided residuals
    ray: Floats  # (rays, D + 1) of all nodes on the stack
    scale: Floats  # (rays,) size of the coordinates each was computed from
    on: NDArray[np.uint64]  # (rays, words) facets of its node each ray lies on
    open: Ints  # (lists,) the open breakpoints of all nodes on the stack
    frame: Ints  # (frames, 6) the nodes: see FIRST...
    sum: Floats  # (frames, D + 1) gradient and offset of the loss of all decided samples
    facet: Ints  # (frames, 64 words) breakpoint (or other id) of each facet bit, or NONE
    number: Ints  # see N_FRAMES...
    random: NDArray[np.uint64]  # (1,) state of the generator (probing)
    doubt: Ints  # (doubts, 3) breakpoint, ray, sign: the answers for the top node
    sign: NDArray[np.int8]  # (rays,) scratch: signs of the breakpoint that splits
    value: Floats  # (rays,) scratch: its values
    f: Floats  # (D + 1,) scratch: coefficients of a breakpoint
    f_size: Floats  # (D + 1,) scratch: sums of their absolute terms
    back: Floats  # (R,) scratch
    back_size: Floats  # (R,) scratch
    blocked: Ints  # (n,) scratch: shallowest stage of the sample with an open breakpoint
    left: Ints  # (n,) scratch: open breakpoints of the sample
    forward: Floats  # (R, 4) scratch: value, its terms, derivative, its terms
    pattern: NDArray[np.uint8]  # (regions, bytes) a bit per breakpoint id, 1 where positive
    piece: Floats  # (regions, D + 1) gradient and offset of the loss
    point: Floats  # (regions, D) inside
    least: Floats  # (regions, D + 1) centre of the face with the least loss, and that loss
    flat: NDArray[np.bool_]  # (regions,) whether that face is more than a vertex
    bounded: NDArray[np.bool_]  # (regions,)
    facet_end: Ints  # (regions,) end of the region's facets
    flips: NDArray[
        np.int32
    ]  # (flips,) breakpoints that change sign across each facet; ~id after the first
    vertex_end: Ints  # (regions,) end of the region's vertices
    vertex: Floats  # (vertices, D), with room for any only if they are wanted
