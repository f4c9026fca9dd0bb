"""Rank intervals: against R, and against the statistic found by fits of their own."""

import numpy as np
import pytest
from scipy import stats

import reluplex_walk as rw


def statistic(X, y, w, tau, j, values):
    """T at these values of coefficient j: by the slope of the profile of the loss, and its size."""
    rows = np.column_stack([np.ones(len(y)), X])
    others = np.delete(rows, j, axis=1)

    def profile(b):
        return rw.quantile(
            others, y - b * rows[:, j], tau, sample_weight=w, fit_intercept=False
        ).loss

    step = 1e-6
    slopes = [(profile(b + step) - profile(b - step)) / (2.0 * step) for b in values]
    left = w * rows[:, j]
    by = np.linalg.lstsq(w[:, None] * others, left, rcond=None)[0]
    rest = left - w[:, None] * others @ by
    return np.array(slopes) / np.sqrt(tau * (1.0 - tau) * (rest @ rest))


def test_engel_as_in_quantreg():
    data = rw.datasets.load_engel()
    wanted = [[53.2591515453, 114.0115572428], [0.4870222694, 0.6019890421]]
    for fit in (rw.quantile(data.X, data.y), rw.lad(data.X, data.y)):
        assert np.allclose(fit.conf_int("rank"), wanted, rtol=1e-10, atol=0.0)


def test_stack_loss_as_in_quantreg():
    data = rw.datasets.load_stackloss()
    found = rw.quantile(data.X, data.y).conf_int("rank")
    wanted = [  # of quantreg's rqbr, with water and acid in the other order
        [-41.6197316615, -29.6775351546],
        [0.523068248449, 1.14117115144],
        [0.321823541275, 1.41089812423],
        [-0.21348289922, -0.0289134093162],
    ]
    assert np.allclose(found, wanted, rtol=1e-10, atol=0.0)
    # In this order it says 0.5128: at 0.7 residuals of samples 16 and 17 vanish at once, and its
    # tableau takes 17 across alone.  From there that of 16 has the wrong sign, and what it calls
    # T is not that of the dual solution, until at 18/35 pivots bring it back: there it begins the
    # step that begins at 19/36.  Taking 16 across instead, which rounding decides, it would
    # agree.  The slopes of the loss of fits to `y - b x` are what the steps are made of.
    w = np.ones(len(data.y))
    inside, outside = statistic(data.X, data.y, w, 0.5, 1, [0.515, 0.505])
    critical = stats.t.ppf(0.95, 17)
    share = (-critical - inside) / (outside - inside)
    upper, lower = 19.0 / 36.0, 32.0 / 63.0  # where residuals vanish
    assert found[1, 0] == pytest.approx(upper + share * (lower - upper), rel=1e-7)
    late = 18.0 / 35.0
    assert late + share * (lower - late) == pytest.approx(0.51278, abs=5e-6)
    between = statistic(data.X, data.y, w, 0.5, 1, [0.6, 0.536, 0.52, late + 1e-4])
    assert np.allclose(between, [-1.4552904, -1.4552904, -1.5883456, -1.5883456], rtol=1e-6)


@pytest.mark.parametrize("seed", range(6))
def test_the_test_rejects_outside_and_not_inside(seed):
    rng = np.random.default_rng(seed)
    X, y = rng.normal(size=(40, 2)), rng.standard_t(3, 40)
    if seed % 2:
        X, y = X.round(), y.round()
    w = [np.ones(40), rng.integers(1, 4, 40) + 0.0][seed // 2 % 2]
    tau = [0.5, 0.3, 0.8][seed % 3]
    fit = rw.quantile(X, y, tau, sample_weight=w)
    found = fit.conf_int("rank", 0.9, interpolate=False)
    smooth = fit.conf_int("rank", 0.9)
    critical = stats.t.ppf(0.95, 37)
    for j in range(3):
        low, high = found[j]
        assert low <= smooth[j, 0] <= fit.coefficients[j] <= smooth[j, 1] <= high
        inner, outer = [low + 1e-5, high - 1e-5], [low - 1e-5, high + 1e-5]
        if high - low > 1e-4:
            assert (np.abs(statistic(X, y, w, tau, j, inner)) < critical + 1e-6).all()
        assert (np.abs(statistic(X, y, w, tau, j, outer)) > critical - 1e-6).all()


def test_ends_are_infinite_where_nothing_is_rejected():
    fit = rw.quantile([[0.0], [1.0], [2.0], [4.0]], [1.0, 5.0, 2.0, 3.0])
    found = fit.conf_int("rank", 0.99)
    assert (found[:, 0] == -np.inf).all()
    assert (found[:, 1] == np.inf).all()


def test_densities_that_differ_change_the_interval():
    data = rw.datasets.load_engel()
    fit = rw.quantile(data.X, data.y)
    found = fit.conf_int("rank", iid=False)
    assert (found[:, 0] < fit.coefficients).all()
    assert (found[:, 1] > fit.coefficients).all()
    assert not np.allclose(found, fit.conf_int("rank"))


def test_coefficients_that_were_not_fitted():
    with pytest.warns(rw.RankWarning):
        fit = rw.lad(np.column_stack([np.arange(9.0), 2.0 * np.arange(9.0)]), np.arange(9.0) % 4)
    assert fit.conf_int("rank")[2].tolist() == [0.0, 0.0]
    fit = rw.lad(np.arange(1.0, 9.0)[:, None], np.arange(8.0) % 4, fit_intercept=False)
    assert fit.conf_int("rank")[0].tolist() == [0.0, 0.0]
    assert fit.conf_int("rank")[1, 0] < fit.coefficients[1] < fit.conf_int("rank")[1, 1]


def test_bad_arguments_are_refused():
    fit = rw.lad([[0.0], [1.0], [2.0], [4.0]], [1.0, 5.0, 2.0, 3.0])
    with pytest.raises(ValueError, match="level"):
        fit.conf_int("rank", 1.5)
    with pytest.raises(TypeError, match="iid"):
        fit.conf_int("rank", iid="yes")
    with pytest.raises(ValueError, match="expected more samples"):
        rw.lad([[0.0], [1.0]], [1.0, 5.0]).conf_int("rank")
