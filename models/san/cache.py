"""Arrays kept by the content they were computed from, in a folder that may be deleted at any time."""

import hashlib
import os
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

Arrays = Mapping[str, NDArray[np.generic]]


def content_key(*parts: str | bytes) -> str:
    """Return a SHA-256 over the parts and their lengths, as 64 hexadecimal digits."""
    digest = hashlib.sha256()
    for part in parts:
        content = part.encode() if isinstance(part, str) else part
        digest.update(len(content).to_bytes(8, "big"))
        digest.update(content)
    return digest.hexdigest()


def tensors_key(tensors: Iterable[Tensor]) -> str:
    """Return a SHA-256 over the values of tensors, in order, wherever they lie."""
    digest = hashlib.sha256()
    for tensor in tensors:
        digest.update(str(tuple(tensor.shape)).encode())
        digest.update(tensor.detach().float().cpu().contiguous().numpy().data)
    return digest.hexdigest()


class ArrayCache:
    """A folder of ``<key>.npz`` files; keys come from ``content_key``."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def load(self, key: str) -> Arrays | None:
        """Return what was stored under ``key``; nothing where it is missing or damaged."""
        try:
            with np.load(self._folder / f"{key}.npz", allow_pickle=False) as stored:
                return dict(stored)
        except (OSError, ValueError, BadZipFile, EOFError):
            return None

    def store(self, key: str, arrays: Arrays) -> None:
        """Store arrays under ``key``, whole or not at all, also when several processes do so at once."""
        self._folder.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(suffix=".part", dir=self._folder)
        try:
            with os.fdopen(handle, "wb") as part:
                np.savez(part, allow_pickle=False, **arrays)
            Path(name).replace(self._folder / f"{key}.npz")
        finally:
            Path(name).unlink(missing_ok=True)
