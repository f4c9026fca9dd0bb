"""Regression on sparse features."""
