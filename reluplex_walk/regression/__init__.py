"""Regression with no hidden layer: least absolute deviations and quantiles."""
