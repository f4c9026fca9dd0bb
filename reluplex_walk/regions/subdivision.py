"""The cells of a loss on a polyhedron: roots, room and exact signs for the kernel of `cells`.

Coordinates y in R^D stand for parameters; the pre-activations of the trained layer are affine
functions of them, ``linear[j, i] @ (y, 1)``, given with the sums of their absolute terms.
"""

from collections.abc import Callable, Iterator
from itertools import product
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..native import cell_arrays as native
from ..native.arrays import KernelArrays
from ..native.cell_arrays import Cells
from ..native.cell_output import advance
from ..native.cells import branch

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

_CHUNK = 1024  # cells


class Root(NamedTuple):
    """A polyhedron to subdivide, as extreme rays and the facets they lie on."""

    rays: Floats  # (V, D + 1)
    scale: Floats  # (V,) size of the coordinates each was computed from
    on: NDArray[np.bool_]  # (V, S)
    facets: Ints  # (S,) breakpoint ids, INFINITY or BORDER - k, NONE
    sides: dict[int, float]  # signs of the breakpoints known in it


class Chunk(NamedTuple):
    """Some cells; arrays as in :class:`.native.cell_arrays.Cells`, cut to length."""

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


def new_cells(kernel: KernelArrays, linear: Floats, linear_size: Floats, n_vertices: int) -> Cells:
    """An empty stack; `n_vertices` of room in the output (0: they are not wanted)."""
    rows, n = kernel.stage.size, kernel.x.shape[1]
    outputs, m = kernel.y.shape
    dim = linear.shape[2] - 1
    breakpoints = int(kernel.row[kernel.widths.size - 1]) * n + outputs * m
    n_rays = 1024 + 8 * 2**dim

    def floats(*shape: int) -> Floats:
        return np.zeros(shape)

    def ints(*shape: int) -> Ints:
        return np.zeros(shape, np.int64)

    return Cells(
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
        number=ints(6),
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
        pattern=np.zeros((_CHUNK, -(-breakpoints // 8)), np.uint8),
        piece=floats(_CHUNK, dim + 1),
        point=floats(_CHUNK, dim),
        least=floats(_CHUNK, dim + 1),
        flat=np.zeros(_CHUNK, bool),
        bounded=np.zeros(_CHUNK, bool),
        facet_end=ints(_CHUNK),
        flips=np.zeros(_CHUNK * (8 + 2 * dim), np.int32),
        vertex_end=ints(_CHUNK),
        vertex=floats(n_vertices, dim),
    )


def place_root(cells: Cells, kernel: KernelArrays, root: Root) -> Cells:
    """`cells` with the node `root` alone on its stack (its arrays may have grown)."""
    while root.rays.shape[0] > cells.ray.shape[0]:
        cells = _more(cells, native.RAYS)
    while root.facets.size > cells.facet.shape[1]:
        cells = _more(cells, native.FACETS)
    count, n = len(root.rays), kernel.x.shape[1]
    hidden = int(kernel.row[kernel.widths.size - 1]) * n
    breakpoints = hidden + kernel.y.size
    open_ids = np.setdiff1d(np.arange(breakpoints), list(root.sides))
    for c, side in root.sides.items():
        if c < hidden:
            cells.side[divmod(c, n)] = side
        else:
            cells.side_r[divmod(c - hidden, kernel.owner.size)] = side
    cells.ray[:count] = root.rays
    cells.scale[:count] = root.scale
    cells.on[:count] = 0
    for slot in range(root.facets.size):
        bit = np.uint64(1) << np.uint64(slot % 64)
        cells.on[:count, slot // 64] |= np.where(root.on[:, slot], bit, np.uint64(0))
    cells.facet[0] = native.NONE
    cells.facet[0, : root.facets.size] = root.facets
    cells.open[: open_ids.size] = open_ids
    cells.frame[0] = (0, count, 0, open_ids.size, native.ROOT, 0)
    cells.sum[0] = 0.0
    cells.left[:] = 0
    cells.number[native.N_FRAMES] = 1
    cells.number[native.N_SPLITS] = cells.number[native.N_DOUBTS] = 0
    return cells


def _more(cells: Cells, lacking: int) -> Cells:
    """`cells` with twice the room for what is lacking."""

    def longer(array: NDArray, fill: int = 0, axis: int = 0) -> NDArray:
        return np.concatenate([array, np.full_like(array, fill)], axis=axis)

    if lacking == native.FACETS:
        return cells._replace(
            on=longer(cells.on, axis=1), facet=longer(cells.facet, native.NONE, axis=1)
        )
    if lacking == native.FRAMES:
        return cells._replace(
            frame=longer(cells.frame),
            sum=longer(cells.sum),
            facet=longer(cells.facet, native.NONE),
        )
    if lacking == native.FULL:
        return cells._replace(flips=longer(cells.flips), vertex=longer(cells.vertex))
    return cells._replace(
        ray=longer(cells.ray),
        scale=longer(cells.scale),
        on=longer(cells.on),
        sign=longer(cells.sign),
        value=longer(cells.value),
        open=longer(cells.open),
    )


Settle = Callable[[Cells, int, int], int]
"""The exact sign of a breakpoint on a ray of the node on top of the stack."""


def resume(step: Callable[[Cells], int], cells: Cells, settle: Settle) -> tuple[int, Cells]:
    """Run `step` until it is EMPTY, FULL or at a LEAF, giving it room and answers as it asks."""
    while True:
        status = step(cells)
        if status == native.DOUBT:
            at = int(cells.number[native.N_DOUBTS])
            c, ray, _ = (int(v) for v in cells.doubt[at])
            cells.doubt[at, 2] = settle(cells, c, ray)
            cells.number[native.N_DOUBTS] += 1
            if at + 2 > len(cells.doubt):
                cells = cells._replace(doubt=np.concatenate([cells.doubt, 0 * cells.doubt]))
        elif status in (native.RAYS, native.FACETS, native.FRAMES):
            cells = _more(cells, status)
        else:
            return status, cells


def subdivide(kernel: KernelArrays, cells: Cells, root: Root, settle: Settle) -> Iterator[Chunk]:
    """The cells of `root`, chunk by chunk; with vertices if `cells` has room for any."""
    y, d = np.zeros(cells.f.size), np.zeros(cells.f.size - 1)
    with_facets = not cells.vertex.size

    def step(current: Cells) -> int:
        return int(advance(kernel, current, y, d, with_facets))

    cells = place_root(cells, kernel, root)
    status = native.FULL
    while status == native.FULL:
        status, cells = resume(step, cells, settle)
        if cells.number[native.N_CELLS]:
            yield _take(cells)
        else:
            cells = _more(cells, native.FULL)


def halves(kernel: KernelArrays, cells: Cells, root: Root, settle: Settle) -> list[Root]:
    """`root` split by one breakpoint, in the order of a search; itself alone if it is a cell."""
    cells = place_root(cells, kernel, root)
    status, cells = resume(lambda current: int(branch(kernel, current, False)), cells, settle)
    return [root] if status == native.LEAF else [_node(cells, kernel, k) for k in (1, 0)]


def _node(cells: Cells, kernel: KernelArrays, frame: int) -> Root:
    """A node just split off, as a root of its own."""
    first, count, at, n_open, cut, side = cells.frame[frame].tolist()
    rows = slice(first, first + count)
    slots = np.arange(cells.facet.shape[1])
    words = cells.on[rows][:, slots // 64]
    hidden = int(kernel.row[kernel.widths.size - 1])
    sides = dict(enumerate([*cells.side[:hidden].ravel(), *cells.side_r.ravel()]))
    for c in cells.open[at : at + n_open].tolist():
        del sides[c]
    sides[cut] = side
    return Root(
        rays=cells.ray[rows].copy(),
        scale=cells.scale[rows].copy(),
        on=(words >> (slots % 64).astype(np.uint64) & np.uint64(1)).astype(bool),
        facets=cells.facet[frame].copy(),
        sides=sides,
    )


def _take(cells: Cells) -> Chunk:
    """The cells found so far, as copies; the output is then empty."""
    number = cells.number
    found = int(number[native.N_CELLS])
    lengths = dict.fromkeys(Chunk._fields, found)
    lengths["flips"] = int(number[native.N_FACETS])
    lengths["vertex"] = int(number[native.N_VERTICES])
    number[[native.N_CELLS, native.N_FACETS, native.N_VERTICES]] = 0
    return Chunk(**{name: getattr(cells, name)[:k].copy() for name, k in lengths.items()})
