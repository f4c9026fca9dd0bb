"""Parametric pivots: all minima as a quantile or a slope changes, and all minimisers."""
