"""Stand-ins for what pickles of NumPy name: they build arrays from states that were looked at, in Python alone.

NumPy's own ``__setstate__`` trusts its argument; some damaged states end the process in C.
"""

import math
import re
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from training.errors import UnsafePickle

_NUMBER_OR_TEXT = re.compile(r"[<>=|]?([biufc][0-9]{1,2}|[SU][0-9]{1,4}|[?])")
_OF_OBJECTS = re.compile(r"[<>=|]?O[0-9]?")
_BYTE_ORDERS = ("<", ">", "=", "|")


class Callback:
    """What a pickle may call and cannot change."""

    __slots__ = ("_build",)

    def __init__(self, build: Callable[..., object]) -> None:
        self._build = build

    def __call__(self, *arguments: object) -> object:
        """Build what is asked for."""
        return self._build(*arguments)

    def __setstate__(self, state: object) -> None:
        raise UnsafePickle("gives a state to something that has none")


class PickledType:
    """A ``numpy.dtype`` of numbers, truth values or text."""

    __slots__ = ("dtype",)

    def __init__(self, code: str, *_options: object) -> None:
        if isinstance(code, str) and _OF_OBJECTS.fullmatch(code):
            raise UnsafePickle("holds an array of objects, not of numbers")
        if not isinstance(code, str) or not _NUMBER_OR_TEXT.fullmatch(code):
            raise ValueError(f"{code!r:.80} is no type of numbers")
        self.dtype = np.dtype(code)

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        _version, order, subtype, names, fields, *_sizes = state
        if order not in _BYTE_ORDERS or any(part is not None for part in (subtype, names, fields)):
            raise ValueError("a type of numbers has no parts")
        self.dtype = self.dtype.newbyteorder(order)


class PickledArray:
    """A ``numpy.ndarray``: empty until it is given its state. array: any shape, any type of ``PickledType``."""

    __slots__ = ("array",)
    __hash__ = None  # type: ignore[assignment]  # as arrays, it is no key of a mapping

    def __init__(self) -> None:
        self.array: NDArray[Any] = np.empty(0)

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        _version, shape, kind, is_by_columns, content = state
        self.array = _array(shape, kind, content, "F" if is_by_columns else "C")


def _array(shape: object, kind: object, content: object, order: object) -> NDArray[Any]:
    """Return the array that ``content`` holds; raises ``ValueError`` where it holds another."""
    if not isinstance(kind, PickledType) or not isinstance(shape, tuple) or order not in ("C", "F"):
        raise ValueError("an array without a shape or a type")
    if isinstance(content, str):  # Python 2 and protocols below 3 write bytes as text
        content = content.encode("latin1")
    if not isinstance(content, bytes | bytearray) or not all(type(n) is int and n >= 0 for n in shape):
        raise ValueError("an array without content")
    if math.prod(shape) * kind.dtype.itemsize != len(content):
        raise ValueError(f"{shape} of {kind.dtype} are not {len(content)} bytes")
    if not content:
        return np.empty(shape, kind.dtype)
    return np.frombuffer(content, kind.dtype).reshape(shape, order="F" if order == "F" else "C").copy()


def _reconstruct(*_arguments: object) -> PickledArray:
    return PickledArray()


def _from_buffer(content: object, kind: object, shape: object, order: object) -> PickledArray:
    found = PickledArray()
    found.array = _array(shape, kind, content, order)
    return found


def _scalar(kind: object, content: object = b"") -> object:
    return _array((), kind, content, "C").item()


def _bytes(text: str, encoding: str = "") -> bytes:
    if not isinstance(text, str) or encoding not in ("latin1", "latin-1"):
        raise ValueError("bytes that are not written as Latin 1")
    return text.encode("latin1")


def _no_bytes(*arguments: object) -> bytes:
    if arguments:
        raise ValueError("bytes that are not written out")
    return b""


def _nothing(*_arguments: object) -> object:
    raise ValueError("an array without a shape or a type")


_BUILT_BY: dict[tuple[str, str], Callable[..., object]] = {
    ("numpy", "ndarray"): _nothing,
    ("numpy", "dtype"): PickledType,
    ("numpy.core.multiarray", "_reconstruct"): _reconstruct,
    ("numpy.core.multiarray", "scalar"): _scalar,
    ("numpy.core.numeric", "_frombuffer"): _from_buffer,
    ("_codecs", "encode"): _bytes,
    ("__builtin__", "bytes"): _no_bytes,
    ("builtins", "bytes"): _no_bytes,
}


def stand_in(module: str, name: str) -> Callback:
    """Return what builds in place of ``module.name``; raises ``UnsafePickle`` for all that is not of an array."""
    build = _BUILT_BY.get((module.replace("numpy._core.", "numpy.core."), name))
    if build is None:
        raise UnsafePickle(f"asks for {module}.{name}, which is neither an array nor a plain container")
    return Callback(build)


def plain(content: object, known: dict[int, object] | None = None) -> object:
    """Return content with arrays in place of their stand-ins.

    known: what was made of containers, by identity; of those that are being made, nothing yet.

    Raises:
        RecursionError: a container holds itself.
        TypeError: something is left that was never built.
    """
    known = {} if known is None else known
    if isinstance(content, PickledArray):
        return content.array
    if isinstance(content, Callback | PickledType):
        raise TypeError("a type of numbers without numbers")
    if not isinstance(content, dict | list | tuple | set | frozenset):
        return content
    if id(content) in known:
        if known[id(content)] is _UNDER_WAY:
            raise RecursionError("a container holds itself")
        return known[id(content)]
    known[id(content)] = _UNDER_WAY
    if isinstance(content, dict):
        made: object = {plain(key, known): plain(value, known) for key, value in content.items()}
    else:
        made = type(content)(plain(part, known) for part in content)
    known[id(content)] = made
    return made


_UNDER_WAY = object()
