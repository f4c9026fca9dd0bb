"""The moving record `S` of the kernels that divide: nodes of the search and regions found."""

from dataclasses import dataclass

from ._record import (
    Bools1,
    Bytes2,
    Floats1,
    Floats2,
    Floats3,
    Halves1,
    Ints1,
    Ints2,
    Record,
    Signs1,
    Words1,
    Words2,
)

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


@dataclass(frozen=True, eq=False, init=False)
class Stack(Record):
    """The stack of nodes, and room for the regions found until it is emptied by the caller."""

    linear: Floats3  # (h, n, D + 1) pre-activations of the trained layer as affine functions of y
    linear_size: Floats3  # the same shape: sums of absolute terms of each coefficient
    side: Floats2  # (R, n) signs of the decided hidden breakpoints
    side_r: Floats2  # (K, m) of the decided residuals
    ray: Floats2  # (rays, D + 1) of all nodes on the stack
    scale: Floats1  # (rays,) size of the coordinates each was computed from
    on: Words2  # (rays, words) facets of its node each ray lies on
    open: Ints1  # (lists,) the open breakpoints of all nodes on the stack
    frame: Ints2  # (frames, 6) the nodes: see FIRST...
    sum: Floats2  # (frames, D + 1) gradient and offset of the loss of all decided samples
    facet: Ints2  # (frames, 64 words) breakpoint (or other id) of each facet bit, or NONE
    number: Ints1  # see N_FRAMES...
    random: Words1  # (1,) state of the generator (probing)
    doubt: Ints2  # (doubts, 3) breakpoint, ray, sign: the answers for the top node
    sign: Signs1  # (rays,) scratch: signs of the breakpoint that splits
    value: Floats1  # (rays,) scratch: its values
    f: Floats1  # (D + 1,) scratch: coefficients of a breakpoint
    f_size: Floats1  # (D + 1,) scratch: sums of their absolute terms
    back: Floats1  # (R,) scratch
    back_size: Floats1  # (R,) scratch
    blocked: Ints1  # (n,) scratch: shallowest stage of the sample with an open breakpoint
    left: Ints1  # (n,) scratch: open breakpoints of the sample
    forward: Floats2  # (R, 4) scratch: value, its terms, derivative, its terms
    pattern: Bytes2  # (regions, bytes) a bit per breakpoint id, 1 where positive
    piece: Floats2  # (regions, D + 1) gradient and offset of the loss
    point: Floats2  # (regions, D) inside
    least: Floats2  # (regions, D + 1) centre of the face with the least loss, and that loss
    flat: Bools1  # (regions,) whether that face is more than a vertex
    bounded: Bools1  # (regions,)
    facet_end: Ints1  # (regions,) end of the region's facets
    flips: Halves1  # (flips,) breakpoints that change sign across each facet; ~id after the first
    vertex_end: Ints1  # (regions,) end of the region's vertices
    vertex: Floats2  # (vertices, D), with room for any only if they are wanted


S = Stack.type
"""What the signatures of entries call it."""
