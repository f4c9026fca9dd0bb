"""Placeholder."""


def statistics(columns, groups=None, seed=0):
    import pandas as pd

    return pd.DataFrame({k: pd.Series(v).describe() for k, v in columns.items()}).T
