"""Shared settings: hypothesis draws the same examples every time, and no figure needs a window."""

import os

from hypothesis import settings

os.environ.setdefault("MPLBACKEND", "Agg")

settings.register_profile("reproducible", derandomize=True, deadline=None)
settings.load_profile("reproducible")
