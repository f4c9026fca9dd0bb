"""A small one of each kind of result, made when it is asked for and once."""

from functools import cache

import numpy as np

import reluplex_walk as rw
from reluplex_walk.estimators.network import ReLURegressor
from tests.problems.random import random_loss

X, Y = [[0.0], [1.0], [2.0], [3.0], [4.0]], [0.0, 2.0, 1.0, 5.0, 3.0]


@cache
def loss():
    return random_loss([2, 3, 1], 20, 0)


@cache
def lines():
    return rw.LayerLoss(rw.ReLUNetwork.random([1, 1]), X[:3], [0.0, 1.0, 0.0])


@cache
def traj():
    return rw.walk(loss(), step="long")


@cache
def fit():
    data = rw.datasets.load_stackloss()
    return rw.quantile(data.X, data.y, tau=0.75)


@cache
def trained():
    return rw.train(rw.ReLUNetwork.random([1, 2, 1], seed=0), X, Y, rounds=2)


@cache
def ensemble():
    return rw.ensemble(loss(), walks=8, step="long")


@cache
def regions():
    return rw.enumerate_regions(lines())


@cache
def descent():
    return rw.descend(loss(), "adam", 30, learning_rate=0.1)


@cache
def process():
    return rw.quantile_process(X, Y)


@cache
def exact_glass():
    return rw.glass.exact(loss(), loss().theta, 2.0, 4)


@cache
def regret():
    net = rw.ReLUNetwork.random([2, 3, 1], seed=1)
    return rw.taylor.regret(net, loss().X, loss().y, learning_rate=0.05, horizons=[5, 10])


@cache
def valleys():
    net = rw.ReLUNetwork([[[1.0]], [[1.0]]], [[0.0], [0.0]])
    return rw.LayerLoss(net, [[0.0], [1.0], [2.0], [3.0]], [2.0, 0.0, 0.0, 3.0])


def _held_out():
    stop = rw.HeldOut(loss().X[:5] + 0.1, loss().y[:5], patience=3)
    return rw.walk(loss(), stop_when=stop).held_out


def _alice():
    run = rw.Alice().begin([1.0, 2.0], learning_rate=1e-2, seed=0)
    run.step(lambda theta: np.asarray(theta), 10)
    return run


def _averaged():
    fitted = ReLURegressor(n_nets=2, random_state=0).fit(loss().X, np.ravel(loss().y))
    return fitted.fits_[0]


RESULTS = {
    "Trajectory": traj,
    "HeldOutLosses": _held_out,
    "LevelEstimate": lambda: traj().level(method="record"),
    "PointCheck": lambda: rw.certify(loss()),
    "Passage": lambda: traj().regions(),
    "Certificate": lambda: traj().certificate,
    "ExactCheck": lambda: traj().verify(),
    "Witness": lambda: traj().certificate.witness,
    "OptimalityCertificate": lambda: fit().optimality,
    "Minimization": lambda: rw.minimize(loss(), max_walks=4),
    "GlobalMinimum": lambda: rw.global_minimum(lines(), box=3.0),
    "Ensemble": ensemble,
    "EnsembleMinima": lambda: ensemble().minima(),
    "Unseen": lambda: ensemble().unseen(),
    "TrainingFit": trained,
    "Round": lambda: trained().rounds[0],
    "LayerPenaltyPath": lambda: rw.penalty_path(loss(), [0.1, 1.0]),
    "DescentPath": descent,
    "DescentGap": lambda: descent().gap(),
    "Descent": lambda: rw.polyak_descent(loss(), 1.0, steps=5),
    "AliceRun": _alice,
    "QuantileFit": fit,
    "QuantileProcess": process,
    "PenaltyPath": lambda: rw.quantile_penalty_path(X, Y),
    "Solutions": lambda: fit().solutions(),
    "Baselines": lambda: rw.baselines(X, Y),
    "Bootstrap": lambda: fit().bootstrap(10),
    "FitComparison": lambda: fit().compare(rw.quantile(fit().X[:, :2], fit().y, tau=0.75)),
    "Summary": lambda: fit().summary(),
    "Averaged": _averaged,
    "Regions": regions,
    "Minimum": lambda: regions().minimum(),
    "LocalMinima": lambda: regions().local_minima(),
    "Crossings": lambda: rw.crossings(loss(), loss().random_start(0), loss().random_start(1)),
    "LineSection": lambda: rw.line_section(lines(), [0.0, 0.0], [1.0, 0.0], (-1.0, 2.0)),
    "Slice": lambda: rw.slice(lines(), np.zeros(2), np.eye(2)[0], np.eye(2)[1]),
    "VertexGraph": lambda: rw.vertex_graph(valleys()),
    "MergeTree": lambda: rw.merge_tree(valleys()),
    "Barrier": lambda: rw.barrier(valleys(), [3.0, -6.0], [-2.0, 2.0]),
    "BreakpointDensity": lambda: rw.density.breakpoint_density(loss(), loss().theta, 0.1, 5),
    "VertexDensity": lambda: rw.density.vertex_density(traj(), [0.1, 1.0], controls=2),
    "ExactGlass": exact_glass,
    "EstimatedGlass": lambda: rw.glass.estimate(loss(), loss().theta, 0.1, lines=4),
    "Jumps": lambda: exact_glass().segments[0],
    "Variogram": lambda: exact_glass().variogram(),
    "MeanOverRms": lambda: exact_glass().mean_over_rms,
    "ChainLaw": lambda: rw.chains.law(8, 10),
    "ChainSample": lambda: rw.chains.sample(4, 3, 20),
    "ChainSpectrum": lambda: rw.chains.spectrum([2, 4], chains=20),
    "Cures": lambda: rw.chains.cures((2, 4), 4, ["plain", "residual"], 10),
    "Escape": lambda: rw.chains.escape(2, "gd", 5),
    "Vanishing": lambda: rw.chains.vanishing([4, 8], [2, 4], networks=10),
    "Shattering": lambda: rw.taylor.shattering([1, 2], 8, networks=10),
    "ShatteringSpectrum": lambda: rw.taylor.shattering_spectrum(2, networks=4),
    "Shatteredness": lambda: rw.taylor.shatteredness([2, 4], 4, 20, 3),
    "Exploration": lambda: rw.activations.exploration(descent()),
    "Regret": regret,
    "TaylorLoss": lambda: regret().taylor,
    "TaylorMinimum": lambda: regret().minima[0],
    "Approximation": lambda: rw.taylor.approximation(loss().network, loss().X, block=0),
}
"""By the name of the class."""
