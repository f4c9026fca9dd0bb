"""How long pictures take: a slice of 10,000 polygons, and the film of a walk of 500 vertices.

    OMP_NUM_THREADS=1 python -m benchmarks pictures [--folder DIR]

The slice is that of the motorcycle data by a plane through three vertices of a walk, 1-6-1; drawn
with its edges and the walk, and saved as PNG at matplotlib's default size.  Beside it the way it
was drawn before: each polygon an outline of its own.  The film is of 500 entries of a walk on 200
samples, 4-12-1, once by Pillow and, where there is ffmpeg, as .mp4; every frame is drawn.  Seconds
are the least of three for pictures, of one for films.  --folder keeps the files.
"""

import argparse
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import reluplex_walk as rw

from ._extra import need

MARGIN = 0.33  # around the three vertices: about 10,000 polygons


def main(argv: list[str]) -> None:
    parser = argparse.ArgumentParser(prog="benchmarks pictures", description=__doc__)
    parser.add_argument("--folder", type=Path)
    options = parser.parse_args(argv)
    need("matplotlib")
    with tempfile.TemporaryDirectory() as made:
        folder = options.folder or Path(made)
        folder.mkdir(exist_ok=True)
        slices(folder)
        films(folder)


def slices(folder: Path) -> None:
    """Each polygon an outline, and each edge once."""
    from matplotlib.collections import PolyCollection
    from matplotlib.figure import Figure

    from reluplex_walk import plotting

    data = rw.datasets.load_motorcycle()
    loss = rw.LayerLoss(rw.ReLUNetwork.random([1, 6, 1], seed=1), data.X, data.y)
    traj = rw.walk(loss)
    middle = traj.vertices[(traj.phase1 + traj.n_pivots) // 2]
    cut = rw.slice_through(loss, traj.vertices[traj.phase1], middle, traj.theta, MARGIN)

    def drawn(edges: bool) -> None:
        ax = Figure().subplots()
        plotting.plot_slice(cut, traj, ax=ax, edges=edges)
        if not edges:
            outlines = [cut.polygon(k) for k in range(len(cut))]
            ax.add_collection(PolyCollection(outlines, facecolor="none", edgecolor="w", lw=0.25))
        ax.figure.savefig(folder / "slice.png")

    def plane() -> None:
        ax = Figure().subplots()
        plotting.plot_plane(traj, ax=ax)
        ax.figure.savefig(folder / "plane.png")

    drawn(True)  # fonts
    before, now = least(lambda: drawn(False)), least(lambda: drawn(True))
    print(f"plot_slice, {len(cut):,} polygons: {now:.2f} s (outlines one by one: {before:.2f} s)")
    print(f"plot_plane, the slice included: {least(plane):.2f} s", flush=True)


def films(folder: Path) -> None:
    """As .gif and .mp4."""
    from matplotlib.animation import FFMpegWriter

    from reluplex_walk import plotting

    data, _ = rw.datasets.make_teacher(200, [4, 8, 1], noise=0.5)
    loss = rw.LayerLoss(rw.ReLUNetwork.random([4, 12, 1], seed=0), data.X, data.y)
    traj = rw.walk(loss, max_pivots=499)
    for ending in ("gif", "mp4"):
        if ending == "mp4" and not FFMpegWriter.isAvailable():
            print("animate, .mp4: no ffmpeg here")
            continue
        path = folder / f"walk.{ending}"
        seconds = least(lambda path=path: plotting.animate(traj, path), 1)
        size = path.stat().st_size / 1e6
        print(f"animate, {len(traj.vertices)} vertices, .{ending}: {seconds:.1f} s, {size:.1f} MB")


def least(draw: Callable[[], object], times: int = 3) -> float:
    """The least seconds of several runs."""
    found = []
    for _ in range(times):
        began = time.perf_counter()
        draw()
        found.append(time.perf_counter() - began)
    return min(found)
