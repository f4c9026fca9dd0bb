"""A walk as HTML, for notebooks."""

from __future__ import annotations

from base64 import b64encode
from html import escape
from io import BytesIO
from typing import TYPE_CHECKING

from .overview import overview

if TYPE_CHECKING:
    from ..simplex.trajectory import Trajectory


def as_html(traj: Trajectory) -> str:
    """Summary and, where matplotlib is installed, overview."""
    summary = f"<pre>{escape(traj.summary())}</pre>"
    try:
        from matplotlib.figure import Figure
    except ImportError:
        return summary
    png = BytesIO()
    figure = Figure(figsize=(8.0, 6.0), layout="constrained")  # not one of pyplot's
    overview(traj, figure=figure).savefig(png, format="png", dpi=100)
    data = b64encode(png.getvalue()).decode()
    return f'{summary}<img alt="overview of the walk" src="data:image/png;base64,{data}">'


__all__ = ["as_html"]
