"""Where the rows of an ensemble lie: in memory, or as Parquet files in a folder.

A folder holds ``ensemble.json`` (what was asked), ``loss.npz``, rows in ``walks/part-*.parquet``,
rows of the walks made again with proofs in ``proofs/part-*.parquet``, and ``trajectories``.
Files are written as a whole and never changed: whoever is killed leaves what was written.
"""

import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from .._errors import DamagedFileError
from .._extras import need
from .._files import load_archive, unpack, write_archive
from .._limits import Limits
from .._numbers import short
from .._version import __version__
from .._whole import whole_file
from ..ended import Ended
from ..problem.loss import LayerLoss
from ..problem.loss_file import from_arrays, to_arrays
from ..simplex.trajectory import Trajectory
from ..simplex.trajectory_file import from_arrays as fields_of
from .rows import Row

PASSES = ("walks", "proofs")
FORMAT = 1

_BUFFER = (500, 4.0)  # rows, and seconds, after which a part is written
_BYTES = 16e6  # of certificates and trajectories, after which one is
_PLAIN = ("seed", "loss", "status", "reason", "pivots", "seconds", "key", "rank", "certificate")


class Store(Protocol):
    """Rows of walks, by pass: ``walks``, then ``proofs``."""

    def add(self, which: str, rows: Iterable[Row]) -> None:
        """Take over new rows."""

    def rows(self, which: str) -> Iterator[Row]:
        """All rows of a pass; trajectories are not in them, nor, in folders, certificates."""

    def certificate(self, which: str, seed: int) -> bytes | None:
        """The certificate of a row, if it has one."""

    def trajectory(self, seed: int) -> Trajectory | None:
        """A trajectory; None where it was not kept."""

    def flush(self) -> None:
        """Write what has not been written yet."""

    def end(self, ended: Ended, n_walks: int) -> None:
        """Note how the run ended, and of how many walks it was."""


class Memory:
    """A store that holds everything."""

    def __init__(self) -> None:
        self._rows: dict[str, dict[int, Row]] = {which: {} for which in PASSES}
        self._trajectories: dict[int, bytes] = {}

    def add(self, which: str, rows: Iterable[Row]) -> None:
        for row in rows:
            if row.trajectory is not None:
                self._trajectories[row.seed] = row.trajectory
            self._rows[which][row.seed] = row._replace(trajectory=None)

    def rows(self, which: str) -> Iterator[Row]:
        return iter(self._rows[which].values())

    def certificate(self, which: str, seed: int) -> bytes | None:
        row = self._rows[which].get(seed)
        return None if row is None else row.certificate

    def trajectory(self, seed: int) -> Trajectory | None:
        packed = self._trajectories.get(seed)
        return None if packed is None else Trajectory._of(unpack(packed, "trajectory", fields_of))

    def flush(self) -> None:
        pass

    def end(self, ended: Ended, n_walks: int) -> None:
        pass


