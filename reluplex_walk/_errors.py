"""Errors that rooms far apart know."""


class DamagedFileError(ValueError):
    """A file of this library that is not as it was written, or of another version or kind."""


__all__ = ["DamagedFileError"]
