"""Every public function that can run long: a time limit, a callback that may stop it, a log."""

import inspect
import logging
import re
import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

import reluplex_walk as rw
from tests.problems.random import random_loss
from tests.test_docs import blocks


def public(module, path=""):
    """All functions and methods that users reach from `module`, by what they write after ``rw.``"""
    for name in module.__all__:
        value = getattr(module, name)
        if inspect.ismodule(value):
            yield from public(value, f"{path}{name}.")
        elif inspect.isclass(value):
            for member, function in inspect.getmembers(value, inspect.isfunction):
                if not member.startswith("_"):
                    yield f"{path}{name}.{member}", function
        elif inspect.isfunction(value):
            yield f"{path}{name}", value


LONG = {
    name: function
    for name, function in public(rw)
    if {"time_limit", "callback"} & {*inspect.signature(function).parameters}
}

LOSS = random_loss([2, 3, 1], 20, 0)
WIDE = random_loss([2, 8, 4, 1], 60, 0)
SMALL = random_loss([1, 2, 1], 6, 1)
X, Y = [[0.0], [1.0], [2.0], [3.0], [4.0], [5.0]], [0.0, 2.0, 1.0, 5.0, 3.0, 4.0]
NET = rw.ReLUNetwork.random([1, 2, 1], seed=0)


def of(loss=LOSS):
    return loss, loss.theta


def even():
    """A fit with several minimisers."""
    ones = [[1.0]] * 4
    return rw.lad(ones, [1.0, 2.0, 4.0, 9.0], fit_intercept=False)


CALLS = {  # small ones, in which the callback is called
    "DescentPath.gap": lambda **o: rw.descend(LOSS, gradients=3).gap(**o),
    "Ensemble.verify": lambda **o: rw.ensemble(SMALL, 3).verify(**o),
    "QuantileFit.bootstrap": lambda **o: rw.lad(X, Y).bootstrap(5, **o),
    "QuantileFit.solutions": lambda **o: even().solutions(**o),
    "Regions.local_minima": lambda **o: rw.enumerate_regions(SMALL).local_minima(**o),
    "Regions.minimum": lambda **o: rw.enumerate_regions(SMALL).minimum(**o),
    "activations.exploration": lambda **o: rw.activations.exploration(
        rw.descend(rw.NetworkLoss(NET, X, Y), gradients=5), **o
    ),
    "barrier": lambda **o: rw.barrier(LOSS, *(rw.walk(LOSS, seed=k) for k in (2, 3)), **o),
    "certify": lambda **o: rw.certify(*of(), **o),
    "chains.cures": lambda **o: rw.chains.cures((2,), 3, networks=3, batch=4, **o),
    "chains.escape": lambda **o: rw.chains.escape(2, chains=3, gradients=5, **o),
    "chains.sample": lambda **o: rw.chains.sample(500, 2, 50, **o),
    "chains.spectrum": lambda **o: rw.chains.spectrum((3, 4), 3, **o),
    "chains.vanishing": lambda **o: rw.chains.vanishing((4, 5), (2,), 3, **o),
    "density.breakpoint_density": lambda **o: rw.density.breakpoint_density(*of(), 0.1, 5, **o),
    "density.vertex_density": lambda **o: rw.density.vertex_density(rw.walk(LOSS), [0.1], 2, **o),
    "descend": lambda **o: rw.descend(LOSS, gradients=3, **o),
    "ensemble": lambda **o: rw.ensemble(SMALL, 3, **o),
    "enumerate_regions": lambda **o: rw.enumerate_regions(SMALL, **o),
    "glass.estimate": lambda **o: rw.glass.estimate(*of(), 2.0, **o),
    "glass.exact": lambda **o: rw.glass.exact(*of(), 2.0, **o),
    "global_minimum": lambda **o: rw.global_minimum(SMALL, 2.0, **o),
    "lad": lambda **o: rw.lad(X, Y, **o),
    "merge_tree": lambda **o: rw.merge_tree(SMALL, **o),
    "minimize": lambda **o: rw.minimize(LOSS, max_walks=3, **{"time_limit": None, **o}),
    "penalty_path": lambda **o: rw.penalty_path(LOSS, [0.1, 1.0], **o),
    "polyak_descent": lambda **o: rw.polyak_descent(LOSS, 1.0, steps=5, **o),
    "quantile": lambda **o: rw.quantile(X, Y, **o),
    "quantile_path": lambda **o: rw.quantile_path(X, Y, [0.25, 0.75], **o),
    "quantile_penalty_path": lambda **o: rw.quantile_penalty_path(X, Y, **o),
    "quantile_process": lambda **o: rw.quantile_process(X, Y, **o),
    "quantile_responses": lambda **o: rw.quantile_responses(X, np.column_stack([Y, Y]), **o),
    "slice": lambda **o: rw.slice(*of(WIDE), *np.eye(WIDE.dim)[[0, 4]], 3.0, **o),
    "slice_through": lambda **o: rw.slice_through(
        LOSS, *(LOSS.random_start(k) for k in range(3)), **o
    ),
    "taylor.regret": lambda **o: rw.taylor.regret(NET, X, Y, **o),
    "taylor.shatteredness": lambda **o: rw.taylor.shatteredness((2, 3), 3, 5, 2, **o),
    "taylor.shattering": lambda **o: rw.taylor.shattering((2, 3), 8, networks=3, **o),
    "taylor.shattering_spectrum": lambda **o: rw.taylor.shattering_spectrum(
        2, 8, points=8, networks=3, **o
    ),
    "train": lambda **o: rw.train(NET, X, Y, rounds=2, **o),
    "vertex_graph": lambda **o: rw.vertex_graph(SMALL, **o),
    "walk": lambda **o: rw.walk(LOSS, **o),
}


