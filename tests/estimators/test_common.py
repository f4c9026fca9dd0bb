"""scikit-learn's own checks of estimators, none of which is expected to fail."""

from sklearn.utils.estimator_checks import parametrize_with_checks

from reluplex_walk import estimators

ALL = [getattr(estimators, name)() for name in estimators.__all__]


@parametrize_with_checks(ALL)
def test_scikit_learn_finds_nothing(estimator, check):
    check(estimator)
