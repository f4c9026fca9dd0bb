"""The regions of a loss on a polyhedron: roots, room and exact signs for the kernels.

Coordinates y in R^D stand for parameters; the pre-activations of the trained layer are affine
functions of them, ``linear[j, i] @ (y, 1)``, given with the sums of their absolute terms.
"""

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from itertools import product
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..native import region_arrays as native
from ..native.arrays import KernelArrays
from ..native.region_arrays import Stack
from ..native.region_output import advance
from ..native.subdivide import branch

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

CHUNK = 1024  # regions


class Root(NamedTuple):
    """A polyhedron to subdivide, as extreme rays and the facets they lie on."""

    rays: Floats  # (V, D + 1)
    scale: Floats  # (V,) size of the coordinates each was computed from
    on: NDArray[np.bool_]  # (V, S)
    facets: Ints  # (S,) breakpoint ids, INFINITY or BORDER - k, NONE
    sides: dict[int, float]  # signs of the breakpoints known in it
    cut: tuple[int, int] = (native.ROOT, 0)  # by which breakpoint and side, if that is yet to count
    sum: Floats | None = None  # (D + 1,) loss of the samples decided before; None: of none


class Chunk(NamedTuple):
    """Some regions; arrays as in :class:`.native.region_arrays.Stack`, cut to length."""

    pattern: NDArray[np.uint8]
    piece: Floats
    point: Floats
    least: Floats
    flat: NDArray[np.bool_]
    bounded: NDArray[np.bool_]
    facet_end: Ints
    flips: NDArray[np.int32]
    vertex_end: Ints
    vertex: Floats


def box_root(lower: Floats, upper: Floats) -> Root:
    """The box between `lower` and `upper` (D,)."""
    dim = lower.size
    high = np.array(list(product([False, True], repeat=dim)))
    corners = np.where(high, upper, lower)
    return Root(
        rays=np.column_stack([corners, np.ones(len(high))]),
        scale=np.abs(corners).max(axis=1),
        on=np.concatenate([~high, high], axis=1),
        facets=native.BORDER - np.arange(2 * dim),
        sides={},
    )


def orthant_roots(ids: Ints, normals: Floats, offsets: Floats) -> list[Root]:
    """The 2^D cones into which D independent hyperplanes ``normals @ y + offsets = 0`` cut R^D."""
    dim = ids.size
    inverse = np.linalg.inv(normals)
    apex = -inverse @ offsets
    edges = inverse.T / np.abs(inverse.T).max(axis=1, keepdims=True)
    on = np.ones((dim + 1, dim + 1), bool)
    on[0, dim] = False  # the apex lies on all hyperplanes, not at infinity
    on[1:, :dim] = ~np.eye(dim, dtype=bool)
    facets = np.append(ids, native.INFINITY)
    roots = []
    for sides in product([1.0, -1.0], repeat=dim):
        rays = np.zeros((dim + 1, dim + 1))
        rays[0] = np.append(apex, 1.0)
        rays[1:, :dim] = np.array(sides)[:, None] * edges
        scale = np.abs(rays[:, :dim]).max(axis=1)
        roots.append(Root(rays, scale, on, facets, dict(zip(ids.tolist(), sides, strict=True))))
    return roots


