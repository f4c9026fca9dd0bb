"""The interface of scikit-learn (extra `sklearn`): estimators that fit, predict and are certified."""
