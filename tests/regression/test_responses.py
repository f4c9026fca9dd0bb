"""Several responses to the same features: the fits of each alone."""

import numpy as np
import pytest

import reluplex_walk as rw


@pytest.mark.parametrize("seed", range(8))
def test_fits_of_each_response(seed):
    rng = np.random.default_rng(seed)
    n, p, m = int(rng.integers(3, 60)), int(rng.integers(1, 4)), 4
    X = np.round(rng.normal(size=(n, p)), 1)
    Y = np.column_stack(
        [
            rng.normal(size=n) * 1e6,
            np.round(rng.normal(size=n), 2),
            np.zeros(n),
            X @ rng.normal(size=p) * 1e-9,
        ]
    )
    w = None if seed % 2 else rng.integers(0, 3, n).astype(float) + (np.arange(n) == 0)
    options = {"sample_weight": w, "fit_intercept": bool(seed % 3)}
    fits = rw.quantile_responses(X, Y, 0.3, **options)
    assert len(fits) == m
    for fit, y in zip(fits, Y.T, strict=True):
        alone = rw.quantile(X, y, 0.3, **options)
        np.testing.assert_array_equal(fit.coefficients, alone.coefficients)
        np.testing.assert_array_equal(fit.y, y)
        assert fit.status is alone.status
        if fit.status.proved:
            fit.certificate.verify_exact(fit.problem)


def test_with_a_penalty_and_constraints():
    data = rw.datasets.load_stackloss()
    Y = np.column_stack([data.y, data.X[:, 0]])
    options = {"alpha": 0.1, "constraints": rw.constraints.nonnegative(data.X)}
    for fit, y in zip(rw.quantile_responses(data.X, Y, **options), Y.T, strict=True):
        alone = rw.quantile(data.X, y, **options)
        np.testing.assert_array_equal(fit.coefficients, alone.coefficients)
        fit.optimality.verify_exact()


def test_names_of_the_responses():
    pandas = pytest.importorskip("pandas")
    data = rw.datasets.load_stackloss()
    table = pandas.DataFrame({"loss": data.y, "square": data.y**2})
    assert [fit.response_name for fit in rw.quantile_responses(data.X, table)] == ["loss", "square"]
    assert rw.quantile_responses(data.X, table.to_numpy())[0].response_name is None


def test_aliased_columns_are_said_once():
    x = np.arange(6.0)
    X = np.column_stack([x, 2.0 * x])
    with pytest.warns(rw.RankWarning) as told:
        fits = rw.quantile_responses(X, np.column_stack([x, x**2, x**3]))
    assert len(told) == 1
    assert [fit.aliased.tolist() for fit in fits] == [[1]] * 3


def test_interrupted():
    def stop(_):
        raise StopIteration

    data = rw.datasets.load_engel()
    fits = rw.quantile_responses(data.X, np.column_stack([data.y] * 3), callback=stop)
    assert len(fits) == 1
    assert fits[0].ended is rw.Ended.INTERRUPTED


def test_arguments():
    X, Y = [[0.0], [1.0], [2.0]], [[1.0, 2.0], [2.0, 3.0], [3.0, 5.0]]
    with pytest.raises(ValueError, match=r"Y: .* found shape \(3,\); rw.quantile fits one"):
        rw.quantile_responses(X, [1.0, 2.0, 3.0])
    with pytest.raises(ValueError, match="Y: expected"):
        rw.quantile_responses(X, Y[:2])
    with pytest.raises(ValueError, match="tau: expected"):
        rw.quantile_responses(X, Y, 1.0)
    wide = np.ones((3, 2))
    with pytest.raises(ValueError, match=r"y: .* found shape .*; rw.quantile_responses\(X, y\)"):
        rw.quantile(wide, np.array(Y))