def new_stack(
    kernel: KernelArrays,
    linear: Floats,
    linear_size: Floats,
    n_vertices: int,
    chunk: int = CHUNK,
) -> Stack:
    """An empty stack, and room for a `chunk` of regions, with vertices if `n_vertices` is not 0."""
    rows, n = kernel.stage.size, kernel.x.shape[1]
    outputs, m = kernel.y.shape
    dim = linear.shape[2] - 1
    breakpoints = kernel.hidden * n + outputs * m
    n_rays = 1024 + 8 * 2**dim

    def floats(*shape: int) -> Floats:
        return np.zeros(shape)

    def ints(*shape: int) -> Ints:
        return np.zeros(shape, np.int64)

    return Stack(
        linear=linear,
        linear_size=linear_size,
        side=np.ones((rows, n)),
        side_r=np.ones((outputs, m)),
        ray=floats(n_rays, dim + 1),
        scale=floats(n_rays),
        on=np.zeros((n_rays, 1 + 2 * dim // 64), np.uint64),
        open=ints(8 * breakpoints),
        frame=ints(64, 6),
        sum=floats(64, dim + 1),
        facet=np.full((64, 64 * (1 + 2 * dim // 64)), native.NONE),
        number=ints(8),
        random=np.zeros(1, np.uint64),
        doubt=ints(64, 3),
        sign=np.zeros(n_rays, np.int8),
        value=floats(n_rays),
        f=floats(dim + 1),
        f_size=floats(dim + 1),
        back=floats(rows),
        back_size=floats(rows),
        left=ints(n),
        blocked=np.full(n, kernel.widths.size),
        forward=floats(rows, 4),
        pattern=np.zeros((chunk, -(-breakpoints // 8)), np.uint8),
        piece=floats(chunk, dim + 1),
        point=floats(chunk, dim),
        least=floats(chunk, dim + 1),
        flat=np.zeros(chunk, bool),
        bounded=np.zeros(chunk, bool),
        facet_end=ints(chunk),
        flips=np.zeros(chunk * (8 + 2 * dim), np.int32),
        vertex_end=ints(chunk),
        vertex=floats(n_vertices, dim),
    )


def place_root(stack: Stack, kernel: KernelArrays, root: Root) -> Stack:
    """`stack` with the node `root` alone on it (its arrays may have grown)."""
    while root.rays.shape[0] > stack.ray.shape[0]:
        stack = _more(stack, native.RAYS)
    while root.facets.size > stack.facet.shape[1]:
        stack = _more(stack, native.FACETS)
    count, n = len(root.rays), kernel.x.shape[1]
    hidden = kernel.hidden * n
    breakpoints = hidden + kernel.y.size
    open_ids = np.setdiff1d(np.arange(breakpoints), list(root.sides))
    for c, side in root.sides.items():
        if c < hidden:
            stack.side[divmod(c, n)] = side
        else:
            stack.side_r[divmod(c - hidden, kernel.owner.size)] = side
    stack.ray[:count] = root.rays
    stack.scale[:count] = root.scale
    stack.on[:count] = 0
    for slot in range(root.facets.size):
        bit = np.uint64(1) << np.uint64(slot % 64)
        stack.on[:count, slot // 64] |= np.where(root.on[:, slot], bit, np.uint64(0))
    stack.facet[0] = native.NONE
    stack.facet[0, : root.facets.size] = root.facets
    stack.open[: open_ids.size] = open_ids
    stack.frame[0] = (0, count, 0, open_ids.size, *root.cut)
    stack.sum[0] = 0.0 if root.sum is None else root.sum
    stack.left[:] = 0
    stack.number[native.N_FRAMES] = 1
    stack.number[native.N_SPLITS] = stack.number[native.N_DOUBTS] = 0
    return stack


def _more(stack: Stack, lacking: int) -> Stack:
    """`stack` with twice the room for what is lacking."""

    def longer(array: NDArray, fill: int = 0, axis: int = 0) -> NDArray:
        return np.concatenate([array, np.full_like(array, fill)], axis=axis)

    if lacking == native.FACETS:
        return replace(
            stack, on=longer(stack.on, axis=1), facet=longer(stack.facet, native.NONE, axis=1)
        )
    if lacking == native.FRAMES:
        return replace(
            stack,
            frame=longer(stack.frame),
            sum=longer(stack.sum),
            facet=longer(stack.facet, native.NONE),
        )
    if lacking == native.FULL:
        return replace(stack, flips=longer(stack.flips), vertex=longer(stack.vertex))
    return replace(
        stack,
        ray=longer(stack.ray),
        scale=longer(stack.scale),
        on=longer(stack.on),
        sign=longer(stack.sign),
        value=longer(stack.value),
        open=longer(stack.open),
    )


Settle = Callable[[Stack, int, int], int]
"""The exact sign of a breakpoint on a ray of the node on top of the stack."""


def resume(step: Callable[[Stack], int], stack: Stack, settle: Settle) -> tuple[int, Stack]:
    """Run `step` until EMPTY, FULL, at a LEAF or STOPPED; it gets the room and answers it needs."""
    while True:
        status = step(stack)
        if stack.number[native.N_STOP]:
            return native.STOPPED, stack
        if status == native.DOUBT:
            at = int(stack.number[native.N_DOUBTS])
            c, ray, _ = (int(v) for v in stack.doubt[at])
            stack.doubt[at, 2] = settle(stack, c, ray)
            stack.number[native.N_DOUBTS] += 1
            if at + 2 > len(stack.doubt):
                stack = replace(stack, doubt=np.concatenate([stack.doubt, 0 * stack.doubt]))
        elif status in (native.RAYS, native.FACETS, native.FRAMES):
            stack = _more(stack, status)
        else:
            return status, stack


def subdivide(kernel: KernelArrays, stack: Stack, root: Root, settle: Settle) -> Iterator[Chunk]:
    """The regions of `root`, chunk by chunk; with vertices if `stack` has room for any."""
    for chunk, _ in pausing(kernel, stack, root, settle):
        yield chunk


def pausing(
    kernel: KernelArrays, stack: Stack, root: Root, settle: Settle
) -> Iterator[tuple[Chunk, Callable[[], list[Root]]]]:
    """The chunks of :func:`subdivide`, and what has yet to be subdivided after each."""
    y, d = np.zeros(stack.f.size), np.zeros(stack.f.size - 1)
    with_facets = not stack.vertex.size

    def step(current: Stack) -> int:
        return int(advance(kernel, current, y, d, with_facets))

    stack = place_root(stack, kernel, root)
    status = native.FULL
    while status == native.FULL:
        status, stack = resume(step, stack, settle)
        if stack.number[native.N_REGIONS]:
            yield take(stack), partial(_left, stack, kernel)
        elif status == native.STOPPED:
            return
        else:
            stack = _more(stack, native.FULL)


def split_off(kernel: KernelArrays, stack: Stack, root: Root, settle: Settle) -> list[Root]:
    """`root` split by one breakpoint, as the search of it would; itself alone if it is a region.

    The regions of the parts are those it would have found, bit for bit; those of :func:`halves`
    begin sums of their own.
    """
    stack, divided = _branched(kernel, stack, root, settle)
    return _left(stack, kernel) if divided else [root]


def _left(stack: Stack, kernel: KernelArrays) -> list[Root]:
    """All nodes on the stack, in the order of a search, as it has left them."""
    return [
        _node(stack, kernel, k)._replace(
            cut=(int(stack.frame[k, native.CUT]), int(stack.frame[k, native.SIDE])),
            sum=stack.sum[k].copy(),
        )
        for k in range(int(stack.number[native.N_FRAMES]) - 1, -1, -1)
    ]


def halves(kernel: KernelArrays, stack: Stack, root: Root, settle: Settle) -> list[Root]:
    """`root` split by one breakpoint, in the order of a search; itself alone if it is a region."""
    stack, divided = _branched(kernel, stack, root, settle)
    return [_node(stack, kernel, k) for k in (1, 0)] if divided else [root]


def _branched(kernel: KernelArrays, stack: Stack, root: Root, settle: Settle) -> tuple[Stack, bool]:
    """The stack with the two parts of `root` on it, or False where it is not split."""
    stack = place_root(stack, kernel, root)
    status, stack = resume(lambda current: int(branch(kernel, current, False)), stack, settle)
    return stack, status not in (native.LEAF, native.STOPPED)


def _node(stack: Stack, kernel: KernelArrays, frame: int) -> Root:
    """A node just split off, as a root of its own."""
    first, count, at, n_open, cut, side = stack.frame[frame].tolist()
    rows = slice(first, first + count)
    slots = np.arange(stack.facet.shape[1])
    words = stack.on[rows][:, slots // 64]
    hidden = kernel.hidden
    sides = dict(enumerate([*stack.side[:hidden].ravel(), *stack.side_r.ravel()]))
    for c in stack.open[at : at + n_open].tolist():
        del sides[c]
    if cut != native.NONE:  # which the node has been cut by, but not begun
        sides[cut] = side
    return Root(
        rays=stack.ray[rows].copy(),
        scale=stack.scale[rows].copy(),
        on=(words >> (slots % 64).astype(np.uint64) & np.uint64(1)).astype(bool),
        facets=stack.facet[frame].copy(),
        sides=sides,
    )


def take(stack: Stack) -> Chunk:
    """The regions found so far, as copies; the output is then empty."""
    number = stack.number
    found = int(number[native.N_REGIONS])
    lengths = dict.fromkeys(Chunk._fields, found)
    lengths["flips"] = int(number[native.N_FACETS])
    lengths["vertex"] = int(number[native.N_VERTICES])
    number[[native.N_REGIONS, native.N_FACETS, native.N_VERTICES]] = 0
    return Chunk(**{name: getattr(stack, name)[:k].copy() for name, k in lengths.items()})
