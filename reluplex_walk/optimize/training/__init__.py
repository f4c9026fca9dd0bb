"""Whole networks: what :func:`reluplex_walk.train` is made of."""
