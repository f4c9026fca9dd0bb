"""Statistics of figures against scipy, against brute force, and how often their intervals hold."""

from fractions import Fraction
from math import comb

import numpy as np
import pytest
from scipy import stats

from reluplex_walk.ensembles.statistics import NAMES, median_ranks, statistics

pd = pytest.importorskip("pandas")


def test_medians_and_quartiles_are_those_of_numpy():
    rng = np.random.default_rng(0)
    columns = {f"c{n}": np.append(rng.normal(size=n), [np.nan] * (40 - n)) for n in (1, 2, 7, 40)}
    table = statistics(columns)
    assert table.columns.tolist() == list(NAMES)
    for name, values in columns.items():
        row, x = table.loc[name], values[~np.isnan(values)]
        assert row["n"] == x.size
        quartiles = row[["lower_quartile", "median", "upper_quartile"]]
        np.testing.assert_allclose(quartiles, np.quantile(x, [0.25, 0.5, 0.75]), rtol=1e-14)


@pytest.mark.parametrize("n", [6, 7, 10, 25, 100, 1001])
def test_interval_of_a_median_is_the_shortest_exact_one(n):
    """Against binomial sums in rationals, and scipy's quantile_test where it has the same."""
    low, high = median_ranks(n)
    assert low == n - 1 - high

    def coverage(r):  # of the interval from value r to value n - 1 - r
        return 1 - 2 * Fraction(sum(comb(n, k) for k in range(r + 1)), 2**n)

    assert coverage(low) >= Fraction(95, 100) > coverage(low + 1)
    x = np.sort(np.random.default_rng(n).normal(size=n))
    expected = stats.quantile_test(x, q=0.0, p=0.5).confidence_interval(0.95)
    assert (x[low], x[high]) == (expected.low, expected.high)
    row = statistics({"x": x[::-1]}).loc["x"]
    assert (row["low"], row["high"]) == (x[low], x[high])


def test_five_values_have_no_interval():
    assert median_ranks(5) is None
    row = statistics({"x": [1.0, 2.0, 3.0, 4.0, 5.0]}).loc["x"]
    assert row["median"] == 3.0
    assert row[["low", "high"]].isna().all()


def test_shares_have_the_interval_of_clopper_and_pearson():
    table = statistics({"met": [1, 1, 0, 1, None, 1, 0, 1], "all": [1] * 8, "no": [0.5] * 8})
    for name, k, n in [("met", 5, 7), ("all", 8, 8)]:
        row, expected = table.loc[name], stats.binomtest(k, n).proportion_ci(0.95)
        assert row["share"] == k / n
        np.testing.assert_allclose(row[["share_low", "share_high"]], expected, rtol=1e-10)
    assert table.loc["no", ["share", "share_low", "share_high"]].isna().all()


def test_infinite_figures_are_the_largest_and_missing_ones_are_left_out():
    row = statistics({"x": [np.inf, 1.0, None, 2.0, np.inf, 3.0, np.nan, np.inf, 4.0, 5.0]})
    assert row["n"].tolist() == [8]
    found = row.loc["x", ["lower_quartile", "median", "upper_quartile", "low", "high"]].tolist()
    assert found == [2.75, 4.5, np.inf, 1.0, np.inf]
    grouped = statistics({"x": [np.inf] * 6 + [1.0, 2.0]}, groups=[0, 1, 2, 3] * 2)
    assert grouped.loc["x", ["median", "high"]].tolist() == [np.inf, np.inf]


def test_a_figure_that_no_walk_has():
    for groups in (None, [1, 2]):
        table = statistics({"x": [None, np.nan], "y": [1.0, 2.0]}, groups)
        assert table.loc["x", "n"] == 0
        assert table.loc["x", list(NAMES[1:])].isna().all()
    assert table["groups"].tolist() == [0, 2]
    assert statistics({}).shape == (0, len(NAMES))


def test_cluster_bootstrap_is_that_of_brute_force():
    """Every replication by hand: whole groups, pooled."""
    rng = np.random.default_rng(5)
    groups = np.repeat(np.arange(9), [3, 8, 1, 5, 4, 4, 7, 2, 6])
    columns = {"x": rng.normal(size=9)[groups] + rng.normal(size=40), "b": rng.integers(0, 2, 40)}
    table = statistics(columns, [f"problem {k}" for k in groups], seed=3, replications=200)
    often = np.random.default_rng(3).multinomial(9, np.full(9, 1 / 9), 200)
    pooled = [np.repeat(np.arange(40), each[groups]) for each in often]
    for name, of, low, high in [
        ("x", np.median, "low", "high"),
        ("b", np.mean, "share_low", "share_high"),
    ]:
        expected = np.quantile([of(columns[name][some]) for some in pooled], [0.025, 0.975])
        np.testing.assert_allclose(table.loc[name, [low, high]], expected, rtol=1e-12)
    again = statistics(columns, groups, seed=3, replications=200)
    pd.testing.assert_frame_equal(table, again)
    assert not table.equals(statistics(columns, groups, seed=4, replications=200))
    assert table["groups"].tolist() == [9, 9]


def test_how_often_intervals_hold():
    """Alike walks: intervals for independent ones are far too short, those of groups are not."""
    rng = np.random.default_rng(1)
    groups, held = np.repeat(np.arange(25), 20), np.zeros(3)
    for seed in range(200):
        alike = np.exp(rng.normal(size=25)[groups] + rng.normal(size=500))  # of median 1
        tables = [
            statistics({"x": rng.standard_cauchy(25)}),
            statistics({"x": np.log(alike)}),
            statistics({"x": np.log(alike)}, groups, seed, 200),
        ]
        held += [(t["low"].iloc[0] <= 0.0 <= t["high"].iloc[0]) for t in tables]
    independent, naive, clustered = held / 200
    assert 0.92 <= independent <= 0.99  # exactly 0.957
    assert naive < 0.6
    assert 0.89 <= clustered <= 0.98


def test_one_group_says_nothing_of_others():
    row = statistics({"x": np.arange(50.0)}, groups=np.zeros(50)).loc["x"]
    assert (row["groups"], row["median"]) == (1, 24.5)
    assert row[["low", "high"]].isna().all()


def test_bad_input():
    with pytest.raises(TypeError, match="columns: expected a dict of arrays, found"):
        statistics([1.0, 2.0])
    with pytest.raises(TypeError, match=r"columns\['x'\]: expected numbers or None"):
        statistics({"x": ["a", "b"]})
    with pytest.raises(ValueError, match=r"columns\['x'\]: expected an array of shape \(W,\)"):
        statistics({"x": [[1.0], [2.0]]})
    with pytest.raises(ValueError, match="found 2 for 'x' and 3 for 'y'"):
        statistics({"x": [1, 2], "y": [1, 2, 3]})
    with pytest.raises(ValueError, match=r"groups: expected an array of shape \(2,\)"):
        statistics({"x": [1, 2]}, groups=[1])
    with pytest.raises(ValueError, match="seed: expected an integer >= 0"):
        statistics({"x": [1, 2]}, seed=-1)


def test_figures_infinite_both_ways():
    row = statistics({"x": [-np.inf, 1.0, 2.0, np.inf]}).loc["x"]
    assert row[["lower_quartile", "median", "upper_quartile"]].tolist() == [-np.inf, 1.5, np.inf]
