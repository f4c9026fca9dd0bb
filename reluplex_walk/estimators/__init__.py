"""The interface of scikit-learn (extra `sklearn`): estimators that fit, predict and are certified.

``rw.estimators``: linear quantile regression and networks of ReLU neurons, for pipelines, grid
searches and whatever else takes an estimator of scikit-learn.

>>> import reluplex_walk as rw
>>> data = rw.datasets.load_stackloss()
>>> model = rw.estimators.LADRegressor().fit(data.X, data.y)
>>> model.coef_.round(5), round(float(model.intercept_), 5)
(array([ 0.83188,  0.57391, -0.06087]), -39.68986)
>>> model.certificate_.is_global
True
"""

try:
    import sklearn  # noqa: F401
except ModuleNotFoundError as error:
    raise ImportError(
        'rw.estimators needs scikit-learn: pip install "reluplex_walk[sklearn]"'
    ) from error

from .linear import LADRegressor, QuantileRegressor

__all__ = ["LADRegressor", "QuantileRegressor"]