SILENT = {"Ensemble.verify", "Regions.minimum"}  # of why they ended

each = pytest.mark.parametrize("name", LONG)


@each
def test_takes_both(name):
    assert {"time_limit", "callback"} <= {*inspect.signature(LONG[name]).parameters}


def test_all_are_called_here():
    assert CALLS.keys() == LONG.keys()


@each
def test_a_callback_may_stop_it_and_the_log_says_so(name, caplog):
    told = []
    caplog.set_level(logging.INFO, "reluplex_walk")

    def stop(progress):
        told.append(progress)
        raise StopIteration

    ended = why(CALLS[name](callback=stop))
    assert len(told) == 1  # it is not asked again
    assert ended is (None if name in SILENT else rw.Ended.INTERRUPTED)
    last = caplog.records[-1]  # those before are of what was needed for the call
    assert (last.name, last.levelno) == (f"reluplex_walk.{name}", logging.INFO)
    word = "done" if name in SILENT else "INTERRUPTED"
    assert re.fullmatch(rf"{re.escape(name)}: {word} after [\d.e-]+ s.*", last.getMessage())
    assert not caplog.records[-2:-1] or caplog.records[-2].name != last.name


def why(result):
    """Why it ended, of fits made one by one the last; None of a minimum among regions."""
    if isinstance(result, list) and not hasattr(result, "ended"):
        return result[-1].ended
    return getattr(result, "ended", None)


# ---------------------------------------------------------------- the log


def said(caplog):
    return [(each.levelname, each.getMessage().partition(" after ")[0]) for each in caplog.records]


def test_nothing_is_printed_by_default(capfd):
    rw.walk(LOSS, max_pivots=3)
    with pytest.raises(TypeError):
        rw.walk(LOSS, max_pivots="many")
    assert capfd.readouterr() == ("", "")
    assert any(
        isinstance(h, logging.NullHandler) for h in logging.getLogger("reluplex_walk").handlers
    )


def test_a_function_within_another_is_a_detail(caplog):
    caplog.set_level(logging.INFO, "reluplex_walk")
    rw.certify(*of())
    assert said(caplog) == [("INFO", "certify: FINISHED")]
    caplog.clear()
    caplog.set_level(logging.DEBUG, "reluplex_walk")
    rw.certify(*of(), callback=lambda progress: None)
    told = said(caplog)
    assert told[:2] == [("DEBUG", "certify: began"), ("DEBUG", "walk: began")]
    assert told[-2:] == [("DEBUG", "walk: FINISHED"), ("INFO", "certify: FINISHED")]
    assert {message.partition("(")[0] for _, message in told[2:-2]} == {"walk: Progress"}


def test_walks_of_an_ensemble_are_details_in_other_threads_too(caplog):
    caplog.set_level(logging.INFO, "reluplex_walk")
    with ThreadPoolExecutor(2) as pool:
        rw.ensemble(SMALL, 4, executor=pool)
    assert said(caplog) == [("INFO", "ensemble: FINISHED")]


def test_progress_is_logged_once_on_its_way_up(caplog):
    caplog.set_level(logging.DEBUG, "reluplex_walk")
    told = []
    rw.global_minimum(SMALL, 2.0, method="regions", callback=told.append)
    lines = [each for each in caplog.records if "Progress(" in each.getMessage()]
    assert len(lines) == len(told) > 0


def test_loggers_of_single_functions(caplog):
    caplog.set_level(logging.INFO, "reluplex_walk.descend")
    rw.walk(LOSS, max_pivots=3)
    rw.descend(LOSS, gradients=3)
    assert said(caplog) == [("INFO", "descend: WORK_LIMIT")]


def test_errors_are_told_and_come_out(caplog):
    caplog.set_level(logging.INFO, "reluplex_walk")

    def fail(progress):
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        rw.walk(LOSS, callback=fail)
    rw.walk(LOSS, max_pivots=1)  # again one that users call
    assert said(caplog) == [("INFO", "walk: ended by an error"), ("INFO", "walk: WORK_LIMIT")]


def test_other_threads_have_their_own(caplog):
    caplog.set_level(logging.INFO, "reluplex_walk")

    def callback(progress):
        thread = threading.Thread(target=rw.walk, args=(LOSS,))
        thread.start()
        thread.join()
        raise StopIteration

    rw.descend(LOSS, gradients=3, callback=callback)
    assert said(caplog) == [("INFO", "walk: FINISHED"), ("INFO", "descend: INTERRUPTED")]


def test_the_page_runs(caplog):
    caplog.set_level(logging.WARNING, "reluplex_walk")  # restored after what the page sets
    caplog.handler.setLevel(logging.NOTSET)
    first, second = blocks("logging.md")
    names = {}
    exec(first, names)
    assert not caplog.records
    exec(second, names)
    assert said(caplog) == [("INFO", "minimize: WORK_LIMIT")]
