"""Numba kernels of the exact walk: arrays in, arrays and an int status out.

Nothing in this folder imports from :mod:`reluplex_walk`; validation, objects and messages live
there.  Every breakpoint of the loss has an integer id (see :mod:`.arrays`).  Kernels work on two
records, a fixed one `P` and a moving one `S`: for the walk those of :mod:`.arrays`, for the
subdivision into regions a moving one of its own (:mod:`.region_arrays`), for quantile regression
both (:mod:`.lad_arrays`).  What is compiled on its own is marked ``@entry`` (:mod:`._jit`);
:func:`.walk.run` makes the pivots.
"""
