"""Measures of the landscape around a point."""
