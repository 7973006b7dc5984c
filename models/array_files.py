"""Arrays in ``.npz`` and ``.npy`` files: what a header claims is compared with what is there before memory is taken."""

import math
import tokenize
import zipfile
import zlib
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

from models.errors import DamagedArrays

_DAMAGE = (
    *(zipfile.BadZipFile, zlib.error, tokenize.TokenError, EOFError, NotImplementedError, RuntimeError),
    *(ValueError, LookupError, TypeError, SyntaxError, MemoryError, ArithmeticError, UnicodeError, RecursionError),
)
"""What NumPy and the standard library make of damaged bytes."""


def read_npz(path: Path) -> dict[str, NDArray[Any]]:
    """Return the arrays of an ``.npz`` file by name; nothing in it is run.

    Raises:
        OSError: the file cannot be opened.
        DamagedArrays: it is none, or an array of it is cut short, of objects, or not what its header claims.
    """
    with path.open("rb") as file:
        try:
            with zipfile.ZipFile(file) as archive:
                members = {entry.filename: entry for entry in archive.infolist() if entry.filename.endswith(".npy")}
                return {name.removesuffix(".npy"): _member(archive, entry) for name, entry in members.items()}
        except (*_DAMAGE, OSError) as error:
            raise DamagedArrays(f"{path} does not read back as arrays: {_reason(error)}") from error


def map_npy(path: Path) -> NDArray[Any]:
    """Return the array of an ``.npy`` file, mapped into memory and read only.

    Raises:
        OSError: the file cannot be opened.
        DamagedArrays: it is none, or is cut short.
    """
    try:
        return np.asarray(np.load(path, mmap_mode="r", allow_pickle=False))
    except _DAMAGE as error:
        raise DamagedArrays(f"{path} does not read back as an array: {_reason(error)}") from error


def _member(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> NDArray[Any]:
    with archive.open(entry) as file:
        _check_header(file, entry.file_size)
    with archive.open(entry) as file:
        return npy.read_array(file, allow_pickle=False)


def _check_header(file: IO[bytes], size: int) -> None:
    version = npy.read_magic(file)
    read = npy.read_array_header_1_0 if version == (1, 0) else npy.read_array_header_2_0
    shape, _, dtype = read(file)
    if dtype.hasobject or math.prod(shape) * dtype.itemsize != size - file.tell():
        raise ValueError(f"{shape} of {dtype} are not {size - file.tell()} bytes")


def _reason(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}"[:300]
