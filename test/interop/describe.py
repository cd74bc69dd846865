"""Exceptions as what the tests compare."""


def describe(exc):
    return {
        "class": type(exc).__name__,
        "module": type(exc).__module__,
        "exc_type": getattr(exc, "exc_type", None),
        "value": getattr(exc, "value", None),
        "args": [str(arg) for arg in exc.args],
        "text": str(exc),
    }
