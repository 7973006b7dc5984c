"""What every backend of a stage must be, whichever stage it is."""

import inspect
from collections.abc import Callable
from typing import Any


def assert_keeps_to(declared: Callable[..., Any], backend: Any, name: str) -> None:
    """Compare a backend with its protocol: ``declared`` is the protocol's method that does the stage's work."""
    kind = type(backend)
    assert backend.name == name, "as settings and provenance call it"
    assert hasattr(kind, "weights")
    own = getattr(kind, declared.__name__)
    assert list(inspect.signature(own).parameters) == list(inspect.signature(declared).parameters)
    assert inspect.getdoc(own)
