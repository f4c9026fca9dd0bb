"""Slow studies and timings, one module each: ``python -m benchmarks NAME``."""
