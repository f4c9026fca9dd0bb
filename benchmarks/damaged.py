"""Damaged files: 2,000 mutations of all kinds of files, none accepted, each refused in one line.

Files of networks, certificates, trajectories (proved, degenerate, stopped) and the shipped level
model are damaged in all ways of ``_damage.py`` and read again, trajectories by the commands, too.

refused    a ValueError or OSError of one line that names the file; exit code 1 (2 from show and
           resume for what is no file of this library at all)
same       read, and rightly: every member is there, byte for byte
accepted   read, though a member is missing or has other bytes
other      any other exception
unclear    the message has several lines, or does not name the file

With ``--forged`` one member is another array and the digest is right again, as only a program
writes it: reading may find nothing wrong, but nothing else may be raised, and a walk that goes on
from such a file must not break.
"""

import argparse
import contextlib
import io
import re
import sys
import tempfile
import time
import traceback
import warnings
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

import reluplex_walk as rw
from reluplex_walk._files import _digest, open_archive
from reluplex_walk.cli.commands import main as command

from ._damage import DAMAGES, members, npy, odd_array, packed, some

VERDICTS = ("refused", "same", "accepted", "other", "unclear")
FAULTS = VERDICTS[2:]


def write_samples(folder: Path) -> dict[str, str]:
    """Files of all kinds, and the kind of each."""
    stackloss = rw.datasets.load_stackloss()
    losses = {
        "stackloss": rw.LayerLoss(
            rw.ReLUNetwork.random([3, 2, 1], seed=0), stackloss.X, stackloss.y
        ),
        "degenerate": rw.LayerLoss(
            rw.ReLUNetwork([[[1.0], [-1.0]], [[1.0, 1.0]]], [[0.0, 0.0], [0.0]]),
            [[-1.0], [0.0], [0.0], [1.0]],
            [1.0, 0.0, 1.0, 1.0],
        ),
        "aliased": rw.LayerLoss(
            rw.ReLUNetwork.random([2, 1]), [[1.0, 2.0], [2.0, 4.0], [3.0, 6.0]], [0.0, 1.0, 3.0]
        ),
    }
    kinds = {}
    for name, loss in losses.items():
        traj = rw.walk(loss, seed=0)
        traj.save(folder / f"{name}.npz")
        traj.certificate.save(folder / f"{name}_certificate.npz")
        loss.network.save(folder / f"{name}_network.npz")
        kinds |= {name: "trajectory", f"{name}_certificate": "certificate"}
        kinds[f"{name}_network"] = "network"
    rw.walk(losses["stackloss"], seed=0, max_pivots=3).save(folder / "stopped.npz")
    shipped = Path(rw.__file__).parent / "data" / "level.npz"
    (folder / "level.npz").write_bytes(shipped.read_bytes())
    return {**kinds, "stopped": "trajectory", "level": "level model"}


READERS: dict[str, dict[str, Callable[[Path], Any]]] = {
    "network": {"load": rw.ReLUNetwork.load},
    "certificate": {"load": rw.Certificate.load},
    "trajectory": {
        "load": rw.Trajectory.load,
        "verify": lambda path: run("verify", str(path)),
        "show": lambda path: run("show", str(path)),
        "resume": lambda path: run("resume", str(path), "--max-pivots", "50", "--quiet"),
    },
    "level model": {"load": lambda path: open_archive(path, "level model")},
}


class RefusedError(ValueError):
    """What the command line said."""


def run(*arguments: str) -> None:
    """A command; RefusedError with its line on stderr if its exit code says so."""
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = command(arguments)
    if code not in (1, 2) or (code == 1 and not err.getvalue()):
        return
    text = err.getvalue()
    if out.getvalue() or not text.startswith("reluplex-walk: ") or text.count("\n") != 1:
        raise AssertionError(f"{code}: {text!r}, {out.getvalue()!r}")
    if code == 2 and (arguments[0] == "verify" or not re.search("no npz|other origin", text)):
        raise AssertionError(f"exit code 2: {text}")
    raise RefusedError(text.strip())


def judge(read: Callable[[Path], Any], path: Path, before: dict[str, bytes]) -> tuple[str, str]:
    """The verdict, and the message."""
    try:
        same = members(path.read_bytes()) == before
    except Exception:  # an archive that cannot be read
        same = False
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            read(path)
    except (ValueError, OSError) as error:
        clear = str(path) in str(error) and "\n" not in str(error)
        return ("refused" if clear else "unclear"), f"{type(error).__name__}: {error}"
    except Exception as error:  # what must not happen: counted and shown
        return "other", f"{type(error).__name__}: {error}\n{traceback.format_exc()}"
    return ("same" if same else "accepted"), ""


