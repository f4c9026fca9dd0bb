"""Callbacks that say stop, as a user's may."""


def stopping(calls):
    """One that says stop when it is called for the `calls`-th time."""
    told = []

    def callback(progress):
        told.append(progress)
        if len(told) == calls:
            raise StopIteration

    return callback
