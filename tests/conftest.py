"""Shared settings: hypothesis draws the same examples every time and has no deadline."""

from hypothesis import settings

settings.register_profile("reproducible", derandomize=True, deadline=None)
settings.load_profile("reproducible")
