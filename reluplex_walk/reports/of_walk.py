"""The sections of a walk: it is played, its pivots are listed, its end and its making are told."""

from __future__ import annotations

import math
import platform
import re
from fractions import Fraction
from html import escape
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import numpy as np

from .._version import __version__
from ..proof.certificate import METHODS, Certificate
from ..simplex.conversions import labels
from ..simplex.trajectory import Trajectory
from .figures import packed
from .page import Section, asset
from .played import before_a_vertex, played, reached
from .tables import table
from .terrain import along_line, terrain

_PIVOTS = 500  # rows of the table
_DIGITS = 60  # of an exact number in full
_PACKAGES = ("numpy", "scipy", "numba", "python-flint", "plotly")


def sections(traj: Trajectory) -> list[Section]:
    """All sections below the head of the page."""
    return [
        Section("walk", "The walk, vertex by vertex", _player(traj)),
        Section("pivots", "Pivots", _pivots(traj)),
        Section("certificate", "Certificate", _certificate(traj.certificate)),
        Section("making", "How to make it again", _making(traj)),
    ]


def _player(traj: Trajectory) -> str:
    """Four views of the walk, and the slider that moves through all of them."""
    walk = played(traj)
    data, words = dict(walk.data), [walk.words]
    plane, said = terrain(traj, walk.entries)
    views = {"plane": asset("plane.html"), "last": str(len(walk.entries) - 1)}
    if plane is not None:
        data["plane"] = plane
    else:
        line, instead = along_line(traj, walk.entries)
        said = [*said, instead] if reached(traj) else before_a_vertex(traj, instead)
        views["plane"] = asset("line.html") if line else ""
        data["line"] = line
    rows = len(data["fit"]["features"])
    if rows < len(traj.problem.X):
        said.append(f"The fit is drawn with {rows:,} of {len(traj.problem.X):,} samples.")
    if "level" not in data["curve"]:
        said.append("What was expected of the end is not drawn: it is not finite.")
    text = "".join(f"<p>{escape(sentence)}</p>" for sentence in [*words, *said, _HOW])
    html = re.sub(r"\{\{(\w+)\}\}", lambda name: views[name[1]], asset("walk.html"))
    return f'{html}<div class="words">{text}</div>{packed(data, "walk-data")}'


_HOW = (
    "Losses are those of the trajectory, computed in Python; the page computes the fits from the "
    "parameters of each vertex. The level is what was expected of the end from what was known at "
    "each vertex, with its 80 % interval."
)


def _pivots(traj: Trajectory) -> str:
    """A table with a row for each entry, with the pivot that led there."""
    steps, problem = traj.steps, traj.problem
    n = traj.n_pivots
    columns: dict[str, Any] = {
        "pivot": np.arange(n + 1),
        "loss": traj.losses,
        "length": [None, *steps.length.tolist()],
        "slope": [None, *steps.slope.tolist()],
        "leaving": ["", *labels(problem, steps.leaving)],
        "entering": ["", *labels(problem, steps.entering)],
        "crossed": [None, *steps.crossed.tolist()],
        "descending": traj.descending,
        "active": traj.ranks,
    }
    return (
        "<p>Breakpoints are layer:sample:neuron; of the last layer they are residuals. "
        "<em>Descending</em> counts the half-edges along which the loss falls: none at a local "
        f"minimum.</p>{table(columns, caption='Pivots', most=_PIVOTS)}"
    )


def _certificate(certificate: Certificate) -> str:
    """What is proved of the end, and the slopes that say so."""
    figures = {
        "proof": f"{certificate.method}: {METHODS[certificate.method]}",
        "loss": _number(certificate.loss),
        "rank": f"{certificate.rank} of {certificate.dim} free parameters, "
        f"{certificate.n_tied} further breakpoints vanish",
        "least slope": f"{certificate.smallest_slope:.6g}",
        "strict": "yes" if certificate.strict else "not said",
        "global": "yes" if certificate.is_global else "not said",
        "digest": certificate.digest,
    }
    if certificate.reason is not None:
        figures["not proved"] = certificate.reason.message
        figures["remedy"] = certificate.reason.remedy
    r = certificate.rank
    active = certificate.active
    columns: dict[str, Any] = {
        "layer": active[:, 0],
        "sample": active[:, 1],
        "neuron": active[:, 2],
        "near slope": certificate.slopes[:r],
        "far slope": certificate.slopes[r:],
    }
    slopes = table(columns, caption="Active breakpoints and the slopes of both half-edges")
    return _facts(figures) + (slopes if r else "<p>No breakpoint is active at the end.</p>")


def _number(value: Fraction | float) -> str:
    """An exact number as far as it is readable."""
    if not isinstance(value, Fraction):
        return f"{value:.12g} (a float)"
    bits = value.numerator.bit_length() + value.denominator.bit_length()
    # Python refuses to write integers of more than 4300 digits: most are counted, not written.
    if bits <= 4 * _DIGITS and len(text := str(value)) <= _DIGITS:
        return f"{text} = {float(value):.12g}, exactly"
    digits = int(bits * math.log10(2.0)) + 1
    return f"{float(value):.12g}, rounded from a fraction of about {digits:,} digits"


def _making(traj: Trajectory) -> str:
    """Options, versions, and the lines that lead to the same walk."""
    problem, options = traj.problem, vars(traj.options)
    data = {
        "network": "-".join(map(str, problem.network.widths)),
        "trained layer": str(problem.layer),
        "samples": f"{len(problem.X):,}",
        "loss": problem.kind + (f", tau {problem.tau:g}" if problem.kind == "pinball" else ""),
        "penalty": f"{problem.penalty:g}",
        "ended": f"{traj.ended.name}: {traj.status.message}",
        "seconds": f"{traj.elapsed:.3g}",
        "fingerprint of the loss": problem.fingerprint,
    }
    versions = {"reluplex_walk": __version__, "Python": platform.python_version(), **_versions()}
    shown = {name: value for name, value in options.items() if name != "tolerances"}
    code = (
        "import reluplex_walk as rw\n"
        'traj = rw.Trajectory.load("walk.npz")  # where it was saved\n'
        "options = vars(traj.options)  # those above\n"
        "again = rw.walk(traj.problem, start=traj.vertices[0], "
        f"max_pivots={traj.n_pivots}, **options)\n"
        "print(again.losses[-1], traj.losses[-1])"
    )
    tolerances = {name: f"{value:g}" for name, value in options["tolerances"]._asdict().items()}
    return (
        f"<h3>Problem</h3>{_facts(data)}"
        f"<h3>Options</h3>{_facts({**{k: str(v) for k, v in shown.items()}, **tolerances})}"
        f"<h3>Versions</h3>{_facts(versions)}"
        "<p>A loss with this fingerprint, these options and this start lead to the same walk; "
        "between processors the last digits may differ.</p>"
        f'<pre tabindex="0"><code>{escape(code)}</code></pre>'
    )


def _versions() -> dict[str, str]:
    found = {}
    for name in _PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "not installed"
    return found


def _facts(figures: dict[str, Any]) -> str:
    """Names and values."""
    rows = "".join(
        f"<div><dt>{escape(name)}</dt><dd>{escape(str(value))}</dd></div>"
        for name, value in figures.items()
    )
    return f'<dl class="facts">{rows}</dl>'


__all__ = ["sections"]
