"""The methods that have a name, by which calls and files know them, and their classes."""

from typing import Any

from .alice import Alice
from .methods import Adam, Method, Momentum, Nesterov, RMSProp, Sgd
from .polyak_step import Polyak

_CLASSES: dict[str, type] = {
    "sgd": Sgd,
    "momentum": Momentum,
    "nesterov": Nesterov,
    "rmsprop": RMSProp,
    "adam": Adam,
    "polyak": Polyak,
    "alice": Alice,
}
NAMES = tuple(_CLASSES)


def class_of(name: str) -> Any:
    """The class of that `name`, one of `NAMES`."""
    return _CLASSES[name]


def method_of(method: Any) -> Method:
    """`method`, a name or an object that begins runs."""
    if isinstance(method, str):
        if method not in NAMES:
            raise ValueError(f"method: expected one of {', '.join(NAMES)}, found {method!r}")
        made: Method = class_of(method)()
        return made
    if isinstance(method, type) or not all(hasattr(method, name) for name in ("begin", "restore")):
        raise TypeError(
            f"method: expected a name or an object with begin and restore, as rw.Alice(), "
            f"found {method!r}"
        )
    whole: Method = method
    return whole


def name_of(method: Method) -> str | None:
    """The name of the class of `method`, None if it has none, as classes derived from these."""
    return next((name for name, known in _CLASSES.items() if type(method) is known), None)


__all__ = [
    "NAMES",
    "Adam",
    "Alice",
    "Momentum",
    "Nesterov",
    "Polyak",
    "RMSProp",
    "Sgd",
    "class_of",
    "method_of",
    "name_of",
]