class Folder:
    """A store in a folder; it holds only the rows that are not written yet."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._waiting: dict[str, list[Row]] = {which: [] for which in PASSES}
        self._size = 0
        self._limits = Limits()  # since the last part was written
        self._places: dict[str, dict[int, tuple[Path, int]]] = {}  # of seeds, once asked for
        self._opened: tuple[Path, Any] | None = None  # a part, and its certificates

    def add(self, which: str, rows: Iterable[Row]) -> None:
        for row in rows:
            if row.trajectory is not None:
                with whole_file(self._trajectory(row.seed)) as stream:
                    stream.write(row.trajectory)
            self._waiting[which].append(row._replace(trajectory=None))
            self._size += len(row.certificate or b"")
        many, late = _BUFFER
        full = len(self._waiting[which]) >= many or self._size >= _BYTES
        if full or self._limits.elapsed >= late:
            self.flush()

    def flush(self) -> None:
        for which, rows in self._waiting.items():
            if rows:
                _write_part(self.path / which, rows)
                rows.clear()
        self._size, self._limits = 0, Limits()

    def rows(self, which: str) -> Iterator[Row]:
        for part in self._parts(which):
            yield from _read_part(part)
        yield from self._waiting[which]

    def certificate(self, which: str, seed: int) -> bytes | None:
        from pyarrow import parquet

        if which not in self._places:
            self._places[which] = {}
            for part in self._parts(which):
                seeds = parquet.read_table(part, columns=["seed"]).column(0).to_pylist()
                self._places[which].update({each: (part, k) for k, each in enumerate(seeds)})
        if seed not in self._places[which]:
            return None
        part, k = self._places[which][seed]
        if self._opened is None or self._opened[0] != part:  # the last one: rows lie together
            column = parquet.read_table(part, columns=["certificate"]).column(0)
            self._opened = part, column
        found: bytes | None = self._opened[1][k].as_py()
        return found

    def _parts(self, which: str) -> list[Path]:
        read_manifest(self.path)  # raises if the folder is gone
        return sorted((self.path / which).glob("part-*.parquet"))

    def ended(self, n_walks: int) -> Ended:
        """How the last run ended; INTERRUPTED where it was killed, or not one of all `n_walks`."""
        try:
            name, walks = (self.path / "ended").read_text().split()
            whole = Ended[name].early or int(walks) == n_walks
            return Ended[name] if whole else Ended.INTERRUPTED
        except (OSError, KeyError, ValueError):
            return Ended.INTERRUPTED

    def end(self, ended: Ended, n_walks: int) -> None:
        """Note how the run ended, and of how many walks it was."""
        with whole_file(self.path / "ended") as stream:
            stream.write(f"{ended.name} {n_walks}\n".encode())

    def trajectory(self, seed: int) -> Trajectory | None:
        path = self._trajectory(seed)
        return Trajectory.load(path) if path.exists() else None

    def _trajectory(self, seed: int) -> Path:
        return self.path / "trajectories" / f"{seed:09d}.npz"


def _write_part(folder: Path, rows: list[Row]) -> None:
    """Rows as the next part."""
    import pyarrow as pa
    from pyarrow import parquet

    columns: dict[str, Any] = {name: [getattr(row, name) for row in rows] for name in _PLAIN}
    types = {"reason": pa.string(), "key": pa.string(), "certificate": pa.binary()}
    arrays = {name: pa.array(values, types.get(name)) for name, values in columns.items()}
    thetas = pa.array(np.concatenate([row.theta for row in rows]))
    arrays["theta"] = pa.FixedSizeListArray.from_arrays(thetas, len(rows[0].theta))
    for name in dict.fromkeys(name for row in rows for name in row.figures):
        arrays[name] = pa.array([row.figures.get(name) for row in rows], pa.float64())
    numbers = [int(part.stem.removeprefix("part-")) for part in folder.glob("part-*.parquet")]
    with whole_file(folder / f"part-{max(numbers, default=-1) + 1:06d}.parquet") as stream:
        parquet.write_table(pa.table(arrays), stream)


def _read_part(path: Path) -> Iterator[Row]:
    """Rows of a part, without certificates."""
    from pyarrow import parquet

    try:
        with parquet.ParquetFile(path) as file:
            names = [name for name in file.schema_arrow.names if name != "certificate"]
            table = file.read(names)
        theta = table.column("theta").combine_chunks()
        thetas = np.asarray(theta.flatten()).reshape(len(table), -1)
        plain = {name: table.column(name).to_pylist() for name in _PLAIN if name in names}
    except Exception as error:  # pyarrow raises a dozen kinds
        raise DamagedFileError(f"out: damaged rows {path} ({error})") from None
    plain["certificate"] = [None] * len(table)
    figures = {n: table.column(n).to_pylist() for n in names if n not in (*_PLAIN, "theta")}
    for k in range(len(table)):
        yield Row(
            **{name: values[k] for name, values in plain.items()},
            theta=thetas[k],
            figures={name: values[k] for name, values in figures.items()},
            trajectory=None,
        )


# ---------------------------------------------------------------- folders


def _new(path: Path, loss: LayerLoss, asked: dict[str, Any]) -> Folder:
    """An empty folder at `path` for what was `asked` about `loss`."""
    for name in (*PASSES, "trajectories"):
        (path / name).mkdir(parents=True, exist_ok=True)
    write_archive(path / "loss.npz", "loss", to_arrays(loss), force=True)
    manifest = {"format": FORMAT, "version": __version__, "loss": loss.fingerprint, **asked}
    with whole_file(path / "ensemble.json") as stream:  # last: with it the folder is one
        stream.write((json.dumps(manifest, indent=1) + "\n").encode())
    return Folder(path)


def read_manifest(path: Path) -> dict[str, Any]:
    """What was asked when the folder at `path` was made.

    FileNotFoundError if there is none, DamagedFileError (a ValueError) if it is none of ours.
    """
    file = path / "ensemble.json"
    if not file.is_file():
        raise FileNotFoundError(f"path: no ensemble in {path}")
    try:
        manifest = json.loads(file.read_text())
        found = manifest["format"]
    except Exception:
        raise DamagedFileError(f"path: damaged ensemble {file}") from None
    if found != FORMAT:
        raise DamagedFileError(
            f"path: expected an ensemble of format {FORMAT}, found format {found} in {path}"
        )
    return dict(manifest)


def read_loss(path: Path) -> LayerLoss:
    """The loss that the ensemble in the folder at `path` is about."""
    loss = load_archive(path / "loss.npz", "loss", from_arrays)
    if not isinstance(loss, LayerLoss):
        raise DamagedFileError(f"path: {path / 'loss.npz'} is no loss of one layer")
    return loss


@contextmanager
def opened(out: Any, loss: LayerLoss, asked: dict[str, Any], resume: bool) -> Iterator[Folder]:
    """The folder at the path `out`, new or to be resumed, for this process alone.

    FileExistsError if there is something else, ValueError if it is of other walks, RuntimeError if
    another process writes to it; one whose writer was killed is free.
    """
    if not isinstance(out, str | Path):
        raise TypeError(f"out: expected a path, found {short(out)}")
    path, filelock = Path(out).resolve(), need("filelock", "out:")
    need("pyarrow", "out:")
    if path.exists() and not path.is_dir():
        raise FileExistsError(f"out: {path} is a file; give another folder")
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise type(error)(f"out: {path} cannot be made ({error})") from None
    lock = filelock.FileLock(path / ".lock")
    try:
        lock.acquire(timeout=0)
    except filelock.Timeout:
        raise RuntimeError(f"out: another process writes to {path}; wait for it") from None
    try:
        yield _begun(path, loss, asked, resume)
    finally:
        lock.release()


def _begun(path: Path, loss: LayerLoss, asked: dict[str, Any], resume: bool) -> Folder:
    """A new folder, or that of an earlier run of the same walks."""
    if not (path / "ensemble.json").exists():
        if not _unfinished(path):
            raise FileExistsError(f"out: {path} holds other files; give another folder")
        return _new(path, loss, asked)
    if not resume:
        raise FileExistsError(
            f"out: {path} holds an ensemble; give resume=True to go on with it, or another folder"
        )
    found = read_manifest(path)
    if found.get("loss") != loss.fingerprint:
        raise ValueError(
            f"out: {path} holds an ensemble of another loss (data, network, kind); give another "
            "folder"
        )
    for name, value in {"version": __version__, **asked}.items():
        if found.get(name) != value:
            raise ValueError(
                f"out: {path} holds an ensemble with another {name}: expected "
                f"{value!r}, found {found.get(name)!r}; give another folder"
            )
    (path / "ended").unlink(missing_ok=True)
    return Folder(path)


def _unfinished(path: Path) -> bool:
    """Whether there is nothing but what :func:`_new` made before it was killed."""
    known = {*PASSES, "trajectories", "loss.npz"}
    names = {each.name for each in path.iterdir() if not each.name.startswith(".")}
    return names <= known and not any((path / "walks").glob("*"))


__all__ = [
    "FORMAT",
    "Folder",
    "Memory",
    "Store",
    "opened",
    "read_loss",
    "read_manifest",
]
