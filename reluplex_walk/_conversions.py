"""Results in the words of pandas, xarray and SciPy, which are imported when they are asked for."""

from collections.abc import Mapping, Sequence
from types import ModuleType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .ended import Ended

# What OptimizeResult.status says where nothing is proved; 0 is a proof.  1, 2 and 99 are SciPy's.
_STATUS = {
    Ended.WORK_LIMIT: 1,
    Ended.PRECISION: 2,
    Ended.TIME_LIMIT: 3,
    Ended.LEVEL_GAP: 4,
    Ended.STOPPED: 5,
    Ended.DIVERGED: 6,
    Ended.FINISHED: 7,
    Ended.INTERRUPTED: 99,
}


def pandas() -> ModuleType:
    """The library; ImportError that says what to install."""
    try:
        import pandas
    except ImportError:
        raise ImportError("to_frame needs pandas: pip install pandas") from None
    return pandas


def xarray() -> ModuleType:
    """The library; ImportError that says what to install."""
    try:
        import xarray
    except ImportError:
        raise ImportError('to_xarray needs xarray: pip install "reluplex_walk[xarray]"') from None
    return xarray


def frame(columns: Mapping[str, Any], index: str | None = None) -> Any:
    """A data frame of these columns; its index, the numbers of the rows, may have a name.

    What is masked becomes NaN.
    """
    made = pandas().DataFrame({name: _unmasked(values) for name, values in columns.items()})
    made.index.name = index
    return made


def _unmasked(values: Any) -> Any:
    masked = isinstance(values, np.ma.MaskedArray)
    return np.ma.filled(values.astype(float), np.nan) if masked else values


def after_first(values: Sequence[Any] | NDArray[Any], missing: Any = np.nan) -> NDArray[Any]:
    """`values` of the steps as those of the entries they lead to; `missing` at the first."""
    values = np.asarray(values)
    dtype = object if isinstance(missing, str) else np.result_type(values.dtype, type(missing))
    return np.concatenate([np.array([missing], dtype), values.astype(dtype)])


def dataset(
    arrays: Mapping[str, tuple[Any, Any]],
    coordinates: Mapping[str, Any],
    attributes: Mapping[str, Any],
) -> Any:
    """A Dataset of ``name: (dimensions, array)``.

    Its attributes are plain numbers and text, as files of netCDF hold them: yes and no are 1 and 0,
    and what is None is left out.
    """
    plain = {
        name: int(value) if isinstance(value, bool) else value
        for name, value in attributes.items()
        if value is not None
    }
    return xarray().Dataset(dict(arrays), dict(coordinates), plain)


def of_layer(shape: tuple[int, ...], intercept: bool) -> dict[str, Any]:
    """Coordinates of parameters (h, q): the last input is the constant, unless it is not used."""
    h, q = shape
    inputs = [*map(str, range(q - 1)), "constant"] if intercept else np.arange(q)
    return {"neuron": np.arange(h), "input": inputs}


def by_rows(
    table: Any, parameters: Mapping[str, Any], loss: Any, attributes: Mapping[str, Any]
) -> Any:
    """A Dataset of the columns of a data frame, and of `parameters` (rows, h, q) of a LayerLoss."""
    row, labels = table.index.name, of_layer(loss.shape, loss.fit_intercept)
    return dataset(
        {
            **{name: ((row, *labels), array) for name, array in parameters.items()},
            **{name: (row, table[name].to_numpy()) for name in table},
        },
        {row: table.index.to_numpy(), **labels},
        attributes,
    )


def optimize_result(
    x: NDArray[np.float64], fun: float, *, success: bool, ended: Ended, message: str, **more: Any
) -> Any:
    """SciPy's record of a minimisation: `success` where something is proved, and nowhere else."""
    from scipy.optimize import OptimizeResult

    return OptimizeResult(
        x=np.array(x, np.float64).ravel(),
        fun=float(fun),
        success=bool(success),
        status=0 if success else _STATUS[ended],
        message=message,
        **more,
    )


__all__ = [
    "after_first",
    "by_rows",
    "dataset",
    "frame",
    "of_layer",
    "optimize_result",
    "pandas",
    "xarray",
]
