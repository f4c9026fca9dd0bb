"""Placeholder."""

MEASURES: dict = {}
