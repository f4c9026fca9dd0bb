"""Numba kernels of the exact walk: arrays in, arrays and an int status out.

Nothing in this folder imports from :mod:`reluplex_walk`; validation, objects and messages live
there.  Every breakpoint of the loss has an integer id (see :mod:`.arrays`), every kernel works on
the two records defined there.  What Python calls is marked ``@entry``; :func:`.walk.run` makes the
pivots.
"""
