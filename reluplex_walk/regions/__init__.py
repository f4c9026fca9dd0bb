"""Affine regions: all of them, those along a line or in a plane, and the breakpoints between."""