def mutations(
    folder: Path, count: int, seed: int
) -> Iterator[tuple[str, str, str, str, tuple[str, str]]]:
    """(kind, reader, damage, number, verdict and message) of damaged files."""
    kinds = write_samples(folder)
    files, path = list(kinds), folder / "damaged" / "trajectory.npz"
    path.parent.mkdir()
    for k in range(count):
        rng = np.random.default_rng([seed, k])
        damage, name = DAMAGES[k % len(DAMAGES)], files[int(rng.integers(len(files)))]
        data = (folder / f"{name}.npz").read_bytes()
        path.write_bytes(damage(rng, data))
        readers = READERS[kinds[name]]
        reader = str(rng.choice(list(readers)))
        yield kinds[name], reader, damage.__name__, k, judge(readers[reader], path, members(data))


def forged(folder: Path, count: int, seed: int) -> Iterator[tuple[str, str, str, str, Any]]:
    """The same of files with one odd array and the right digest."""
    kinds = write_samples(folder)
    files, path = list(kinds), folder / "damaged" / "trajectory.npz"
    path.parent.mkdir()
    for k in range(count):
        rng = np.random.default_rng([seed, k])
        name = files[int(rng.integers(len(files)))]
        data = (folder / f"{name}.npz").read_bytes()
        parts = members(data)
        odd = some(rng, parts)
        arrays = {n[:-4]: np.load(io.BytesIO(part)) for n, part in parts.items()}
        arrays[odd[:-4]] = nearby(rng, arrays[odd[:-4]])
        kind, version, _ = arrays.pop("header")
        try:
            digest = _digest(arrays)
        except (TypeError, ValueError):  # of an array without bytes
            continue
        changed = {f"{n}.npy": npy(array) for n, array in arrays.items()}
        header = {"header.npy": npy(np.array([kind, version, digest]))}
        path.write_bytes(packed({**header, **changed}))
        readers = READERS[kinds[name]]
        reader = str(rng.choice(list(readers)))
        verdict, message = judge(readers[reader], path, {})
        yield kinds[name], reader, odd, k, ("same" if verdict == "accepted" else verdict, message)


def nearby(rng: np.random.Generator, array: np.ndarray) -> np.ndarray:
    """An odd array, or the same with one odd number."""
    if rng.random() < 0.3 or not array.size or array.dtype.kind in "US":
        return odd_array(rng)
    changed = np.array(array)
    values = {"f": [0.0, -1.0, np.nan, np.inf, 1e300, 5e-324], "b": [True, False]}
    values = values.get(array.dtype.kind, [-(2**31), -2, -1, 0, 1, 7, 10**6, 2**31 - 1])
    with contextlib.suppress(OverflowError, ValueError):  # too large for its type
        changed.flat[int(rng.integers(changed.size))] = rng.choice(values)
    return changed


def show(found: list[tuple[str, str, str, str, tuple[str, str]]]) -> None:
    for title, key in (("file, read by", lambda f: f"{f[0]}, {f[1]}"), ("damage", lambda f: f[2])):
        print(f"\n{title:<28} files  " + "  ".join(VERDICTS))
        table = Counter((key(f), f[4][0]) for f in found)
        for row in sorted({row for row, _ in table}):
            counts = [table[row, verdict] for verdict in VERDICTS]
            cells = "  ".join(f"{n:>{len(v)}}" for n, v in zip(counts, VERDICTS, strict=True))
            print(f"{row:<28} {sum(counts):>5}  {cells}")


def main(argv: list[str]) -> None:
    parser = argparse.ArgumentParser(
        prog="benchmarks damaged",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--files", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--forged", action="store_true")
    options = parser.parse_args(argv)
    study, found, slowest = forged if options.forged else mutations, [], 0.0
    with tempfile.TemporaryDirectory() as folder:
        began = time.perf_counter()
        for each in study(Path(folder), options.files, options.seed):
            slowest = max(slowest, time.perf_counter() - began)
            began = time.perf_counter()
            found.append(each)
            if each[4][0] in FAULTS:
                print(*each[:4], *each[4])
    show(found)
    faults = sum(each[4][0] in FAULTS for each in found)
    print(f"\n{len(found)} files, {faults} not as they should be, the slowest {slowest:.1f} s")
    sys.exit(faults > 0)
